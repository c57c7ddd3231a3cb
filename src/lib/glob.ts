import { compilePattern, type Pattern } from './re2.ts'
import { fail, type Result, succeed } from './result.ts'

/** Tells whether a path or name matches. */
export type GlobMatcher = (path: string) => boolean

/** The languages of the projects we follow; they differ in what a star stands for and in what they know beside it. */
export type GlobDialect =
  /** Go's filepath.Match: a star stops at a slash, no braces, no double star. */
  | 'path'
  /** gobwas without separators, as Argo CD's include and exclude: a star takes slashes too. */
  | 'gobwas'
  /** gobwas with the slash as separator, as helm's .Files.Glob: a star stops at a slash, two do not. */
  | 'gobwas-path'
  /** bmatcuk/doublestar: a star stops at a slash, a double star between slashes takes any folders, braces nest. */
  | 'doublestar'

const LITERAL = /[\\^$.*+?()[\]{}|]/g
const quote = (char: string): string => char.replace(LITERAL, '\\$&')

class GlobError extends Error {}

/** Translates a glob into a RE2 pattern, so that no pattern can take more than linear time. */
class Translator {
  private readonly glob: readonly string[]
  private readonly dialect: GlobDialect
  private at = 0
  private depth = 0
  constructor(glob: string, dialect: GlobDialect) {
    this.glob = Array.from(glob)
    this.dialect = dialect
  }

  pattern(): string {
    let out = ''
    while (this.at < this.glob.length) out += this.part()
    if (this.depth > 0) throw new GlobError('a brace is not closed')
    return `(?s)^(?:${out})$`
  }

  private get any(): string {
    return this.dialect === 'gobwas' ? '.' : '[^/]'
  }

  private part(): string {
    const char = this.glob[this.at++] ?? ''
    switch (char) {
      case '*':
        return this.star()
      case '?':
        return this.any
      case '[':
        return this.range()
      case '\\': {
        const next = this.glob[this.at++]
        if (next === undefined) throw new GlobError('it ends in a backslash')
        return quote(next)
      }
      case '{':
        if (this.dialect === 'path') return quote(char)
        this.depth++
        return '(?:'
      case '}':
        if (this.dialect === 'path' || this.depth === 0) return quote(char)
        this.depth--
        return ')'
      case ',':
        return this.depth > 0 ? '|' : char
      default:
        return quote(char)
    }
  }

  private star(): string {
    const from = this.at - 1
    while (this.glob[this.at] === '*') this.at++
    const stars = this.at - from
    if (stars === 1 || this.dialect === 'path') return `${this.any}*`
    if (this.dialect !== 'doublestar') return '.*'
    const before = this.glob[from - 1]
    const after = this.glob[this.at]
    const opens = before === undefined || before === '/' || (this.depth > 0 && (before === '{' || before === ','))
    if (!opens || (after !== undefined && after !== '/')) return '[^/]*'
    if (after === undefined) return '.*'
    this.at++
    return '(?:.*/)?'
  }

  private range(): string {
    const negated = this.glob[this.at] === '^' || (this.glob[this.at] === '!' && this.dialect !== 'path')
    if (negated) this.at++
    let inside = ''
    for (let first = true; first || this.glob[this.at] !== ']'; first = false) {
      const low = this.rangeChar()
      inside += low
      if (this.glob[this.at] === '-' && this.glob[this.at + 1] !== ']') {
        this.at++
        inside += `-${this.rangeChar()}`
      }
    }
    this.at++
    return `[${negated ? '^' : ''}${inside}${negated && this.dialect !== 'gobwas' ? '/' : ''}]`
  }

  private rangeChar(): string {
    let char = this.glob[this.at++]
    if (char === '\\') char = this.glob[this.at++]
    if (char === undefined) throw new GlobError('a bracket is not closed')
    return /[\\^\][-]/.test(char) ? `\\${char}` : char
  }
}

const cache = new Map<string, Result<GlobMatcher>>()
const CACHE_LIMIT = 1_000
const LONGEST = 10_000

/** Compiles a glob; the same one is compiled once. */
export function compileGlob(glob: string, dialect: GlobDialect): Result<GlobMatcher> {
  const name = `${dialect} ${glob}`
  const known = cache.get(name)
  if (known) return known
  const compiled = compile(glob, dialect)
  if (cache.size >= CACHE_LIMIT) cache.clear()
  cache.set(name, compiled)
  return compiled
}

function compile(glob: string, dialect: GlobDialect): Result<GlobMatcher> {
  const refuse = (because: string): Result<GlobMatcher> =>
    fail({ code: 'glob-invalid', message: `cannot compile the glob ${JSON.stringify(glob.slice(0, 100))}: ${because}` })
  if (glob.length > LONGEST) return refuse(`it has more than ${LONGEST} characters`)
  let pattern: Result<Pattern>
  try {
    pattern = compilePattern(new Translator(glob, dialect).pattern())
  } catch (cause) {
    if (cause instanceof GlobError) return refuse(cause.message)
    throw cause
  }
  if (!pattern.ok) return refuse('a range runs backwards')
  const { value } = pattern
  return succeed((path) => value.testExact(path))
}
