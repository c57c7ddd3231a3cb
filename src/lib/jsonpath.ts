import { isObject, own } from './json.ts'
import { fail, type Result, succeed } from './result.ts'

/** A compiled path: the values that it finds in a document, in order. */
export type JsonPath = (document: unknown) => readonly unknown[]

type Step = (values: readonly unknown[]) => readonly unknown[]

/** More results than these are cut. */
const MOST_RESULTS = 10_000
const LONGEST = 4_096

/**
 * Compiles the part of kubectl's JSONPath that columns and templates use: `.a.b`, `['a.b']`, `[0]`, `[-1]`, `[1:3]`, `[*]`,
 * `..a`, `[?(@.type=="Ready")]`, with or without the braces and the dollar.
 */
export function compileJsonPath(source: string): Result<JsonPath> {
  const bare = source
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .trim()
  const parser = new PathParser(bare.startsWith('$') ? bare.slice(1) : bare)
  const steps = source.length > LONGEST ? undefined : parser.parse()
  if (!steps || bare === '') {
    const because = source.length > LONGEST ? `longer than ${LONGEST} characters` : (parser.problem ?? 'it is empty')
    return fail({
      code: 'jsonpath-invalid',
      at: String(parser.at),
      message: `cannot read the JSONPath ${JSON.stringify(source.slice(0, 200))}: ${because}`,
    })
  }
  return succeed((document) => {
    let values: readonly unknown[] = [document]
    for (const step of steps) values = step(values).slice(0, MOST_RESULTS)
    return values
  })
}

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => {
      const found = isObject(value) ? own(value, name) : undefined
      return found === undefined ? [] : [found]
    })

const wildcard: Step = (values) =>
  values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : []))

function slice(from: number | undefined, to: number | undefined): Step {
  return (values) => values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]).slice(from ?? 0, to) : []))
}

const index =
  (at: number): Step =>
  (values) =>
    values.flatMap((value) => {
      const found: unknown = Array.isArray(value) ? value.at(at) : undefined
      return found === undefined ? [] : [found]
    })

/** Every value below, the value itself included, up to a depth. */
const descend: Step = (values) => {
  const found: unknown[] = []
  let level: readonly unknown[] = values
  for (let depth = 0; depth < 100 && level.length > 0 && found.length < MOST_RESULTS; depth++) {
    found.push(...level)
    level = wildcard(level).slice(0, MOST_RESULTS)
  }
  return found
}

type Comparison = '==' | '!=' | '<=' | '>=' | '<' | '>'

function compares(left: unknown, operator: Comparison, right: unknown): boolean {
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  const comparable =
    (typeof left === 'number' && typeof right === 'number') || (typeof left === 'string' && typeof right === 'string')
  if (!comparable) return false
  if (operator === '<') return left < right
  if (operator === '>') return left > right
  return operator === '<=' ? left <= right : left >= right
}

/** An operand of a filter: a path from the item at hand, or a literal. */
type Operand = (item: unknown) => unknown

class PathParser {
  at = 0
  problem: string | undefined
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  parse(): readonly Step[] | undefined {
    const steps = this.#steps(() => this.at >= this.#text.length)
    return this.problem === undefined ? steps : undefined
  }

  #fail(because: string): undefined {
    this.problem ??= because
    return undefined
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)
    if (!found) return undefined
    this.at += found[0].length
    return found[1] ?? found[0]
  }

  #steps(isDone: () => boolean): readonly Step[] {
    const steps: Step[] = []
    while (!isDone() && this.problem === undefined) {
      if (this.#match(/\.\.(?=[^.])/y) !== undefined) {
        steps.push(descend)
        if (this.#text[this.at] !== '[') this.#name(steps)
      } else if (this.#match(/\./y) !== undefined) {
        if (this.at < this.#text.length && this.#text[this.at] !== '[') this.#name(steps)
      } else if (this.#match(/\[/y) !== undefined) this.#bracket(steps)
      else if (steps.length === 0) this.#name(steps)
      else this.#fail(`unexpected ${JSON.stringify(this.#text[this.at] ?? '')}`)
    }
    return steps
  }

  #name(steps: Step[]): void {
    if (this.#match(/\*/y) !== undefined) {
      steps.push(wildcard)
      return
    }
    const name = this.#match(/(?:\\.|[^.[\]()=!<>&|\s'"?@,:*])+/y)
    if (name === undefined) this.#fail('a name is missing')
    else steps.push(field(name.replaceAll(/\\(.)/g, '$1')))
  }

  #bracket(steps: Step[]): void {
    const quoted = this.#match(/\s*'((?:\\.|[^'\\])*)'\s*\]/y) ?? this.#match(/\s*"((?:\\.|[^"\\])*)"\s*\]/y)
    if (quoted !== undefined) {
      steps.push(field(quoted.replaceAll(/\\(.)/g, '$1')))
    } else if (this.#match(/\s*\*\s*\]/y) !== undefined) steps.push(wildcard)
    else if (this.#match(/\s*\?\s*\(/y) !== undefined) this.#filter(steps)
    else this.#position(steps)
  }

  #position(steps: Step[]): void {
    const range = this.#match(/\s*(-?\d*:-?\d*)(?::\d*)?\s*\]/y)
    const one = range === undefined ? this.#match(/\s*(-?\d+)\s*\]/y) : undefined
    if (one !== undefined) steps.push(index(Number(one)))
    else if (range !== undefined) {
      const [from = '', to = ''] = range.split(':')
      steps.push(slice(from === '' ? undefined : Number(from), to === '' ? undefined : Number(to)))
    } else this.#fail('what is in the brackets is not a name, a position or a filter')
  }

  #filter(steps: Step[]): void {
    const left = this.#operand()
    const operator = this.#match(/\s*(==|!=|<=|>=|<|>)\s*/y) as Comparison | undefined
    const right = operator === undefined ? undefined : this.#operand()
    if (this.#match(/\s*\)\s*\]/y) === undefined) this.#fail("the filter has no closing ')]'")
    if (!left || (operator !== undefined && !right)) return
    const keeps = (item: unknown): boolean =>
      operator === undefined || !right ? left(item) !== undefined : compares(left(item), operator, right(item))
    steps.push((values) => values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]).filter(keeps) : [])))
  }

  #operand(): Operand | undefined {
    const text = this.#match(/\s*'((?:\\.|[^'\\])*)'/y) ?? this.#match(/\s*"((?:\\.|[^"\\])*)"/y)
    if (text !== undefined) {
      const value = text.replaceAll(/\\(.)/g, '$1')
      return () => value
    }
    const literal = this.#match(/\s*(-?\d+(?:\.\d+)?|true|false|null)(?![\w.])/y)
    if (literal !== undefined) {
      const value: unknown = JSON.parse(literal)
      return () => value
    }
    if (this.#match(/\s*@/y) === undefined) return this.#fail('a filter compares @ with something')
    const steps = this.#steps(() => /[\s)=!<>]/.test(this.#text[this.at] ?? ')'))
    return (item) => {
      let values: readonly unknown[] = [item]
      for (const step of steps) values = step(values)
      return values[0]
    }
  }
}
