import { Buffer } from 'node:buffer'
import { type Fields, isSet, numberOf, textOf, textsOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'
import type { Ids } from '../../../lib/ids.ts'
import { succeed } from '../../../lib/result.ts'
import { randomBelow } from '../../../lang/gotemplate/sprig/random.ts'
import type { SecretData } from '../data/decode.ts'
import { failed, type Fetched } from '../data/trouble.ts'

const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DIGITS = '0123456789'
const SYMBOLS = '~!@#$%^&*()_+`-={}|[]\\:"<>?,./'
const LENGTH = 24
const PART = 0.25
const LONGEST = 10_000

interface Recipe {
  readonly length: number
  readonly digits: number
  readonly symbols: number
  readonly symbolCharacters: string
  readonly noUpper: boolean
  readonly allowRepeat: boolean
}

/** One password a key, each with as many digits and symbols as the spec says, in no order. */
export function passwords(spec: Fields, ids: Ids): Fetched<SecretData> {
  const keys = textsOf(spec, 'secretKeys') ?? []
  const names = keys.length === 0 ? ['password'] : keys
  if (names.includes('') || new Set(names).size < names.length) return failed('secretKeys must be non-empty and unique')
  const length = numberOf(spec, 'length') || LENGTH
  const symbols = own(spec, 'symbolCharacters')
  const recipe: Recipe = {
    length,
    digits: numberOf(spec, 'digits') ?? Math.trunc(length * PART),
    symbols: numberOf(spec, 'symbols') ?? Math.trunc(length * PART),
    symbolCharacters: typeof symbols === 'string' && symbols !== '' ? symbols : SYMBOLS,
    noUpper: isSet(spec, 'noUpper'),
    allowRepeat: isSet(spec, 'allowRepeat'),
  }
  const problem = problemOf(recipe)
  if (problem !== undefined) return failed(`error using generator: ${problem}`)
  const encoding = textOf(spec, 'encoding')
  return succeed(new Map(names.map((name) => [name, encoded(onePassword(recipe, ids), encoding)])))
}

function problemOf({ length, digits, symbols, symbolCharacters, noUpper, allowRepeat }: Recipe): string | undefined {
  const letters = length - digits - symbols
  if (length > LONGEST) return `a password of more than ${LONGEST} characters is not made`
  if (letters < 0 || digits < 0 || symbols < 0) return 'number of digits and symbols must be less than total length'
  if (allowRepeat) return undefined
  if (letters > (noUpper ? LOWER.length : LOWER.length + UPPER.length)) {
    return 'number of letters exceeds available letters and repeats are not allowed'
  }
  if (digits > DIGITS.length) return 'number of digits exceeds available digits and repeats are not allowed'
  if (symbols > new Set(symbolCharacters).size)
    return 'number of symbols exceeds available symbols and repeats are not allowed'
  return undefined
}

function onePassword(recipe: Recipe, ids: Ids): string {
  const { length, digits, symbols, symbolCharacters, noUpper, allowRepeat } = recipe
  const made: string[] = []
  const add = (count: number, alphabet: readonly string[]): void => {
    const left = [...alphabet]
    for (let index = 0; index < count; index++) {
      const at = randomBelow(ids, left.length)
      const character = left[at] ?? ''
      if (!allowRepeat) left.splice(at, 1)
      made.splice(randomBelow(ids, made.length + 1), 0, character)
    }
  }
  add(length - digits - symbols, Array.from(noUpper ? LOWER : LOWER + UPPER))
  add(digits, Array.from(DIGITS))
  add(symbols, [...new Set(symbolCharacters)])
  return made.join('')
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function encoded(text: string, encoding: string): string {
  const bytes = Buffer.from(text)
  if (encoding === 'base64') return bytes.toString('base64')
  if (encoding === 'base64url') return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  if (encoding === 'hex') return bytes.toString('hex')
  return encoding === 'base32' ? base32(bytes) : text
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  const text = groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=')
}
