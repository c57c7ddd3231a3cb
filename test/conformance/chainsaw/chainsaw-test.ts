import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseYamlDocuments } from '../../../src/lib/yaml.ts'

export type Fields = Readonly<Record<string, unknown>>

/** One thing a step does, such as `apply` or `assert`, with how long it may take. */
export interface Operation {
  readonly name: string
  readonly with: Fields
  readonly timeout?: string
}

/** A step with the values that its template was used with. */
export interface Step {
  readonly name: string
  readonly bindings: readonly { readonly name: string; readonly value: unknown }[]
  readonly attempt: readonly Operation[]
  readonly finally: readonly Operation[]
}

/** A chainsaw test whose step templates have been put in. */
export interface ChainsawTest {
  /** The object as it was written: what `$test` stands for. */
  readonly source: Fields
  readonly name: string
  readonly folder: string
  readonly namespace?: string
  readonly bindings: Step['bindings']
  readonly steps: readonly Step[]
}

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as readonly Fields[]) : [])

/** A scalar as text; nothing is the empty text. */
export const wordOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)

/** The documents of a YAML file. */
export function documentsOf(path: string): readonly Fields[] {
  const parsed = parseYamlDocuments(readFileSync(path, 'utf8'))
  if (!parsed.ok) throw new Error(`${path}: ${parsed.error[0]?.message}`)
  return parsed.value
    .map(({ value }) => value)
    .filter((value): value is Fields => value !== null && value !== undefined)
}

/** Reads a test with its templates. */
export function readTest(path: string): ChainsawTest {
  const [source] = documentsOf(path)
  if (!source) throw new Error(`${path} is empty`)
  const folder = dirname(path)
  const spec = fieldsOf(source['spec'])
  const { namespace } = spec
  return {
    source,
    name: wordOf(fieldsOf(source['metadata'])['name']),
    folder,
    ...(typeof namespace === 'string' ? { namespace } : {}),
    bindings: bindingsOf(spec['bindings']),
    steps: listOf(spec['steps']).map((step) => readStep(step, folder)),
  }
}

const bindingsOf = (value: unknown): Step['bindings'] =>
  listOf(value).map((one) => ({ name: String(one['name']), value: one['value'] }))

function readStep(step: Fields, folder: string): Step {
  const name = wordOf(step['name'])
  const use = step['use']
  if (use === undefined) {
    return {
      name,
      bindings: bindingsOf(step['bindings']),
      attempt: listOf(step['try']).map(readOperation),
      finally: [...listOf(step['cleanup']), ...listOf(step['finally'])].map(readOperation),
    }
  }
  const { template, with: given } = fieldsOf(use)
  const [found] = documentsOf(join(folder, String(template)))
  const inner = readStep({ name, ...fieldsOf(found?.['spec']) }, folder)
  return { ...inner, bindings: [...inner.bindings, ...bindingsOf(fieldsOf(given)['bindings'])] }
}

/** Keys beside the operation itself. */
const beside = new Set(['description', 'bindings', 'outputs', 'compiler', 'cluster', 'clusters'])

function readOperation(operation: Fields): Operation {
  const name = Object.keys(operation).find((key) => !beside.has(key)) ?? 'nothing'
  const body = fieldsOf(operation[name])
  const { timeout } = body
  return { name, with: { ...body, ...operation }, ...(typeof timeout === 'string' ? { timeout } : {}) }
}
