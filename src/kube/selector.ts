import { fail, type Problem, type Result, succeed } from '../lib/result.ts'
import { own } from '../lib/json.ts'
import { checkLabelValue, checkQualifiedName } from './names.ts'

/** One condition on a label. */
export type Requirement =
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: ReadonlySet<string> }
  | { readonly key: string; readonly operator: 'exists' | 'absent' }
  | { readonly key: string; readonly operator: 'above' | 'below'; readonly than: number }

/** All requirements must hold; none means everything. */
export type LabelSelector = readonly Requirement[]

type Labels = Readonly<Record<string, string>> | undefined

/** Tells whether labels satisfy every requirement. */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  for (const requirement of selector) {
    if (!holds(requirement, labels ? own(labels, requirement.key) : undefined)) return false
  }
  return true
}

function holds(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'in':
      return value !== undefined && requirement.values.has(value)
    case 'notin':
      return value === undefined || !requirement.values.has(value)
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    case 'above':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) > requirement.than
    case 'below':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) < requirement.than
  }
}

/** The `matchLabels` / `matchExpressions` form that objects carry. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

const objectOperators: ReadonlyMap<string, 'in' | 'notin' | 'exists' | 'absent'> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', 'absent'],
])

/** Compiles the form that objects carry. An absent selector matches nothing, an empty one everything: the caller tells them apart. */
export function compileSelector(selector: LabelSelectorObject, at: string = 'selector'): Result<LabelSelector> {
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'in',
    values: new Set([value]),
  }))
  const problems: Problem[] = []
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const place = `${at}.matchExpressions[${index}]`
    const known = objectOperators.get(operator)
    if (!known) {
      problems.push({
        code: 'selector-invalid',
        at: `${place}.operator`,
        message: `${JSON.stringify(operator)} is not one of In, NotIn, Exists, DoesNotExist`,
      })
    } else if (known === 'in' || known === 'notin') {
      if (values.length === 0)
        problems.push({
          code: 'selector-invalid',
          at: `${place}.values`,
          message: `must be specified when the operator is ${operator}`,
        })
      requirements.push({ key, operator: known, values: new Set(values) })
    } else {
      if (values.length > 0)
        problems.push({
          code: 'selector-invalid',
          at: `${place}.values`,
          message: `may not be specified when the operator is ${operator}`,
        })
      requirements.push({ key, operator: known })
    }
  }
  return problems.length > 0 ? fail(...problems) : succeed(requirements)
}

const TOKEN = /\s*(?:(==|!=|=|!|,|\(|\)|>|<)|([^\s,=!()<>]+))/y

function tokens(text: string): readonly string[] | undefined {
  const found: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text)
    if (!token) return undefined
    found.push(token[1] ?? token[2] ?? '')
  }
  return found
}

const OPERATORS = new Set(['=', '==', '!=', '!', ',', '(', ')', '>', '<'])

/** Reads `a=b,c!=d,e in (x, y),f notin (z),g,!h,i>5`: the text form of requests and flags. */
export function parseLabelSelector(text: string): Result<LabelSelector> {
  const words = tokens(text.trim())
  if (!words) return malformed(text, 'unexpected character')
  const requirements: Requirement[] = []
  let at = 0
  while (at < words.length) {
    const parsed = parseRequirement(words, at)
    if (typeof parsed === 'string') return malformed(text, parsed)
    const problem = refusalOf(parsed.requirement)
    if (problem) return malformed(text, problem)
    requirements.push(parsed.requirement)
    at = parsed.next
    if (at === words.length) break
    if (words[at] !== ',') return malformed(text, `found ${JSON.stringify(words[at])}, expected ','`)
    at++
    if (at === words.length) return malformed(text, 'nothing follows the last comma')
  }
  return succeed(requirements)
}

const malformed = (text: string, because: string): Result<LabelSelector> =>
  fail({
    code: 'selector-invalid',
    message: `unable to parse the label selector ${JSON.stringify(text.slice(0, 300))}: ${because}`,
  })

interface ParsedRequirement {
  readonly requirement: Requirement
  readonly next: number
}

function parseRequirement(words: readonly string[], start: number): ParsedRequirement | string {
  const negated = words[start] === '!'
  const keyAt = negated ? start + 1 : start
  const key = words[keyAt]
  if (key === undefined || OPERATORS.has(key)) return `found ${JSON.stringify(key ?? '')}, expected a key`
  const operator = words[keyAt + 1]
  if (negated) return { requirement: { key, operator: 'absent' }, next: keyAt + 1 }
  if (operator === undefined || operator === ',') return { requirement: { key, operator: 'exists' }, next: keyAt + 1 }
  if (operator === 'in' || operator === 'notin') return parseSet(words, key, operator, keyAt + 2)
  const following = words[keyAt + 2]
  const hasValue = following !== undefined && !OPERATORS.has(following)
  const value = hasValue ? following : ''
  const next = keyAt + (hasValue ? 3 : 2)
  switch (operator) {
    case '=':
    case '==':
      return { requirement: { key, operator: 'in', values: new Set([value]) }, next }
    case '!=':
      return { requirement: { key, operator: 'notin', values: new Set([value]) }, next }
    case '>':
    case '<':
      if (!/^-?\d+$/.test(value)) return `the value after ${operator} must be an integer`
      return { requirement: { key, operator: operator === '>' ? 'above' : 'below', than: Number(value) }, next }
    default:
      return `found ${JSON.stringify(operator)}, expected one of =, ==, !=, in, notin, >, <`
  }
}

function parseSet(
  words: readonly string[],
  key: string,
  operator: 'in' | 'notin',
  start: number,
): ParsedRequirement | string {
  if (words[start] !== '(') return `found ${JSON.stringify(words[start] ?? '')}, expected '('`
  const values = new Set<string>()
  let pending = ''
  for (let at = start + 1; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === ')') return { requirement: { key, operator, values: values.add(pending) }, next: at + 1 }
    if (word === ',') {
      values.add(pending)
      pending = ''
    } else if (OPERATORS.has(word)) return `found ${JSON.stringify(word)}, expected a value`
    else pending = word
  }
  return "the list of values has no closing ')'"
}

function refusalOf(requirement: Requirement): string | undefined {
  const [keyProblem] = checkQualifiedName(requirement.key)
  if (keyProblem) return `key ${JSON.stringify(requirement.key)}: ${keyProblem}`
  if (requirement.operator !== 'in' && requirement.operator !== 'notin') return undefined
  for (const value of requirement.values) {
    const [valueProblem] = checkLabelValue(value)
    if (valueProblem) return `value ${JSON.stringify(value)}: ${valueProblem}`
  }
  return undefined
}

/** Prints a selector so that parsing it gives the same again. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector.map(formatRequirement).join(',')
}

function formatRequirement(requirement: Requirement): string {
  const { key } = requirement
  switch (requirement.operator) {
    case 'exists':
      return key
    case 'absent':
      return `!${key}`
    case 'above':
      return `${key}>${requirement.than}`
    case 'below':
      return `${key}<${requirement.than}`
    case 'in':
    case 'notin': {
      const [only, ...more] = [...requirement.values].toSorted()
      if (more.length === 0) return `${key}${requirement.operator === 'in' ? '=' : '!='}${only ?? ''}`
      return `${key} ${requirement.operator} (${[only, ...more].join(',')})`
    }
  }
}

/** One condition of a field selector. */
export interface FieldRequirement {
  readonly field: string
  readonly isEqual: boolean
  readonly value: string
}

/** Reads `metadata.name=a,status.phase!=Running`; `\,`, `\=` and `\\` are escapes. */
export function parseFieldSelector(text: string): Result<readonly FieldRequirement[]> {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const found = /^((?:[^\\=!]|\\.)+)(==|!=|=)((?:[^\\]|\\.)*)$/s.exec(term)
    if (!found)
      return fail({
        code: 'selector-invalid',
        message: `invalid field selector term ${JSON.stringify(term.slice(0, 300))}: can't understand it`,
      })
    const [, field = '', operator = '', value = ''] = found
    requirements.push({ field, isEqual: operator !== '!=', value: value.replace(/\\([\\,=])/g, '$1') })
  }
  return succeed(requirements)
}

function splitTerms(text: string): readonly string[] {
  const terms: string[] = []
  let term = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') {
      term += character + text.charAt(++at)
    } else if (character === ',') {
      terms.push(term)
      term = ''
    } else term += character
  }
  terms.push(term)
  return terms
}

/** Tells whether an object's selectable fields satisfy every requirement; a field it does not have reads as ''. */
export function matchesFields(
  selector: readonly FieldRequirement[],
  fieldOf: (field: string) => string | undefined,
): boolean {
  return selector.every(({ field, isEqual, value }) => ((fieldOf(field) ?? '') === value) === isEqual)
}
