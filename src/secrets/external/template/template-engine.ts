import { sprigFunctions, type SprigPorts } from '../../../lang/gotemplate/sprig/sprig.ts'
import { execute, parseTemplates } from '../../../lang/gotemplate/template-set.ts'
import type { FunctionTable } from '../../../lang/gotemplate/function.ts'
import { setOwn } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { helmFunctions } from '../../../render/helm/functions.ts'
import { decodeValue, type SecretData } from '../data/decode.ts'
import { failed, type Fetched, within } from '../data/trouble.ts'
import { certificateFunctions } from './certificate-functions.ts'
import { pkcs12Functions } from './pkcs12-functions.ts'

/** Renders texts with the functions of External Secrets' templates. Failures never hold a value. */
export interface TemplateEngine {
  /** The text for data, whose keys are what the template sees. A key that is not there is an error. */
  render(name: string, text: string, data: SecretData): Fetched<string>
  /** Keys and values from a template that renders a YAML map of texts. */
  renderMap(text: string, data: SecretData, decodingStrategy: string): Fetched<SecretData>
  /** The text for any tree of texts; a key that is not there is `<no value>`. */
  renderWith(name: string, text: string, data: ReadonlyMap<string, SecretData | string>): Fetched<string>
}

/** What templates must not learn: the surroundings of this process, and the network. */
const LEFT_OUT: readonly string[] = ['env', 'expandenv', 'getHostByName']
const BUDGET = { steps: 1_000_000, characters: 8 * 1024 * 1024, items: 1_000_000 }
const LONGEST_NAME = 60

/** Sprig without what it shows of this process, YAML as Helm has it, and what takes certificates and keys apart. */
export function templateFunctions(ports: SprigPorts): FunctionTable {
  const sprig = Object.entries(sprigFunctions(ports)).filter(([name]) => !LEFT_OUT.includes(name))
  const helm = helmFunctions(3, ports)
  const { toYaml, fromYaml } = helm
  if (!toYaml || !fromYaml) throw new Error('the functions of Helm have no toYaml and fromYaml')
  return { ...Object.fromEntries(sprig), toYaml, fromYaml, ...certificateFunctions, ...pkcs12Functions(ports.ids) }
}

/** Makes an engine; keep it, because compiled templates are kept by it. */
export function templateEngine(ports: SprigPorts): TemplateEngine {
  const functions = templateFunctions(ports)
  const run = (name: string, text: string, data: unknown, missingKey: 'error' | 'default'): Fetched<string> => {
    // A literal template is its own name; it may be long.
    const called = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name
    const parsed = parseTemplates([{ name: called, text }], functions)
    if (!parsed.ok) return failed(`unable to parse template at key ${called}: ${parsed.error[0]?.message ?? ''}`)
    const made = execute(parsed.value, called, data, { missingKey, budget: BUDGET, keepsBytes: true })
    if (made.ok) return made
    return failed(`unable to execute template at key ${called}: ${withoutValues(made.error[0]?.message ?? '')}`)
  }
  const engine: TemplateEngine = {
    render: (name, text, data) => run(name, text, asObject(data), 'error'),
    renderWith: (name, text, data) => run(name, text, asObject(data), 'default'),
    renderMap(text, data, decodingStrategy) {
      const rendered = engine.render(text, text, data)
      if (!rendered.ok) return rendered
      const read = textsOfYaml(rendered.value)
      if (!read.ok) return read
      const decoded = new Map<string, string>()
      for (const [key, value] of read.value) {
        const one = decodeValue(decodingStrategy, value)
        if (!one.ok) return within(`failed to decode rendered template value for key ${key}`, one.error)
        decoded.set(key, one.value)
      }
      return succeed(decoded)
    },
  }
  return engine
}

function asObject(data: ReadonlyMap<string, SecretData | string>): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of data) setOwn<unknown>(object, key, typeof value === 'string' ? value : asObject(value))
  return object
}

/** Functions whose own messages hold nothing of what they were given. */
const TELLING = /^(?:b64dec|b32dec|pkcs12|pemTo|fullPem|pemTrust|filter|certSANs|jwk|rsaDecrypt)/

/**
 * A message of the template engine without what a function said of its arguments: `toDate`, `fail` and others quote
 * them, and they may be secrets.
 */
function withoutValues(message: string): string {
  const found = /^(.*?error calling ([A-Za-z0-9_]+)): /s.exec(message)
  if (!found || TELLING.test(found[2] ?? '')) return message
  return `${found[1]} (what it said is left out, because it may hold a value)`
}

/** A YAML map as texts: scalars become texts, everything deeper is refused. What was read is never told. */
function textsOfYaml(text: string): Fetched<SecretData> {
  const read = parseYaml(text)
  const refused = failed('the template does not render a YAML map whose values are texts')
  if (!read.ok) return refused
  if (read.value === null || read.value === undefined) return succeed(new Map())
  if (typeof read.value !== 'object' || Array.isArray(read.value)) return refused
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(read.value)) {
    if (typeof value === 'object' && value !== null) return refused
    texts.set(key, value === null || value === undefined ? '' : String(value))
  }
  return succeed(texts)
}
