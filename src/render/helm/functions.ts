import { fn, type FunctionTable, runFn } from '../../lang/gotemplate/function.ts'
import { marshalJson, unmarshalJson } from '../../lang/gotemplate/json.ts'
import type { Run } from '../../lang/gotemplate/run.ts'
import { type SprigPorts, sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { Failure, failWith, int64, NIL_MAP, withType } from '../../lang/gotemplate/value.ts'
import { quoteString } from '../../lib/go-string.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { emitToml, parseToml } from '../../lib/toml.ts'
import { emitYaml, emitYamlPretty, parseYaml } from '../../lib/yaml.ts'
import { dialects, type HelmDialect } from './dialect.ts'
import { jsonForm } from './json-form.ts'

/** Reads objects of a cluster for `lookup`; offline there are none. */
export type Lookup = (apiVersion: string, kind: string, namespace: string, name: string) => unknown

/** What the functions of a rendering need beside their arguments. */
export interface EngineContext {
  readonly lookup: Lookup | undefined
  /** How often each template is being included right now. */
  readonly including: Map<string, number>
}

const WARN_START = 'HELM_ERR_START'
const WARN_END = 'HELM_ERR_END'
const MOST_NESTED = 1_000

/** A message that the rendering shows instead of the whole trace. */
const warn = (message: string): Failure => failWith(`${WARN_START}${message}${WARN_END}`)

/** The message that `required` or `fail` gave, when a trace holds one. */
export function warningIn(trace: string): string | undefined {
  const from = trace.indexOf(WARN_START)
  const to = trace.lastIndexOf(WARN_END)
  return from >= 0 && to > from ? trace.slice(from + WARN_START.length, to) : undefined
}

const contextOf = (run: Run): EngineContext => run.context as EngineContext // the engine of this folder gives no other

const include = runFn(['string', 'any'], (run: Run, name, data): string | Failure => {
  const { including } = contextOf(run)
  const nested = including.get(name) ?? 0
  if (nested > MOST_NESTED) {
    return failWith(`rendering template has a nested reference name: ${name}: unable to execute template`)
  }
  including.set(name, nested + 1)
  const text = run.include(name, data)
  including.set(name, nested)
  return text
})

const TPL_NAME = 'gotpl'

const tpl = runFn(['string', 'any'], (run: Run, text, data): string | Failure => {
  const rendered = run.renderText(TPL_NAME, text, data)
  if (typeof rendered === 'string') return rendered.replaceAll('<no value>', '')
  const { message } = rendered
  const what =
    message.includes(': executing ') || !message.startsWith('template: ')
      ? 'error during tpl function execution for'
      : 'cannot parse template'
  return failWith(`${what} ${quoteString(text)}: ${message}`)
})

const required = fn(['string', 'any'], 'any', (message, value) =>
  value === undefined || value === null || value === '' ? warn(message) : value,
)

const fail = fn(['string'], 'any', (message) => warn(message))

const lookup = runFn(
  ['string', 'string', 'string', 'string'],
  (run: Run, apiVersion, kind, namespace, name): unknown => {
    const found = contextOf(run).lookup?.(apiVersion, kind, namespace, name)
    return found ?? {}
  },
)

/** Gives a text for what was written; what cannot be written is an empty text, or with `must` an error. */
function writing(write: () => string, must: boolean): string | Failure {
  try {
    return write()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return must ? failWith(message) : ''
  }
}

const withoutEnd = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text)

const toYaml = (must: boolean): FunctionTable[string] =>
  fn(['any'], 'any', (value) => writing(() => withoutEnd(emitYaml(jsonForm(value))), must))

const toJson = (must: boolean): FunctionTable[string] =>
  fn(['any'], 'any', (value) => {
    const text = marshalJson(value)
    return must || typeof text === 'string' ? text : ''
  })

const goKind = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

const notA = (value: unknown, type: string): string =>
  `json: cannot unmarshal ${goKind(value)} into Go value of type ${type}`

const MAP_TYPE = 'map[string]interface {}'
const LIST_TYPE = '[]interface {}'

const asMap = (value: unknown, prefix: string): unknown => {
  if (value === null) return withType({}, NIL_MAP)
  return isObject(value) ? value : { Error: `${prefix}${notA(value, MAP_TYPE)}` }
}

const asList = (value: unknown, prefix: string): unknown => {
  if (value === null) return []
  return Array.isArray(value) ? value : [`${prefix}${notA(value, LIST_TYPE)}`]
}

const yamlMessage = (message: string): string =>
  `error converting YAML to JSON: ${message.replace('cannot read YAML', 'yaml')}`
const YAML_PREFIX = 'error unmarshaling JSON: while decoding JSON: '

const fromYaml = fn(['string'], 'any', (text) => {
  const read = parseYaml(text)
  return read.ok ? asMap(read.value, YAML_PREFIX) : { Error: yamlMessage(read.error[0]?.message ?? '') }
})

const fromYamlArray = fn(['string'], 'any', (text) => {
  const read = parseYaml(text)
  return read.ok ? asList(read.value, YAML_PREFIX) : [yamlMessage(read.error[0]?.message ?? '')]
})

const fromJson = fn(['string'], 'any', (text) => {
  const value = unmarshalJson(text)
  return value instanceof Failure ? { Error: value.message } : asMap(value, '')
})

const fromJsonArray = fn(['string'], 'any', (text) => {
  const value = unmarshalJson(text)
  return value instanceof Failure ? [value.message] : asList(value, '')
})

const fromToml = fn(['string'], 'any', (text) => {
  const read = parseToml(text)
  return read.ok ? withIntegers(read.value) : { Error: read.error[0]?.message ?? '' }
})

/** Bigints as Go's int64. */
function withIntegers(value: unknown): unknown {
  if (typeof value === 'bigint') return int64(value)
  if (Array.isArray(value)) return value.map(withIntegers)
  if (!isObject(value)) return value
  const map: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(map, key, withIntegers(item))
  return map
}

const toToml = (floats: 'plain' | 'short'): FunctionTable[string] =>
  fn(['any'], 'any', (value) => {
    try {
      return emitToml(jsonForm(value, 'bigints'), floats)
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause)
    }
  })

const own: FunctionTable = {
  include,
  tpl,
  required,
  fail,
  lookup,
  toYaml: toYaml(false),
  toYamlPretty: fn(['any'], 'any', (value) =>
    writing(() => withoutEnd(emitYamlPretty(jsonForm(value, 'bigints'))), false),
  ),
  fromYaml,
  fromYamlArray,
  toJson: toJson(false),
  fromJson,
  fromJsonArray,
  fromToml,
  // Names are never resolved: a rendering does not depend on where it runs.
  getHostByName: fn(['string'], 'any', () => ''),
}

/** What reads the process's environment. */
const environment: readonly string[] = ['env', 'expandenv']

const tables = new WeakMap<SprigPorts, Map<HelmDialect, FunctionTable>>()

/**
 * The functions of a chart's templates: sprig without the process's environment, and helm's own. The table of the same
 * ports is made once, because compiled templates are kept by it.
 */
export function helmFunctions(dialect: HelmDialect, ports: SprigPorts): FunctionTable {
  const known = tables.get(ports) ?? new Map<HelmDialect, FunctionTable>()
  tables.set(ports, known)
  const made = known.get(dialect)
  if (made) return made
  const sprig = Object.fromEntries(
    Object.entries(sprigFunctions(ports)).filter(([name]) => !environment.includes(name)),
  )
  const facts = dialects[dialect]
  const must = facts.hasMustToYaml ? { mustToYaml: toYaml(true), mustToJson: toJson(true) } : {}
  const table = { ...sprig, ...own, ...must, toToml: toToml(facts.tomlFloats) }
  known.set(dialect, table)
  return table
}
