import { bytesOf, quoteString } from '../../lib/go-string.ts'

const LITERALS = ['true', 'false', 'null']

/** Says in Go's words where a text stops being JSON. */
export function jsonProblem(text: string): string {
  const at = firstBadPlace(text)
  const isCut = at.place >= text.length
  if (isCut && !/literal (?:t|f|n)|numeric literal/.test(at.because)) return 'unexpected end of JSON input'
  // The decoder ends a word or number that is cut short with a space.
  const [byte = 0x20] = isCut ? [] : bytesOf(String.fromCodePoint(text.codePointAt(at.place) ?? 0))
  const character = String.fromCharCode(byte)
  const shown = character === "'" ? `'\\''` : character === '"' ? `'"'` : `'${quoteString(character).slice(1, -1)}'`
  return `invalid character ${shown} ${at.because}`
}

interface BadPlace {
  readonly place: number
  readonly because: string
}

const TOKEN =
  /[ \t\r\n]*(?:("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{}:,]))/uy

type Expecting = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'comma' | 'end'

const BECAUSE: Readonly<Record<Expecting, string>> = {
  value: 'looking for beginning of value',
  'first-item': 'looking for beginning of value',
  'first-key': 'looking for beginning of object key string',
  key: 'looking for beginning of object key string',
  colon: 'after object key',
  comma: 'after',
  end: 'after top-level value',
}

function firstBadPlace(text: string): BadPlace {
  const stack: ('[' | '{')[] = []
  let expecting: Expecting = 'value'
  let place = 0
  const afterValue = (): Expecting => (stack.length === 0 ? 'end' : 'comma')
  for (;;) {
    TOKEN.lastIndex = place
    const found = TOKEN.exec(text)
    const start = place + (/^[ \t\r\n]*/.exec(text.slice(place))?.[0].length ?? 0)
    const token = found ? (found[1] ?? found[2] ?? found[3] ?? found[4] ?? '') : ''
    const next: Expecting | undefined = found ? step(token, expecting, stack, afterValue) : undefined
    if (!next) return badToken(text, start, expecting, stack.at(-1))
    const cut = found?.[2] === undefined ? undefined : badNumber(text, TOKEN.lastIndex, found[2])
    if (cut) return cut
    expecting = next
    place = TOKEN.lastIndex
  }
}

/** Whether a closing bracket may stand here. */
function closes(token: string, expecting: Expecting, open: '[' | '{' | undefined): boolean {
  if (token === '}') return open === '{' && (expecting === 'comma' || expecting === 'first-key')
  return token === ']' && open === '[' && (expecting === 'comma' || expecting === 'first-item')
}

function step(
  token: string,
  expecting: Expecting,
  stack: ('[' | '{')[],
  afterValue: () => Expecting,
): Expecting | undefined {
  if (closes(token, expecting, stack.at(-1))) {
    stack.pop()
    return afterValue()
  }
  if (expecting === 'colon') return token === ':' ? 'value' : undefined
  if (expecting === 'comma') return token !== ',' ? undefined : stack.at(-1) === '{' ? 'key' : 'value'
  if (expecting === 'key' || expecting === 'first-key') return token.startsWith('"') ? 'colon' : undefined
  if (expecting === 'end') return undefined
  if (token === '{' || token === '[') {
    stack.push(token)
    return token === '{' ? 'first-key' : 'first-item'
  }
  return /^["\-\dtfn]/.test(token) ? afterValue() : undefined
}

function badToken(text: string, start: number, expecting: Expecting, open: '[' | '{' | undefined): BadPlace {
  const rest = text.slice(start)
  if (expecting === 'comma') {
    return { place: start, because: open === '{' ? 'after object key:value pair' : 'after array element' }
  }
  const literal = LITERALS.find((word) => word[0] === rest[0])
  if (literal && (expecting === 'value' || expecting === 'first-item')) {
    let same = 1
    while (same < literal.length && rest[same] === literal[same]) same += 1
    return { place: start + same, because: `in literal ${literal} (expecting '${literal[same] ?? ''}')` }
  }
  if (rest.startsWith('"') && expecting !== 'colon' && expecting !== 'end') return badString(text, start)
  if (rest.startsWith('-') && (expecting === 'value' || expecting === 'first-item')) {
    return { place: start + 1, because: 'in numeric literal' }
  }
  return { place: start, because: BECAUSE[expecting] }
}

/** A number that goes on with a point or an exponent without digits. */
function badNumber(text: string, end: number, read: string): BadPlace | undefined {
  if (/[eE]/.test(read)) return undefined
  if (text[end] === '.' && !read.includes('.'))
    return { place: end + 1, because: 'after decimal point in numeric literal' }
  if (text[end] !== 'e' && text[end] !== 'E') return undefined
  const sign = /[+-]/.test(text[end + 1] ?? '') ? 1 : 0
  return { place: end + 1 + sign, because: 'in exponent of numeric literal' }
}

function badString(text: string, start: number): BadPlace {
  let at = start + 1
  while (at < text.length && text[at] !== '"') {
    if ((text[at] ?? '') < ' ') return { place: at, because: 'in string literal' }
    if (text[at] === '\\') {
      at += 1
      if (!/["\\/bfnrtu]/.test(text[at] ?? '"')) return { place: at, because: 'in string escape code' }
    }
    at += 1
  }
  return { place: at, because: 'in string literal' }
}
