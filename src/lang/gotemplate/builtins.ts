import { byteLength, byteSlice, bytesOf, isPrintable } from '../../lib/go-string.ts'
import { equalAny, greaterOrEqual, greaterThan, lessOrEqual, lessThan, notEqual } from './compare.ts'
import { sprintf } from './format.ts'
import { fn, type FunctionTable } from './function.ts'
import { actionText, sprint, valueText } from './print.ts'
import { entryOf, isTrue, lengthOf } from './truth.ts'
import {
  Failure,
  failWith,
  GoFunction,
  GoInt,
  GoNamed,
  type GoType,
  intOf,
  INTERFACE,
  isList,
  itemOf,
  type MapKey,
  textOf,
  typeName,
  typeOf,
  withType,
} from './value.ts'

/** The zero value of a type, as a missing map entry has it. */
export function zeroOf(type: GoType | undefined): unknown {
  if (!type) return null
  switch (type.kind) {
    case 'string':
      return ''
    case 'bool':
      return false
    case 'float64':
      return 0
    case 'interface':
    case 'ptr':
    case 'func':
    case 'struct':
    case 'complex128':
      return null
    case 'slice':
      return withType([], { ...type, isNil: true })
    case 'map':
      return withType({}, { ...type, isNil: true })
    default:
      return new GoInt(type, 0n)
  }
}

function indexOffset(index: unknown, limit: number): number | Failure {
  if (index === null || index === undefined) return failWith('cannot index slice/array with nil')
  if (!(index instanceof GoInt)) return failWith(`cannot index slice/array with type ${typeName(index)}`)
  if (index.value < 0n || index.value > BigInt(limit)) return failWith(`index out of range: ${index.value}`)
  return Number(index.value)
}

function mapKey(index: unknown, keyType: GoType): MapKey | Failure {
  if (index === null || index === undefined) return failWith(`value is nil; should be of type ${keyType.name}`)
  if (keyType.kind === 'string' && typeof index === 'string') return index
  if (keyType.kind === 'bool' && typeof index === 'boolean') return index
  if (keyType.kind === 'float64' && typeof index === 'number') return index
  if (index instanceof GoInt && /^u?int/.test(keyType.kind)) return index.value
  if (keyType.kind === 'interface') {
    if (index instanceof GoInt) return index.value
    if (typeof index === 'string' || typeof index === 'number' || typeof index === 'boolean') return index
  }
  return failWith(`value has type ${typeName(index)}; should be ${keyType.name}`)
}

function indexOnce(item: unknown, index: unknown): unknown {
  if (item === null || item === undefined) return failWith('index of nil pointer')
  const text = textOf(item)
  const length = text === undefined ? (isList(item) ? item.length : undefined) : byteLength(text)
  if (length !== undefined) {
    const offset = indexOffset(index, length)
    if (offset instanceof Failure) return offset
    if (offset === length) {
      return failWith(`reflect: ${text === undefined ? 'slice' : 'string'} index out of range`)
    }
    if (isList(item)) return itemOf(item, offset)
    return intOf('uint8', BigInt(bytesOf(text ?? '')[offset] ?? 0))
  }
  const type = typeOf(item)
  if (type?.kind !== 'map') return failWith(`can't index item of type ${typeName(item)}`)
  const key = mapKey(index, type.key ?? INTERFACE)
  if (key instanceof Failure) return key
  return entryOf(item, key) ?? zeroOf(type.elem)
}

function index(item: unknown, indexes: readonly unknown[]): unknown {
  if (item === null || item === undefined) return failWith('index of untyped nil')
  let found: unknown = item
  for (const each of indexes) {
    found = indexOnce(found, each)
    if (found instanceof Failure) return found
  }
  return found
}

function sliceBounds(indexes: readonly unknown[], length: number): readonly number[] | Failure {
  const bounds = [0, length]
  for (const [place, each] of indexes.entries()) {
    const offset = indexOffset(each, length)
    if (offset instanceof Failure) return offset
    bounds[place] = offset
  }
  const [start = 0, end = 0, cap] = bounds
  if (start > end) return failWith(`invalid slice index: ${start} > ${end}`)
  return cap !== undefined && end > cap ? failWith(`invalid slice index: ${end} > ${cap}`) : bounds
}

function sliceItem(item: unknown, indexes: readonly unknown[]): unknown {
  if (item === null || item === undefined) return failWith('slice of untyped nil')
  if (indexes.length > 3) return failWith(`too many slice indexes: ${indexes.length}`)
  const text = textOf(item)
  if (text !== undefined && indexes.length === 3) return failWith('cannot 3-index slice a string')
  if (text === undefined && !isList(item)) return failWith(`can't slice item of type ${typeName(item)}`)
  const bounds = sliceBounds(indexes, text === undefined ? (lengthOf(item) ?? 0) : byteLength(text))
  if (bounds instanceof Failure) return bounds
  const [start = 0, end = 0] = bounds
  if (text !== undefined) {
    const part = byteSlice(text, start, end)
    return item instanceof GoNamed ? new GoNamed(item.type, part) : part
  }
  if (item instanceof Uint8Array) return item.subarray(start, end)
  return Array.isArray(item) ? sameType(item.slice(start, end), item) : item
}

/** Gives a new list the type of the one that it was made from. */
export function sameType(list: unknown[], from: unknown): unknown[] {
  const type = typeOf(from)
  return type?.elem ? withType(list, type) : list
}

function length(item: unknown): unknown {
  if (item === null) return failWith('len of nil pointer')
  if (item === undefined) return failWith('reflect: call of reflect.Value.Type on zero Value')
  const text = textOf(item)
  const count = text === undefined ? lengthOf(item) : byteLength(text)
  return count ?? failWith(`len of type ${typeName(item)}`)
}

/** What html, js and urlquery escape: one string as it is, everything else as it would print. */
function joined(values: readonly unknown[]): string {
  const [only] = values
  if (values.length === 1 && typeof only === 'string') return only
  return sprint(values.map((value) => (value === null ? actionText(value) : value)))
}

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

const htmlEscape = (text: string): string => text.replaceAll(/["'&<>\0]/g, (found) => HTML[found] ?? found)

function jsEscape(text: string): string {
  let escaped = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if ('\\\'"'.includes(character)) escaped += `\\${character}`
    else if ('<>&='.includes(character) || code < 0x20) {
      escaped += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
    } else if (code < 0x80 || isPrintable(code)) escaped += character
    else if (code >= 0xdc80 && code <= 0xdcff) escaped += '\\uFFFD'
    else escaped += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return escaped
}

/** Query escaping as in Go's net/url. */
export function queryEscape(text: string): string {
  let escaped = ''
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte)
    if (/[A-Za-z0-9_.~-]/.test(character)) escaped += character
    else escaped += byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

const special = (kind: 'decide' | 'call'): GoFunction =>
  new GoFunction({
    params: ['value', 'value'],
    isVariadic: true,
    returns: 'any',
    wantsRun: false,
    special: kind,
    call: () => undefined,
  })

/** The functions that every template has. `and`, `or` and `call` evaluate their arguments in a way of their own (call.ts). */
export const builtins: FunctionTable = {
  and: special('decide'),
  call: special('call'),
  html: fn(['...any'], 'any', (...values) => htmlEscape(joined(values))),
  index: fn(['value', '...value'], 'any', (item, ...indexes) => index(item, indexes)),
  slice: fn(['value', '...value'], 'any', (item, ...indexes) => sliceItem(item, indexes)),
  js: fn(['...any'], 'any', (...values) => jsEscape(joined(values))),
  len: fn(['value'], 'int', (item) => length(item)),
  not: fn(['value'], 'any', (value) => !isTrue(value)),
  or: special('decide'),
  print: fn(['...any'], 'any', (...values) => sprint(values)),
  printf: fn(['string', '...any'], 'any', (format, ...values) => sprintf(format, values)),
  println: fn(['...any'], 'any', (...values) => `${values.map((value) => valueText(value)).join(' ')}\n`),
  urlquery: fn(['...any'], 'any', (...values) => queryEscape(joined(values))),
  eq: fn(['value', '...value'], 'any', (a, ...others) => equalAny(a, others)),
  ge: fn(['value', 'value'], 'any', greaterOrEqual),
  gt: fn(['value', 'value'], 'any', greaterThan),
  le: fn(['value', 'value'], 'any', lessOrEqual),
  lt: fn(['value', 'value'], 'any', lessThan),
  ne: fn(['value', 'value'], 'any', notEqual),
}
