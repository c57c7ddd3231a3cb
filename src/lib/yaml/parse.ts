import jsYaml from 'js-yaml'
import { fail, type Problem, type Result, succeed } from '../result.ts'
import { resolvePlain, timestampOf, type YamlDialect } from './scalar.ts'
import { splitYamlDocuments } from './split.ts'

/** How a YAML text is read. */
export interface YamlOptions {
  /** `go` (the default) is sigs.k8s.io/yaml, `kyaml` is kustomize's reader. */
  readonly dialect?: YamlDialect
  /** What becomes of a key that is written twice: helm lets the last one win (the default of `go`), kustomize refuses. */
  readonly duplicates?: 'last' | 'reject'
  /** Keeps integers beyond 2^53 as bigints; otherwise they become the nearest double, as in Go's untyped JSON. */
  readonly exactIntegers?: boolean
  /** How problems call the text: a path. */
  readonly file?: string
  /** The line of the text's first line in its file, 1 when not given. */
  readonly firstLine?: number
  readonly maxDepth?: number
  readonly maxChars?: number
}

/** One document of a stream with the line on which it begins. */
export interface YamlDocument {
  readonly line: number
  readonly value: unknown
}

/** Nothing sensible nests deeper. */
const DEEPEST = 1_000
const LONGEST = 64 * 1024 * 1024
/** How many nodes aliases may expand to, beyond what the text itself holds. */
const MOST_ALIASED = 400_000

/** A scalar that JSON cannot hold or a tag that does not fit, found while js-yaml builds its value. */
class ScalarError extends Error {}

type Build = (text: string) => unknown

function schemaOf(dialect: YamlDialect, exact: boolean): jsYaml.Schema {
  const json = (value: unknown, text: string): unknown => {
    if (typeof value === 'bigint') return exact ? value : Number(value)
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new ScalarError(`${text} has no JSON form: only finite numbers have one`)
    }
    return value
  }
  const plain: Build = (text) => json(resolvePlain(text, dialect), text)
  const checked =
    (kind: string, accepts: (value: unknown) => boolean): Build =>
    (text) => {
      const value = plain(text)
      if (!accepts(value)) throw new ScalarError(`cannot decode ${JSON.stringify(text)} as a !!${kind}`)
      return value
    }
  const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint'
  const scalars: readonly (readonly [string, Build])[] = [
    ['str', (text) => text],
    ['int', checked('int', (value) => isNumber(value) && Number.isInteger(Number(value)))],
    ['float', checked('float', isNumber)],
    ['bool', checked('bool', (value) => typeof value === 'boolean')],
    ['null', checked('null', (value) => value === null)],
    ['binary', (text) => Buffer.from(text, 'base64').toString('utf8')],
    ['timestamp', (text) => (dialect === 'kyaml' ? (timestampOf(text) ?? text) : text)],
  ]
  const type = (tag: string, kind: 'scalar' | 'sequence' | 'mapping', build: Build, multi = false): jsYaml.Type =>
    new jsYaml.Type(tag, {
      kind,
      multi,
      resolve: () => true,
      construct: (data: unknown) =>
        kind === 'scalar' ? build((data as string | null) ?? '') : (data ?? (kind === 'sequence' ? [] : {})),
    })
  const merge = new jsYaml.Type('tag:yaml.org,2002:merge', {
    kind: 'scalar',
    resolve: (data: unknown) => data === '<<',
  })
  const core = 'tag:yaml.org,2002:'
  return new jsYaml.Schema({
    implicit: [merge, type('tag:idp,plain', 'scalar', plain)],
    explicit: [
      ...scalars.map(([name, build]) => type(core + name, 'scalar', build)),
      ...['seq', 'omap', 'pairs'].map((name) => type(core + name, 'sequence', plain)),
      ...['map', 'set'].map((name) => type(core + name, 'mapping', plain)),
      // Tags nobody knows say nothing about the value.
      ...(['!', 'tag:'] as const).flatMap((prefix) =>
        (['scalar', 'sequence', 'mapping'] as const).map((kind) => type(prefix, kind, (text) => text, true)),
      ),
    ],
  })
}

const schemas = new Map<string, jsYaml.Schema>()

function schemaFor(options: YamlOptions): jsYaml.Schema {
  const dialect = options.dialect ?? 'go'
  const exact = options.exactIntegers ?? false
  const name = `${dialect} ${exact}`
  const known = schemas.get(name)
  if (known) return known
  const made = schemaOf(dialect, exact)
  schemas.set(name, made)
  return made
}

/** A value without shared parts, so that nobody's change shows up twice; undefined when aliases expand to too much. */
function unshare(value: unknown, budget: { left: number }, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (--budget.left < 0 || depth > DEEPEST) throw new ScalarError('aliases expand to too much')
  if (Array.isArray(value)) return value.map((item) => unshare(item, budget, depth + 1))
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const below = unshare((value as Readonly<Record<string, unknown>>)[key], budget, depth + 1)
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: below, writable: true, enumerable: true, configurable: true })
    else copy[key] = below
  }
  return copy
}

const place = (options: YamlOptions, line: number, column?: number): string =>
  [...(options.file === undefined ? [] : [options.file]), line, ...(column === undefined ? [] : [column])].join(':')

function problemOf(cause: unknown, options: YamlOptions): Problem {
  const first = options.firstLine ?? 1
  if (cause instanceof jsYaml.YAMLException) {
    const mark = cause.mark as { readonly line: number; readonly column: number } | undefined
    const line = (mark?.line ?? 0) + first
    return {
      code: 'yaml-invalid',
      at: place(options, line, (mark?.column ?? 0) + 1),
      message: `cannot read YAML: line ${line}: ${cause.reason}`,
    }
  }
  if (cause instanceof ScalarError) {
    return { code: 'yaml-invalid', at: place(options, first), message: `cannot read YAML: ${cause.message}` }
  }
  throw cause
}

/** What js-yaml hands to listeners, as far as it is read here. */
interface ReaderState {
  readonly position: number
  readonly kind: string | null
  result: unknown
}

const BLOCK_START = /^\s*(?:#[^\n]*\n\s*)*(?:[!&]\S*\s+)*[|>]/

/**
 * js-yaml reads a text as if it ended in a line feed. In Go a block text that the end of the file cuts short has none, and
 * `toYaml` followed by `fromYaml` depends on that: this takes it away again.
 */
function unendedBlocks(text: string): (event: 'open' | 'close', state: ReaderState) => void {
  const starts: number[] = []
  return (event, state) => {
    if (event === 'open') {
      starts.push(state.position)
      return
    }
    const start = starts.pop() ?? 0
    const { kind, result } = state
    if (kind !== 'scalar' || typeof result !== 'string' || state.position < text.length) return
    if (result.endsWith('\n') && BLOCK_START.test(text.slice(start))) state.result = result.slice(0, -1)
  }
}

const NULL_KEY = /(?:^|[\n{,])[ \t]*(?:- +)*(?:~|null|Null|NULL)[ \t]*:(?:\s|$)/
const KEY_END = /^[ \t]*:(?:\s|$)/

/** Refuses a null as a key, as Go's reader does; js-yaml makes it text. */
function nullKeys(text: string): (event: 'open' | 'close', state: ReaderState) => void {
  return (event, { kind, result, position }) => {
    if (
      event === 'close' &&
      kind === 'scalar' &&
      result === null &&
      KEY_END.test(text.slice(position, position + 50))
    ) {
      throw new ScalarError('unsupported map key of type: %!s(<nil>), key: <nil>')
    }
  }
}

/** The listeners that a text needs: most need none, and reading is quicker without. */
function listenerFor(text: string): Pick<jsYaml.LoadOptions, 'listener'> {
  const listeners = [
    ...(text.endsWith('\n') ? [] : [unendedBlocks(text)]),
    ...(NULL_KEY.test(text) ? [nullKeys(text)] : []),
  ]
  if (listeners.length === 0) return {}
  return {
    listener: (event: 'open' | 'close', state: ReaderState) => listeners.forEach((listen) => listen(event, state)),
  }
}

const JSON_LIKE = /^\s*[{[]/

function parseOne(text: string, options: YamlOptions): Result<unknown> {
  const longest = options.maxChars ?? LONGEST
  if (text.length > longest) {
    const message = `cannot read YAML: ${text.length} characters are more than the limit of ${longest}`
    return fail({ code: 'yaml-too-large', at: place(options, options.firstLine ?? 1), message })
  }
  const duplicates = options.duplicates ?? (options.dialect === 'kyaml' ? 'reject' : 'last')
  try {
    if (duplicates === 'last' && !options.exactIntegers && JSON_LIKE.test(text)) {
      const quick = asJson(text, options.maxDepth ?? DEEPEST)
      if (quick !== undefined) return succeed(quick)
    }
    const value = jsYaml.loadAll(text, undefined, {
      ...listenerFor(text),
      schema: schemaFor(options),
      json: duplicates === 'last',
      maxDepth: options.maxDepth ?? DEEPEST,
      maxTotalMergeKeys: MOST_ALIASED,
    } as jsYaml.LoadOptions)[0]
    if (value === undefined || value === null) return succeed(null)
    const shared = text.includes('*') && text.includes('&')
    return succeed(shared ? unshare(value, { left: MOST_ALIASED + text.length }, 0) : value)
  } catch (cause) {
    return fail(problemOf(cause, options))
  }
}

/** JSON.parse for what is JSON already and not too deep; YAML's reader gives the error for all else. */
function asJson(text: string, maxDepth: number): unknown {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x7d || code === 0x5d) depth--
  }
  if (deepest > maxDepth) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: YAML then.
    return undefined
  }
}

/** Reads the first document of a text, as sigs.k8s.io/yaml's Unmarshal does; an empty text is null. */
export function parseYaml(text: string, options: YamlOptions = {}): Result<unknown> {
  const [first] = splitYamlDocuments(text)
  if (!first) return succeed(null)
  return parseOne(first.text, { ...options, firstLine: (options.firstLine ?? 1) + first.line - 1 })
}

/** Reads every document of a stream. Documents that hold nothing are null. */
export function parseYamlDocuments(text: string, options: YamlOptions = {}): Result<readonly YamlDocument[]> {
  const documents: YamlDocument[] = []
  for (const part of splitYamlDocuments(text)) {
    const line = (options.firstLine ?? 1) + part.line - 1
    const read = parseOne(part.text, { ...options, firstLine: line })
    if (!read.ok) return read
    documents.push({ line, value: read.value })
  }
  return succeed(documents)
}
