const LETTER = /\p{L}/u
const DIGIT = /\p{Nd}/u

const isLetter = (char: string): boolean => {
  const code = char.charCodeAt(0)
  return code < 0x80 ? isAsciiLetter(code) : LETTER.test(char)
}

const isDigit = (char: string | undefined): boolean => {
  if (char === undefined) return false
  const code = char.charCodeAt(0)
  return code < 0x80 ? code >= 0x30 && code <= 0x39 : DIGIT.test(char)
}

const codeOf = (char: string | undefined): number => char?.codePointAt(0) ?? -1

/** The number that begins at a position, modulo 64 bits, and where it ends. */
function numberAt(
  chars: readonly string[],
  from: number,
  start: bigint,
): { readonly value: bigint; readonly end: number } {
  let value = start
  let end = from
  for (; isDigit(chars[end]); end++) value = BigInt.asIntN(64, value * 10n + BigInt(codeOf(chars[end]) - 0x30))
  return { value, end }
}

/** Compares two keys that first differ at a position, neither of the two characters being a letter. */
function compareNumbers(a: readonly string[], b: readonly string[], at: number): number {
  let start = 0n
  if (a[at] === '0' || b[at] === '0') {
    for (let back = at - 1; back >= 0 && isDigit(a[back]); back--) {
      if (a[back] !== '0') {
        start = 1n
        break
      }
    }
  }
  const left = numberAt(a, at, start)
  const right = numberAt(b, at, start)
  if (left.value !== right.value) return left.value < right.value ? -1 : 1
  if (left.end !== right.end) return left.end - right.end
  return codeOf(a[at]) - codeOf(b[at])
}

const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a
const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a
const isAsciiLetter = (code: number): boolean => isLower(code) || isUpper(code)

/** The order in which go-yaml writes the keys of a map: letters after other characters, runs of digits by their value. */
export function compareKeys(a: string, b: string): number {
  const shortest = Math.min(a.length, b.length)
  let at = 0
  while (at < shortest && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === shortest) return a.length - b.length
  const left = a.charCodeAt(at)
  const right = b.charCodeAt(at)
  return isAsciiLetter(left) && isAsciiLetter(right) ? left - right : compareChars(Array.from(a), Array.from(b))
}

function compareChars(a: readonly string[], b: readonly string[]): number {
  let at = 0
  while (a[at] === b[at]) at++
  const leftIs = isLetter(a[at] ?? '')
  const rightIs = isLetter(b[at] ?? '')
  if (leftIs && rightIs) return codeOf(a[at]) - codeOf(b[at])
  if (leftIs || rightIs) return rightIs ? -1 : 1
  return compareNumbers(a, b, at)
}

/** Sorts keys in place as go-yaml writes them. */
export function sortKeys(keys: string[]): readonly string[] {
  return keys.length > 1 ? keys.sort(compareKeys) : keys
}
