import { fn, type FunctionTable } from '../../../lang/gotemplate/function.ts'
import type { MissingKey } from '../../../lang/gotemplate/run.ts'
import { sprigFunctions, type SprigPorts } from '../../../lang/gotemplate/sprig/sprig.ts'
import { execute, parseTemplates } from '../../../lang/gotemplate/template-set.ts'
import { failWith, GoInt, NIL_MAP, withType } from '../../../lang/gotemplate/value.ts'
import { isObject } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { emitYaml, parseYaml } from '../../../lib/yaml.ts'
import { jsonForm } from '../../../render/helm/json-form.ts'
import { sanitizeName, slugOf } from './names.ts'
import type { Params } from './params.ts'

/** How templates of an ApplicationSet are written. */
export interface TemplateDialect {
  readonly goTemplate: boolean
  readonly options: readonly string[]
}

/** Fills a template with parameters; `first` is the failure in upstream's words. */
export type Replace = (template: string, params: Params, dialect: TemplateDialect) => Result<string>

const slugify = fn(['...any'], 'any', (...args) => {
  const name = args.at(-1)
  const [longest, cutsAtWords] = args.slice(0, -1)
  if (typeof name !== 'string') return failWith('slugify takes a text last')
  if (longest !== undefined && !(longest instanceof GoInt)) return failWith('slugify takes a whole number first')
  if (cutsAtWords !== undefined && typeof cutsAtWords !== 'boolean') return failWith('slugify takes a bool second')
  return slugOf(sanitizeName(name), {
    longest: longest === undefined ? 50 : Number(longest.value),
    cutsAtWords: cutsAtWords ?? true,
    underscoresAreDashes: true,
  })
})

const toYaml = fn(['any'], 'any', (value) => {
  try {
    return emitYaml(jsonForm(value)).replace(/\n$/, '')
  } catch (cause) {
    return failWith(cause instanceof Error ? cause.message : String(cause))
  }
})

const decoding = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal'

/** What Go calls the JSON of a value. */
function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** How sigs.k8s.io/yaml says that a document is not what was asked for. */
export const notDecoded = (value: unknown, type: string): string =>
  `${decoding} ${jsonKind(value)} into Go value of type ${type}`

/** How sigs.k8s.io/yaml says that a text is no YAML. */
export const notYaml = (message: string): string =>
  `error converting YAML to JSON: ${message.replace('cannot read YAML', 'yaml')}`

const fromYaml = fn(['string'], 'any', (text) => {
  const read = parseYaml(text)
  if (!read.ok) return failWith(notYaml(read.error[0]?.message ?? ''))
  if (read.value === null) return withType({}, NIL_MAP)
  return isObject(read.value) ? read.value : failWith(notDecoded(read.value, 'map[string]interface {}'))
})

const fromYamlArray = fn(['string'], 'any', (text) => {
  const read = parseYaml(text)
  if (!read.ok) return failWith(notYaml(read.error[0]?.message ?? ''))
  if (read.value === null) return []
  return Array.isArray(read.value) ? read.value : failWith(notDecoded(read.value, '[]interface {}'))
})

const ABSENT: readonly string[] = ['env', 'expandenv', 'getHostByName']

/** Sprig without the surroundings, and what ApplicationSets add to it. */
function functionsOf(ports: SprigPorts): FunctionTable {
  const sprig = Object.entries(sprigFunctions(ports)).filter(([name]) => !ABSENT.includes(name))
  const normalize = fn(['string'], 'any', sanitizeName)
  return { ...Object.fromEntries(sprig), normalize, slugify, toYaml, fromYaml, fromYamlArray }
}

const missingKeys: ReadonlyMap<string, MissingKey> = new Map([
  ['missingkey=default', 'default'],
  ['missingkey=invalid', 'invalid'],
  ['missingkey=zero', 'zero'],
  ['missingkey=error', 'error'],
])

/** A template may print so much at most: an Application is an object of the API. */
const LONGEST = 4 * 1024 * 1024

const failed = (message: string): Result<never> => fail({ code: 'appset-template-failed', message })

/** Makes the function that fills templates. Make it once: compiled templates are kept with it. */
export function templateReplacer(ports: SprigPorts): Replace {
  const table = functionsOf(ports)
  return (template, params, dialect) => {
    if (template.length > LONGEST) return failed(`a template is longer than ${LONGEST} characters`)
    return dialect.goTemplate ? goTemplate(template, params, dialect.options, table) : fastTemplate(template, params)
  }
}

function goTemplate(text: string, params: Params, options: readonly string[], table: FunctionTable): Result<string> {
  if (!text.includes('{{')) return succeed(text)
  let missingKey: MissingKey = 'default'
  for (const option of options) {
    const known = missingKeys.get(option)
    if (!known) return failed(`unrecognized option: ${option}`)
    missingKey = known
  }
  const set = parseTemplates([{ name: 'base', text }], table)
  if (!set.ok) return failed(`failed to parse template ${text}: ${set.error[0]?.message ?? ''}`)
  const done = execute(set.value, 'base', params, { missingKey })
  if (!done.ok) return failed(`failed to execute go template ${text}: ${done.error[0]?.message ?? ''}`)
  return done
}

/** `{{ name }}` by the text under exactly this name; what is not a text stays as it was written (valyala/fasttemplate). */
function fastTemplate(text: string, params: Params): Result<string> {
  if (!/\{\{.*\}\}/.test(text)) return succeed(text)
  let out = ''
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) return succeed(out + text.slice(at))
    const close = text.indexOf('}}', open + 2)
    if (close < 0) {
      return failed(
        `invalid template: Cannot find end tag="}}" in the template=${JSON.stringify(text)} starting from ${JSON.stringify(text.slice(open + 2))}`,
      )
    }
    const tag = text.slice(open + 2, close)
    const name = tag.trim()
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    out += text.slice(at, open) + (name !== '' && typeof value === 'string' ? value : `{{${tag}}}`)
    at = close + 2
  }
}
