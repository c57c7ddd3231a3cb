import { compileAssertion, jmesPathLanguage } from '../../../src/lang/jmespath/assertion/assertion.ts'
import { parseProjection } from '../../../src/lang/jmespath/assertion/expression.ts'
import { kyvernoFunctions } from '../../../src/lang/jmespath/functions/kyverno.ts'
import { fn } from '../../../src/lang/jmespath/functions/specification.ts'
import type { JmesPathPorts } from '../../../src/lang/jmespath/run.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import type { Fields } from './chainsaw-test.ts'

/** What `$name` stands for in a test. */
export type Bindings = ReadonlyMap<string, unknown>

const ports: JmesPathPorts = { now: () => Date.now(), ids: systemIds }

const functions = new Map([
  ...kyvernoFunctions,
  ['trim_space', fn(['string'], ([text]) => String(text).trim())] as const,
  ['as_string', fn(['any'], ([value]) => (typeof value === 'string' ? value : null))] as const,
  ['env', fn(['string'], ([name]) => process.env[String(name)] ?? '')] as const,
])
const language = jmesPathLanguage(functions)

/** Puts the values of expressions in; keys stay as they are. */
export function template(value: unknown, bindings: Bindings): unknown {
  if (Array.isArray(value)) return value.map((item) => template(item, bindings))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, template(item, bindings)]))
  }
  if (typeof value !== 'string') return value
  const projection = parseProjection(value)
  if (projection.language === undefined) return value
  const program = language(projection.statement)
  if (!program.ok) throw new Error(program.error[0]?.message)
  const found = program.value(null, bindings, ports)
  if (!found.ok) throw new Error(`${value}: ${found.error[0]?.message}`)
  return found.value
}

/** A text that may be an expression. */
export const textOf = (value: unknown, bindings: Bindings): string => String(template(value, bindings))

/** The bindings with more of them, each seeing those before it. */
export function bound(outer: Bindings, more: readonly { readonly name: string; readonly value: unknown }[]): Bindings {
  const inner = new Map(outer)
  for (const { name, value } of more) inner.set(name, template(value, inner))
  return inner
}

/** How a value differs from an assertion tree; undefined when it does not. */
export function differenceFrom(tree: unknown, value: unknown, bindings: Bindings): string | undefined {
  const compiled = compileAssertion(tree, { functions })
  if (!compiled.ok) return compiled.error.map(({ at, message }) => `${at}: ${message}`).join('; ')
  const outcome = compiled.value.check(value, bindings, ports)
  if (!outcome.ok) return outcome.error[0]?.message ?? 'it cannot be compared'
  if (outcome.value.length === 0) return undefined
  return outcome.value
    .slice(0, 3)
    .map(({ at, message }) => `${at}: ${message}`)
    .join('; ')
}

/** The name, namespace and labels of a resource with the values of their expressions. */
export function withReference(resource: Fields, bindings: Bindings): Fields {
  const metadata = (resource['metadata'] ?? {}) as Fields
  const { name, namespace, labels } = metadata
  const found = template({ name, namespace, labels }, bindings) as Fields
  const kept = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
  return { ...resource, metadata: { ...metadata, ...kept } }
}
