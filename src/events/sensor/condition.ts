import { fail, type Result, succeed } from '../../lib/result.ts'

/** When a trigger fires, as a question about which of its dependencies have an event. */
export interface Condition {
  readonly source: string
  /** The dependencies that it reads, in the order of the Sensor. */
  readonly names: readonly string[]
  /** Any one event is enough: nothing has to be held. */
  readonly isImmediate: boolean
  holds(has: (name: string) => boolean): boolean
}

type Holds = (has: (name: string) => boolean) => boolean

class ConditionError extends Error {}

const LONGEST = 20_000
const DEEPEST = 100
/** Up to so many dependencies every combination is tried. */
const TRIED = 12

/** Every dependency has to have an event, where nothing else is said. */
export function everyDependency(names: readonly string[]): Condition {
  return {
    source: names.join(' && '),
    names,
    isImmediate: names.length < 2,
    holds: (has) => names.every(has),
  }
}

/** Compiles `(a || b) && !c` over the names of dependencies, which may hold dashes. Refuses what can never hold. */
export function compileCondition(source: string, dependencies: readonly string[]): Result<Condition> {
  const refused = (message: string): Result<Condition> =>
    fail({
      code: 'sensor-condition-invalid',
      message: `${JSON.stringify(source.slice(0, 200))} is no condition: ${message}`,
      cure: 'write names of dependencies joined by &&, ||, ! and parentheses',
    })
  try {
    if (source.length > LONGEST) throw new ConditionError(`it is longer than ${LONGEST} characters`)
    const parser = new Parser(tokensOf(source), new Set(dependencies))
    const holds = parser.whole()
    const names = dependencies.filter((name) => parser.names.has(name))
    if (names.length <= TRIED && !canHold(holds, names))
      return refused('no combination of events can ever make it true, so that its trigger would never fire')
    // Upstream asks the same of the text: without && there is nothing to wait for.
    return succeed({ source, names, isImmediate: !/[&!]/.test(source), holds })
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    return refused(error.message)
  }
}

/** Whether it holds for some events that arrived, one of them just now. */
function canHold(holds: Holds, names: readonly string[]): boolean {
  for (let chosen = 1; chosen < 2 ** names.length; chosen++) {
    const has = new Set(names.filter((_, at) => (chosen >> at) & 1))
    if (holds((name) => has.has(name))) return true
  }
  return false
}

interface Token {
  readonly text: string
  readonly at: number
  readonly isName: boolean
}

const TOKEN = /\s*(&&|\|\||[!()]|[^\s&|!()]+)/y

function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = []
  const end = source.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex
    const text = TOKEN.exec(source)?.[1]
    if (text === undefined) {
      const at = from + (/\S/.exec(source.slice(from))?.index ?? 0)
      throw new ConditionError(`unexpected ${JSON.stringify(source[at])} at position ${at + 1}`)
    }
    tokens.push({ text, at: TOKEN.lastIndex - text.length + 1, isName: !/^[&|!()]/.test(text) })
  }
  return tokens
}

class Parser {
  readonly names = new Set<string>()
  readonly #tokens: readonly Token[]
  readonly #known: ReadonlySet<string>
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], known: ReadonlySet<string>) {
    this.#tokens = tokens
    this.#known = known
  }

  whole(): Holds {
    const holds = this.#either()
    const rest = this.#tokens[this.#at]
    if (rest) throw unexpected(rest)
    return holds
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (!token || token.isName || token.text !== text) return false
    this.#at++
    return true
  }

  #either(): Holds {
    let left = this.#both()
    while (this.#take('||')) {
      const [a, b] = [left, this.#both()]
      left = (has) => a(has) || b(has)
    }
    return left
  }

  #both(): Holds {
    let left = this.#one()
    while (this.#take('&&')) {
      const [a, b] = [left, this.#one()]
      left = (has) => a(has) && b(has)
    }
    return left
  }

  #one(): Holds {
    if (++this.#depth > DEEPEST) throw new ConditionError(`it nests deeper than ${DEEPEST} levels`)
    const holds = this.#take('!') ? this.#negated() : this.#take('(') ? this.#group() : this.#name()
    this.#depth--
    return holds
  }

  #negated(): Holds {
    const of = this.#one()
    return (has) => !of(has)
  }

  #group(): Holds {
    const inner = this.#either()
    if (!this.#take(')')) throw this.#missing("')'")
    return inner
  }

  #name(): Holds {
    const token = this.#tokens[this.#at]
    if (!token) throw this.#missing('the name of a dependency')
    if (!token.isName) throw unexpected(token)
    const { text, at } = token
    if (!this.#known.has(text)) {
      const known = [...this.#known].map((name) => JSON.stringify(name)).join(', ')
      throw new ConditionError(
        `${JSON.stringify(text)} at position ${at} is not the name of a dependency (there is ${known || 'none'})`,
      )
    }
    this.#at++
    this.names.add(text)
    return (has) => has(text)
  }

  #missing(what: string): ConditionError {
    const token = this.#tokens[this.#at]
    return new ConditionError(token ? `expected ${what} at position ${token.at}` : `it ends where ${what} is missing`)
  }
}

const unexpected = ({ text, at }: Token): ConditionError =>
  new ConditionError(`unexpected ${JSON.stringify(text)} at position ${at}`)
