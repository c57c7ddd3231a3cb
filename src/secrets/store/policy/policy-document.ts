import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import { secondsOf } from '../fields.ts'
import { type HclBody, type HclItem, type HclValue, isBody, parseHcl } from './hcl.ts'
import { checkTemplate, isTemplate } from './path-template.ts'

/** What may be done at a path, as Vault names it. */
export type Capability = 'deny' | 'create' | 'read' | 'update' | 'delete' | 'list' | 'sudo' | 'patch'

const CAPABILITIES: ReadonlySet<string> = new Set([
  'deny',
  'create',
  'read',
  'update',
  'delete',
  'list',
  'sudo',
  'patch',
])

/** What `policy = "..."`, the older way to say it, stands for. */
const WORDS: ReadonlyMap<string, readonly Capability[]> = new Map([
  ['deny', ['deny']],
  ['read', ['read', 'list']],
  ['write', ['create', 'read', 'update', 'delete', 'list']],
  ['sudo', ['create', 'read', 'update', 'delete', 'list', 'sudo']],
] satisfies readonly (readonly [string, readonly Capability[]])[])

/** Parameters by name, in lower case, with the values that are meant; none means every value. */
export type Parameters = ReadonlyMap<string, readonly unknown[]>

/** What a rule says about the paths that it is for. */
export interface Permissions {
  readonly capabilities: ReadonlySet<Capability>
  readonly required: readonly string[]
  readonly allowed?: Parameters
  readonly denied?: Parameters
  readonly minWrapSeconds: number
  readonly maxWrapSeconds: number
}

/** One `path` block, its path as written but without a leading slash. */
export interface PathRule {
  readonly path: string
  readonly permissions: Permissions
}

/** A policy, read. */
export interface PolicyDocument {
  readonly rules: readonly PathRule[]
  /** Whether some path depends on who asks. */
  readonly isTemplated: boolean
}

const MOST_RULES = 10_000

/** Reads a policy, in HCL or JSON. Everything that is not a policy is refused with its place. */
export function parsePolicy(text: string): Result<PolicyDocument> {
  const parsed = parseHcl(text)
  if (!parsed.ok) return parsed
  const rules: PathRule[] = []
  for (const item of parsed.value.items) {
    if (item.name === 'name') continue
    if (item.name !== 'path') return wrong(item.line, `invalid key "${item.name}"`)
    const blocks = pathBlocks(item)
    if (!blocks.ok) return blocks
    for (const [path, body] of blocks.value) {
      const rule = pathRule(path, body, item.line)
      if (!rule.ok) return rule
      rules.push(rule.value)
    }
    if (rules.length > MOST_RULES) return wrong(item.line, `more than ${MOST_RULES} paths`)
  }
  return succeed({ rules, isTemplated: rules.some(({ path }) => isTemplate(path)) })
}

const wrong = (line: number, what: string): { readonly ok: false; readonly error: readonly Problem[] } =>
  fail({ code: 'secret-policy-invalid', at: `line ${line}`, message: `failed to parse policy: ${what}` })

/** `path "a" { }`, or as JSON has it: `"path": { "a": { } }` and lists of those. */
function pathBlocks({ labels, value, line }: HclItem): Result<readonly (readonly [string, HclBody])[]> {
  const [path] = labels
  if (labels.length > 1) return wrong(line, 'a path block has one path')
  if (path !== undefined) {
    const body = Array.isArray(value) && value.length === 1 ? (value as readonly HclValue[])[0] : value
    return body !== undefined && isBody(body) ? succeed([[path, body]]) : wrong(line, `path "${path}" needs a block`)
  }
  const groups: readonly HclValue[] = Array.isArray(value) ? (value as readonly HclValue[]) : [value]
  const blocks: (readonly [string, HclBody])[] = []
  for (const group of groups) {
    if (!isBody(group)) return wrong(line, 'path needs a block')
    for (const item of group.items) {
      const inner = pathBlocks({ ...item, labels: [item.name, ...item.labels] })
      if (!inner.ok) return inner
      blocks.push(...inner.value)
    }
  }
  return succeed(blocks)
}

/** Keys that are read but change nothing here. */
const UNUSED: ReadonlySet<string> = new Set([
  'comment',
  'mfa_methods',
  'control_group',
  'pagination_limit',
  'expiration',
])

/** A rule while it is read. */
interface Draft {
  readonly capabilities: Set<Capability>
  required: readonly string[]
  allowed?: Parameters
  denied?: Parameters
  min: number
  max: number
}

function pathRule(written: string, { items }: HclBody, blockLine: number): Result<PathRule> {
  const path = written.startsWith('/') ? written.slice(1) : written
  if (path.includes('+*')) return wrong(blockLine, `path "${path}": invalid use of wildcards ('+*' is forbidden)`)
  const template = checkTemplate(path)
  if (template !== undefined) return wrong(blockLine, `path "${path}": ${template}`)
  const draft: Draft = { capabilities: new Set(), required: [], min: 0, max: 0 }
  const seen = new Set<string>()
  for (const { name, value, line } of items) {
    const problem = seen.has(name) ? `"${name}" was set before` : readItem(name, value, draft)
    if (problem !== undefined) return wrong(line, `path "${path}": ${problem}`)
    seen.add(name)
  }
  const { capabilities, required, allowed, denied, min, max } = draft
  if (max !== 0 && max < min) return wrong(blockLine, 'max_wrapping_ttl cannot be less than min_wrapping_ttl')
  const permissions: Permissions = {
    // Who denies, denies everything.
    capabilities: capabilities.has('deny') ? new Set(['deny']) : capabilities,
    required,
    ...(allowed ? { allowed } : {}),
    ...(denied ? { denied } : {}),
    minWrapSeconds: min,
    maxWrapSeconds: max,
  }
  return succeed({ path, permissions })
}

/** Reads one item of a rule into the draft; answers what is wrong with it. */
function readItem(name: string, value: HclValue, draft: Draft): string | undefined {
  switch (name) {
    case 'capabilities':
    case 'policy':
      return addCapabilities(name, value, draft.capabilities)
    case 'allowed_parameters':
    case 'denied_parameters': {
      const parameters = parametersOf(value)
      if (!parameters) return `"${name}" has lists of values by parameter`
      draft[name === 'allowed_parameters' ? 'allowed' : 'denied'] = parameters
      return undefined
    }
    case 'required_parameters': {
      const required = textsOf(value)
      if (!required) return `"${name}" is a list of names`
      draft.required = required.map((one) => one.toLowerCase())
      return undefined
    }
    case 'min_wrapping_ttl':
    case 'max_wrapping_ttl': {
      const seconds = secondsOf(value)
      if (seconds === undefined || seconds < 0) return `error parsing ${name}`
      draft[name === 'min_wrapping_ttl' ? 'min' : 'max'] = seconds
      return undefined
    }
    default:
      return UNUSED.has(name) ? undefined : `invalid key "${name}"`
  }
}

/** Adds what the value says; answers what is wrong with it. */
function addCapabilities(name: string, value: HclValue, to: Set<Capability>): string | undefined {
  if (name === 'policy') {
    const meant = typeof value === 'string' ? WORDS.get(value) : undefined
    if (!meant) return `invalid policy ${JSON.stringify(value)}`
    for (const one of meant) to.add(one)
    return undefined
  }
  const texts = textsOf(value)
  if (!texts) return '"capabilities" is a list of strings'
  for (const text of texts) {
    if (!CAPABILITIES.has(text)) return `invalid capability "${text}"`
    to.add(text as Capability) // the line above says so
  }
  return undefined
}

function textsOf(value: HclValue): readonly string[] | undefined {
  const items = typeof value === 'string' ? [value] : Array.isArray(value) ? (value as readonly HclValue[]) : undefined
  return items?.every((item): item is string => typeof item === 'string') ? items : undefined
}

function parametersOf(value: HclValue): Parameters | undefined {
  if (!isBody(value)) return undefined
  const parameters = new Map<string, readonly unknown[]>()
  for (const item of value.items) {
    const values: readonly HclValue[] = Array.isArray(item.value) ? (item.value as readonly HclValue[]) : [item.value]
    parameters.set(item.name.toLowerCase(), values.map(plain))
  }
  return parameters
}

/** The value as JSON has it, to be compared with what requests bring. */
function plain(value: HclValue): unknown {
  if (isBody(value)) return Object.fromEntries(value.items.map((item) => [item.name, plain(item.value)]))
  return Array.isArray(value) ? (value as readonly HclValue[]).map(plain) : value
}
