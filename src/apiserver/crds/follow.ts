import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { readData } from '../../lib/data-file.ts'
import type { Entry } from '../../store/store.ts'
import type { Kernel } from '../kernel.ts'
import { builtinResources } from '../resources/builtin.ts'
import { makeRegistry, type Registry } from '../resources/registry.ts'
import type { ServedResource } from '../resources/resource.ts'
import { prefixOf } from '../storage/keys.ts'
import { customResources } from './custom-resource.ts'
import { withNames, withTerminating } from './names.ts'
import { withPlannedStatus } from './status.ts'
import { checkDefinition } from './validate.ts'

/** The served resources, kept in step with the CustomResourceDefinitions in the store. */
export interface DefinitionLife {
  registry(): Registry
  close(): void
}

/** What one state of a definition serves. */
interface Made {
  readonly revision: number
  readonly resources: readonly ServedResource[]
}

export const DEFINITIONS: string = prefixOf('apiextensions.k8s.io', 'customresourcedefinitions')

/** Added to a definition when it is deleted, and taken away once its objects are gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** Builds the registry and swaps it whenever a definition is committed. */
export function followDefinitions(kernel: Kernel): DefinitionLife {
  const { store } = kernel
  const schemas = builtinSchemas(readData)
  const ports = { call: kernel.callWebhook, uid: () => kernel.ids.uid() }
  const entries = (): readonly Entry<KubeObject>[] => {
    const range = store.range(DEFINITIONS)
    if (!range.ok) throw new Error(`cannot read the definitions at the newest revision: ${range.because}`)
    return range.entries
  }
  const definitions = (): readonly KubeObject[] => entries().map(({ value }) => value)
  const builtin = builtinResources(schemas).map((resource) =>
    resource.kind === 'CustomResourceDefinition' ? definitionResource(resource, definitions, kernel) : resource,
  )
  // By revision and not by object: the store may read an object anew, and what was compiled for it should stay.
  let made: ReadonlyMap<string, Made> = new Map()
  const customs = (): readonly ServedResource[] => {
    const next = new Map<string, Made>()
    for (const { key, value, revision } of entries()) {
      const known = made.get(key)
      next.set(
        key,
        known?.revision === revision ? known : { revision, resources: customResources(value, { schemas, ports }) },
      )
    }
    made = next
    return [...next.values()].flatMap(({ resources }) => resources)
  }
  let generation = 1
  const build = (): Registry => makeRegistry([...builtin, ...customs()], generation++)
  let registry: Registry | undefined
  const watching = store.watch(DEFINITIONS, store.revision, (changes) => {
    if (changes.length > 0) registry = undefined
  })
  if (!watching.ok) throw new Error('cannot follow the definitions from the newest revision')
  return { registry: () => (registry ??= build()), close: () => watching.close() }
}

/** The resource of the definitions themselves: their status follows at once from what is written. */
function definitionResource(
  resource: ServedResource,
  definitions: () => readonly KubeObject[],
  { clock }: Kernel,
): ServedResource {
  const { strategy, typing } = resource
  const othersOf = ({ metadata, spec }: KubeObject): readonly KubeObject[] => {
    const { group } = (spec ?? {}) as { readonly group?: unknown }
    return definitions().filter((other) => {
      const theirs = (other['spec'] ?? {}) as { readonly group?: unknown }
      return theirs.group === group && other.metadata.name !== metadata.name
    })
  }
  const planned = (object: KubeObject): KubeObject => withPlannedStatus(object, othersOf(object), clock.now())
  return {
    ...resource,
    typing: {
      ...typing,
      get schema() {
        return typing.schema
      },
      validate: (object, old) => [...typing.validate(object, old), ...checkDefinition(object, old)],
    },
    strategy: {
      ...strategy,
      prepareCreate: (object) => planned(withNames(strategy.prepareCreate(object))),
      prepareUpdate: (object, old) => planned(withNames(strategy.prepareUpdate(object, old))),
      finalizersOfDeletion: [CLEANUP],
      markGoing: (object) => withTerminating(object, clock.now()),
    },
  }
}
