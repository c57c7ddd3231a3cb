import type { Machine } from '../machine.ts'
import { isTrue, LuaFunction, LuaTable, type LuaValue, numberText, typeName } from '../value.ts'
import { type Builtin, numberAt, textAt } from './library.ts'
import { findPattern, type Found } from './pattern.ts'

/** A position from the start or, if negative, from the end; counted from 0. */
function startOf(at: number, length: number): number {
  if (at > 0) return at - 1
  return at === 0 ? 0 : Math.max(0, length + at)
}

function sub(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const text = textAt(args, 0, machine)
  const from = startOf(numberAt(args, 1, machine, 1), text.length)
  const to = numberAt(args, 2, machine, -1)
  return [text.slice(from, to < 0 ? Math.max(0, text.length + to + 1) : to)]
}

/** The captures of a match, or the whole of it where there are none. */
const capturesOf = (text: string, { start, end, captures }: Found): readonly LuaValue[] =>
  captures.length > 0 ? captures : [text.slice(start, end)]

function find(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const text = textAt(args, 0, machine)
  const pattern = textAt(args, 1, machine)
  const from = startOf(numberAt(args, 2, machine, 1), text.length)
  if (from > text.length) return [undefined]
  if (isTrue(args[3]) || !/[\^$*+?.()[\]%-]/.test(pattern)) {
    const at = text.indexOf(pattern, from)
    return at < 0 ? [undefined] : [at + 1, at + pattern.length]
  }
  const found = findPattern(text, pattern, from, machine)
  return found ? [found.start + 1, found.end, ...found.captures] : [undefined]
}

function match(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const text = textAt(args, 0, machine)
  const from = startOf(numberAt(args, 2, machine, 1), text.length)
  const found = from > text.length ? undefined : findPattern(text, textAt(args, 1, machine), from, machine)
  return found ? capturesOf(text, found) : [undefined]
}

function gmatch(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const text = textAt(args, 0, machine)
  const pattern = textAt(args, 1, machine)
  let at = 0
  return [
    new LuaFunction('gmatch iterator', () => {
      const found = at > text.length ? undefined : findPattern(text, pattern, at, machine)
      if (!found) return [undefined]
      at = found.end > found.start ? found.end : found.end + 1
      return capturesOf(text, found)
    }),
  ]
}

function replacementOf(text: string, found: Found, by: LuaValue, machine: Machine): string {
  const whole = text.slice(found.start, found.end)
  const captures = capturesOf(text, found)
  if (typeof by === 'string' || typeof by === 'number') {
    return machine.textOf(by).replace(/%(.)/gs, (_, letter: string) => {
      if (letter === '0') return whole
      if (!/\d/.test(letter)) return letter
      const capture = captures[Number(letter) - 1]
      if (capture === undefined) throw machine.error('invalid capture index')
      return machine.textOf(capture)
    })
  }
  const made = by instanceof LuaTable ? machine.index(by, captures[0]) : machine.call(by, captures)[0]
  if (!isTrue(made)) return whole
  if (typeof made !== 'string' && typeof made !== 'number')
    throw machine.error(`invalid replacement value (a ${typeName(made)})`)
  return machine.textOf(made)
}

function gsub(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  const text = textAt(args, 0, machine)
  const pattern = textAt(args, 1, machine)
  const most = numberAt(args, 3, machine, Infinity)
  let made = ''
  let at = 0
  let count = 0
  while (count < most) {
    const found = findPattern(text, pattern, at, machine)
    if (!found) break
    count++
    const part = text.slice(at, found.start) + replacementOf(text, found, args[2], machine)
    machine.make(part.length)
    made += part
    at = found.end
    if (found.end === found.start) made += text.charAt(at++)
    if (at > text.length || pattern.startsWith('^')) break
  }
  return [made + text.slice(at), count]
}

function padded(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0')) return text.padStart(width)
  const sign = /^[+\- ]?/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

const signed = (text: string, flags: string): string =>
  text.startsWith('-') ? text : flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text

function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2')
}

function general(value: number, precision: number): string {
  if (value === 0) return '0'
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(precision)))))
  if (exponent >= -4 && exponent < precision) return String(Number(value.toPrecision(precision)))
  return exponential(value, precision - 1).replace(/\.?0+e/, 'e')
}

function formatNumber(letter: string, value: number, flags: string, precision: number | undefined): string {
  const whole = Math.trunc(value)
  switch (letter) {
    case 'd':
    case 'i':
      return signed(
        String(whole).replace(
          /^(-?)/,
          `$1${'0'.repeat(Math.max(0, (precision ?? 0) - String(Math.abs(whole)).length))}`,
        ),
        flags,
      )
    case 'u':
      return String(whole)
    case 'c':
      return String.fromCharCode(whole & 255)
    case 'x':
      return whole.toString(16)
    case 'X':
      return whole.toString(16).toUpperCase()
    case 'o':
      return whole.toString(8)
    case 'e':
    case 'E': {
      const text = signed(exponential(value, precision ?? 6), flags)
      return letter === 'E' ? text.toUpperCase() : text
    }
    case 'g':
    case 'G':
      return signed(general(value, precision === 0 ? 1 : (precision ?? 6)), flags)
    default:
      return signed(value.toFixed(precision ?? 6), flags)
  }
}

const quoted = (text: string): string =>
  `"${text
    .replace(/["\\\n]/g, (character) => `\\${character}`)
    .replaceAll('\r', '\\r')
    .replaceAll('\0', '\\000')}"`

function format(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  let at = 0
  const text = textAt(args, 0, machine).replace(
    /%([-+ #0]*)(\d{0,2})(?:\.(\d{0,2}))?(.)/gs,
    (whole, flags: string, width: string, digits: string | undefined, letter: string) => {
      if (letter === '%') return '%'
      at++
      const precision = digits === undefined ? undefined : Number(digits)
      if (letter === 'q') return quoted(textAt(args, at, machine))
      if (letter === 's') {
        if (at >= args.length) throw machine.error(`bad argument #${at + 1} (no value)`)
        const value = machine.textOf(args[at])
        return padded(
          precision === undefined ? value : value.slice(0, precision),
          flags.replace('0', ''),
          Number(width),
        )
      }
      if (!'diucxXoeEfgG'.includes(letter)) throw machine.error(`invalid option '${whole}' to 'format'`)
      const value = numberAt(args, at, machine)
      if (!Number.isFinite(value)) return padded(numberText(value).toLowerCase(), flags.replace('0', ''), Number(width))
      return padded(formatNumber(letter, value, flags, precision), flags, Number(width))
    },
  )
  machine.make(text.length)
  return [text]
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase())

/** `string.*`, also the methods of texts. */
export const strings: Readonly<Record<string, Builtin>> = {
  byte(args, machine) {
    const text = textAt(args, 0, machine)
    const at = numberAt(args, 1, machine, 1)
    const [part = ''] = sub([text, at, numberAt(args, 2, machine, at)], machine)
    return typeof part === 'string' ? Array.from(part, (character) => character.charCodeAt(0)) : []
  },
  char: (args, machine) => [
    args
      .map((_, at) => {
        const code = numberAt(args, at, machine)
        if (code < 0 || code > 255) throw machine.error(`bad argument #${at + 1} (invalid value)`)
        return String.fromCharCode(code)
      })
      .join(''),
  ],
  find,
  format,
  gmatch,
  gfind: gmatch,
  gsub,
  len: (args, machine) => [textAt(args, 0, machine).length],
  lower: (args, machine) => [lower(textAt(args, 0, machine))],
  upper: (args, machine) => [upper(textAt(args, 0, machine))],
  match,
  rep(args, machine) {
    const text = textAt(args, 0, machine)
    const count = Math.max(0, Math.floor(numberAt(args, 1, machine)))
    machine.make(text.length * count)
    return [text.repeat(count)]
  },
  reverse: (args, machine) => [textAt(args, 0, machine).split('').reverse().join('')],
  sub,
}
