import { isObject, setOwn } from '../../../lib/json.ts'
import { RuleFailure } from '../evaluation.ts'
import { parseAnchor } from '../pattern/anchor.ts'
import { goJson } from './go-json.ts'
import { hasReference, resolveReferences } from './reference.ts'

/** What a template asks while it is filled. */
export interface Filling {
  /** The value of an expression. */
  query(expression: string): unknown
  /** Pays for a substitution and the text that it made. */
  charge(steps: number, text: number): void
  /** A deletion has no new object: its variables read the old one. */
  readonly isDelete: boolean
  /** What `{{ @ }}` is relative to. */
  readonly self: 'request.object' | 'target'
}

/** A document with variables, read once: `fill` gives it with their values. */
export interface Template {
  readonly isConstant: boolean
  /** The document as it was written. */
  readonly source: unknown
  fill(filling: Filling): unknown
}

/** Variables in a text; what is nested deepest is found first. */
export const VARIABLE: RegExp = /(^|[^\\])(\{\{(?:\{[^{}]*\}|[^{}])*\}\})/g

/** Tells whether a text holds a variable. */
export const hasVariable = (text: string): boolean => text.includes('{{')

/** Reads a document; the same one is read once. */
export function templateOf(document: unknown): Template {
  if (typeof document !== 'object' || document === null) return build(document)
  let known = cache.get(document)
  if (!known) cache.set(document, (known = build(document)))
  return known
}

const cache = new WeakMap<object, Template>()

function build(document: unknown): Template {
  const fill = compile(document, '', document)
  if (!fill) return { isConstant: true, source: document, fill: () => document }
  return { isConstant: false, source: document, fill }
}

type Fill = (filling: Filling) => unknown

/** Undefined where nothing has to be filled in. */
function compile(value: unknown, path: string, document: unknown): Fill | undefined {
  if (typeof value === 'string') return compileText(value, path, document)
  if (Array.isArray(value)) {
    const fills = value.map((item, index) => compile(item, `${path}/${index}`, document))
    if (fills.every((fill) => fill === undefined)) return undefined
    return (filling) => value.map((item: unknown, index) => fills[index]?.(filling) ?? (fills[index] ? null : item))
  }
  return isObject(value) ? compileMap(value, path, document) : undefined
}

interface Entry {
  readonly key: string
  readonly fillKey: Fill | undefined
  readonly value: unknown
  readonly fillValue: Fill | undefined
}

function compileMap(map: Readonly<Record<string, unknown>>, path: string, document: unknown): Fill | undefined {
  const entries = Object.entries(map).map(([key, value]): Entry => ({
    key,
    fillKey: compileText(key, path, document),
    value,
    fillValue: compile(value, `${path}/${key.replaceAll('/', '\\/')}`, document),
  }))
  if (entries.every(({ fillKey, fillValue }) => !fillKey && !fillValue)) return undefined
  return (filling) => {
    const filled: Record<string, unknown> = {}
    for (const { key, fillKey, value, fillValue } of entries) {
      const name = fillKey ? fillKey(filling) : key
      if (typeof name !== 'string') {
        throw new RuleFailure('invalid', `the key ${JSON.stringify(key)} at ${path || '/'} must become a text`)
      }
      setOwn(filled, name, fillValue ? fillValue(filling) : value)
    }
    return filled
  }
}

function compileText(text: string, path: string, document: unknown): Fill | undefined {
  const isVariable = hasVariable(text)
  if (!hasReference(text)) return isVariable ? (filling) => fillText(text, path, filling) : undefined
  return (filling) => {
    const resolved = resolveReferences(text, path, document)
    return hasVariable(resolved) ? fillText(resolved, path, filling) : resolved
  }
}

/** Far more than any text has; values may hold variables themselves, so the number of turns is not known beforehand. */
const MOST_TURNS = 200
const LONGEST_TEXT = 4 * 1024 * 1024

function fillText(text: string, path: string, filling: Filling): unknown {
  let value = text
  for (let turn = 0; ; turn++) {
    const found = [...value.matchAll(VARIABLE)]
    if (found.length === 0) break
    if (turn >= MOST_TURNS) {
      throw new RuleFailure('over-budget', `the variables at ${path || '/'} bring forth new ones without end`)
    }
    const before = value
    let isShallow = false
    for (const [, prefix = '', braces = ''] of found) {
      const variable = readBraces(braces)
      isShallow = variable.isShallow
      let substitute = filling.query(expressionOf(variable.expression, path, filling))
      if (before === braces) return substitute
      if (isShallow && typeof substitute === 'string') substitute = substitute.replaceAll('{{', '\\{{')
      const made = typeof substitute === 'string' ? substitute : goJson(substitute)
      value = value.replace(prefix + braces, () => prefix + made)
      filling.charge(1, value.length)
      if (value.length > LONGEST_TEXT) {
        throw new RuleFailure('over-budget', `the text at ${path || '/'} grows beyond ${LONGEST_TEXT} characters`)
      }
    }
    if (isShallow) break
  }
  return value.replaceAll('\\{{', '{{')
}

/** The expression between braces; after a dash, the value is not looked through for variables. */
export function readBraces(braces: string): { readonly expression: string; readonly isShallow: boolean } {
  const inside = braces.replaceAll('{{', '').replaceAll('}}', '').trim()
  return inside.startsWith('-')
    ? { expression: inside.slice(1).trim(), isShallow: true }
    : { expression: inside, isShallow: false }
}

function expressionOf(written: string, path: string, { isDelete, self }: Filling): string {
  const expression = written === '@' ? selfPath(self, path) : written
  return isDelete ? expression.replaceAll('request.object', 'request.oldObject') : expression
}

/** The path of the text itself as an expression. */
function selfPath(self: string, path: string): string {
  const parts = path
    .split(/(?<!\\)\//)
    .slice(1)
    .map((part) => parseAnchor(part)?.key ?? part)
  const below = parts.map((part) => {
    if (/^\d+$/.test(part)) return `[${part}]`
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(part) ? `.${part}` : `.${JSON.stringify(part.replaceAll('\\/', '/'))}`
  })
  return self + below.join('')
}
