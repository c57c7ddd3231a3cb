import { type Json, own } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { GovaluateError } from './error.ts'
import { type Token, tokensOf } from './lexer.ts'

/** A compiled expression. */
export interface Govaluate {
  readonly source: string
  /** The names that it reads. */
  readonly names: ReadonlySet<string>
  /** Its value for some parameters. */
  evaluate(parameters: Readonly<Record<string, Json>>): Result<Json>
}

type Evaluate = (parameters: Readonly<Record<string, Json>>) => Json

const LONGEST = 20_000
const DEEPEST = 100

/** How strongly operators bind, the weakest first; all bind to the left, but powers. */
const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>=', '=~', '!~', 'in'],
  ['&', '|', '^'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
]

/** Compiles an expression. */
export function compileGovaluate(source: string): Result<Govaluate> {
  try {
    if (source.length > LONGEST) throw new GovaluateError(`the expression is longer than ${LONGEST} characters`)
    const parser = new Parser(tokensOf(source))
    const evaluate = parser.whole()
    return succeed({
      source,
      names: parser.names,
      evaluate: (parameters) => guarded('expression-failed', source, () => evaluate(parameters)),
    })
  } catch (thrown) {
    return refused('expression-syntax', source, thrown)
  }
}

function guarded<T>(code: 'expression-failed', source: string, act: () => T): Result<T> {
  try {
    return succeed(act())
  } catch (thrown) {
    return refused(code, source, thrown)
  }
}

function refused(code: 'expression-failed' | 'expression-syntax', source: string, thrown: unknown): Result<never> {
  if (!(thrown instanceof GovaluateError)) throw thrown
  const shown = JSON.stringify(source.length > 80 ? `${source.slice(0, 77)}...` : source)
  if (code === 'expression-failed') return fail({ code: 'expression-failed', message: `${shown}: ${thrown.message}` })
  return fail({ code: 'expression-syntax', message: `${shown} is no expression: ${thrown.message}` })
}

class Parser {
  readonly names = new Set<string>()
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Evaluate {
    const evaluate = this.#choice()
    if (this.#token.kind !== 'end') throw new GovaluateError(`unexpected '${this.#token.text}'`)
    return evaluate
  }

  get #token(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' }
  }

  #take(...texts: readonly string[]): string | undefined {
    const { kind, text } = this.#token
    if (kind !== 'operator' || !texts.includes(text)) return undefined
    this.#at++
    return text
  }

  /** `a ? b : c` and `a ?? b`. */
  #choice(): Evaluate {
    if (++this.#depth > DEEPEST) throw new GovaluateError(`it nests deeper than ${DEEPEST} levels`)
    const test = this.#binary(0)
    let evaluate = test
    if (this.#take('?')) {
      const then = this.#choice()
      const otherwise = this.#take(':') ? this.#choice() : () => null
      evaluate = (parameters) => (truth(test(parameters), '?') ? then(parameters) : otherwise(parameters))
    } else if (this.#take('??')) {
      const otherwise = this.#choice()
      evaluate = (parameters) => test(parameters) ?? otherwise(parameters)
    }
    this.#depth--
    return evaluate
  }

  #binary(level: number): Evaluate {
    const operators = levels[level]
    if (!operators) return this.#prefix()
    let left = this.#binary(level + 1)
    for (let operator = this.#take(...operators); operator !== undefined; operator = this.#take(...operators)) {
      const [a, symbol] = [left, operator]
      const b = this.#binary(level + 1)
      left = operation(symbol, a, b)
    }
    return left
  }

  #prefix(): Evaluate {
    const operator = this.#take('!', '-', '~')
    if (operator === undefined) return this.#value()
    if (++this.#depth > DEEPEST) throw new GovaluateError(`it nests deeper than ${DEEPEST} levels`)
    const of = this.#prefix()
    this.#depth--
    if (operator === '!') return (parameters) => !truth(of(parameters), '!')
    if (operator === '-') return (parameters) => -number(of(parameters), '-')
    return (parameters) => ~number(of(parameters), '~')
  }

  #value(): Evaluate {
    const token = this.#token
    this.#at++
    switch (token.kind) {
      case 'number':
      case 'boolean': {
        const { value } = token
        return () => value
      }
      case 'text': {
        const value = dateSeconds(token.value) ?? token.value
        return () => value
      }
      case 'name': {
        const { text } = token
        this.names.add(text)
        return (parameters) => parameter(parameters, text)
      }
      case 'operator':
        if (token.text === '(') return this.#group()
        throw new GovaluateError(`unexpected '${token.text}'`)
      case 'end':
        throw new GovaluateError('Unexpected end of expression')
    }
  }

  /** Parentheses: one value, or a list of several. */
  #group(): Evaluate {
    if (this.#take(')')) return () => []
    const items = [this.#choice()]
    while (this.#take(',')) items.push(this.#choice())
    if (!this.#take(')')) throw new GovaluateError('Unbalanced parenthesis')
    const [only] = items
    return items.length === 1 && only ? only : (parameters) => items.map((item) => item(parameters))
  }
}

/** A parameter, or what lies in one where the name has dots. */
function parameter(parameters: Readonly<Record<string, Json>>, name: string): Json {
  const whole = own(parameters, name)
  if (whole !== undefined) return whole
  const [first = '', ...rest] = name.split('.')
  const start = own(parameters, first)
  if (start === undefined) throw new GovaluateError(`No parameter '${first}' found.`)
  return rest.reduce<Json>((value, key) => {
    const isObject = typeof value === 'object' && value !== null
    const below = isObject ? own(value as Readonly<Record<string, Json>>, key) : undefined
    if (below === undefined) throw new GovaluateError(`No method or field '${key}' present on parameter '${first}'`)
    return below
  }, start)
}

/** A text that is a date counts as seconds since 1970. */
function dateSeconds(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text)) return undefined
  const hasTime = /[T ]\d\d/.test(text)
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text.slice(10))
  const ms = Date.parse(hasTime && !hasZone ? `${text.replace(' ', 'T')}Z` : text)
  return Number.isNaN(ms) ? undefined : ms / 1000
}

const shown = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

function truth(value: Json, operator: string): boolean {
  if (typeof value === 'boolean') return value
  const kind = operator === '?' ? 'ternary' : operator === '!' ? 'prefix' : 'logical'
  throw new GovaluateError(
    `Value '${shown(value)}' cannot be used with the ${kind} operator '${operator}', it is not a bool`,
  )
}

function number(value: Json, operator: string): number {
  if (typeof value === 'number') return value
  const kind = ['<', '<=', '>', '>='].includes(operator) ? 'comparator' : 'modifier'
  throw new GovaluateError(
    `Value '${shown(value)}' cannot be used with the ${kind} operator '${operator}', it is not a number`,
  )
}

function isSame(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
}

function matches(value: Json, pattern: Json, operator: string): boolean {
  if (typeof value !== 'string' || typeof pattern !== 'string') {
    const wrong = typeof value === 'string' ? pattern : value
    throw new GovaluateError(
      `Value '${shown(wrong)}' cannot be used with the comparator '${operator}', it is not a string`,
    )
  }
  const compiled = compilePattern(pattern)
  if (!compiled.ok) throw new GovaluateError(`Unable to compile regexp pattern '${pattern}'`)
  return compiled.value.matcher(value).find()
}

function isIn(value: Json, list: Json): boolean {
  if (!Array.isArray(list))
    throw new GovaluateError(`Value '${shown(list)}' cannot be used with the comparator 'in', it is not an array`)
  return (list as readonly Json[]).some((item) => isSame(item, value))
}

function plus(a: Json, b: Json): Json {
  if (typeof a !== 'string' && typeof b !== 'string') return number(a, '+') + number(b, '+')
  const text = shown(a) + shown(b)
  if (text.length > LONGEST) throw new GovaluateError(`a text gets longer than ${LONGEST} characters`)
  return text
}

function ordered(operator: string, a: Json, b: Json): boolean {
  const areTexts = typeof a === 'string' && typeof b === 'string'
  const [left, right] = areTexts ? [a, b] : [number(a, operator), number(b, operator)]
  if (operator === '<') return left < right
  if (operator === '<=') return left <= right
  return operator === '>' ? left > right : left >= right
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
}

function operation(operator: string, a: Evaluate, b: Evaluate): Evaluate {
  switch (operator) {
    case '&&':
      return (given) => truth(a(given), '&&') && truth(b(given), '&&')
    case '||':
      return (given) => truth(a(given), '||') || truth(b(given), '||')
    case '==':
      return (given) => isSame(a(given), b(given))
    case '!=':
      return (given) => !isSame(a(given), b(given))
    case '=~':
      return (given) => matches(a(given), b(given), '=~')
    case '!~':
      return (given) => !matches(a(given), b(given), '!~')
    case 'in':
      return (given) => isIn(a(given), b(given))
    case '+':
      return (given) => plus(a(given), b(given))
    case '<':
    case '<=':
    case '>':
    case '>=':
      return (given) => ordered(operator, a(given), b(given))
    default: {
      const calculate = arithmetic[operator]
      if (!calculate) throw new GovaluateError(`unexpected '${operator}'`)
      return (given) => calculate(number(a(given), operator), number(b(given), operator))
    }
  }
}
