/**
 * Go values as templates see them.
 *
 * | Go                         | here                                                       |
 * |----------------------------|------------------------------------------------------------|
 * | no value (reflect zero)    | undefined                                                  |
 * | nil in an interface        | null                                                       |
 * | bool, string, float64      | boolean, string, number                                    |
 * | other numbers              | GoInt, GoComplex                                           |
 * | []interface{}              | array                                                      |
 * | other slices               | array marked with its type; []byte is Uint8Array           |
 * | map[string]interface{}     | plain object (or one marked with a named type)             |
 * | other maps                 | GoMap                                                      |
 * | named scalars              | GoNamed, GoInt with a named type                           |
 * | structs, pointers, methods | HostObject                                                 |
 * | funcs                      | GoFunction                                                 |
 */
export type Kind =
  | 'bool'
  | IntKind
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'func'
  | 'ptr'
  | 'struct'
  | 'interface'

export type IntKind = 'int' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint' | 'uint8' | 'uint16' | 'uint32' | 'uint64'

/** A Go type: its name as `%T` prints it, its kind, and what it is made of. */
export interface GoType {
  readonly name: string
  readonly kind: Kind
  /** What a slice or map holds; left out, it holds interface{}. */
  readonly elem?: GoType
  readonly key?: GoType
  /** The one nil value of a slice or map type is an empty list or map marked with this. */
  readonly isNil?: true
  /** Methods by name; each is bound to the value it is called on. */
  readonly methods?: ReadonlyMap<string, (self: unknown) => GoFunction>
  /** What String() or Error() prints, for types that have one. */
  readonly text?: (self: unknown) => string
  /** What MarshalJSON writes, for types that have it. */
  readonly json?: (self: unknown) => string
}

const basic = <K extends Kind>(kind: K): GoType & { readonly kind: K } => ({ name: kind, kind })

export const INTERFACE: GoType = { name: 'interface {}', kind: 'interface' }
export const BOOL: GoType = basic('bool')
export const STRING: GoType = basic('string')
export const FLOAT64: GoType = basic('float64')
const FUNC: GoType = basic('func')
const COMPLEX128: GoType = basic('complex128')
export const LIST: GoType = { name: '[]interface {}', kind: 'slice' }
export const NIL_LIST: GoType = { ...LIST, isNil: true }
export const STRINGS: GoType = { name: '[]string', kind: 'slice', elem: STRING }
export const NIL_STRINGS: GoType = { name: '[]string', kind: 'slice', elem: STRING, isNil: true }
export const MAP: GoType = { name: 'map[string]interface {}', kind: 'map', key: STRING }
export const NIL_MAP: GoType = { ...MAP, isNil: true }

/** The types of whole numbers by kind. */
export const INTS: Readonly<Record<IntKind, GoType & { readonly kind: IntKind }>> = {
  int: basic('int'),
  int8: basic('int8'),
  int16: basic('int16'),
  int32: basic('int32'),
  int64: basic('int64'),
  uint: basic('uint'),
  uint8: basic('uint8'),
  uint16: basic('uint16'),
  uint32: basic('uint32'),
  uint64: basic('uint64'),
}
export const INTEGERS: GoType = { name: '[]int', kind: 'slice', elem: INTS.int }
const BYTES: GoType = { name: '[]uint8', kind: 'slice', elem: INTS.uint8 }

/** A whole number of a Go type. */
export class GoInt {
  readonly type: GoType
  readonly value: bigint
  constructor(type: GoType, value: bigint) {
    this.type = type
    this.value = value
  }
}

const SMALL = 256
const smallInts = {
  int: Array.from({ length: SMALL }, (_, value) => new GoInt(INTS.int, BigInt(value))),
  int64: Array.from({ length: SMALL }, (_, value) => new GoInt(INTS.int64, BigInt(value))),
}

/** A Go int; the number is cut to a whole one. */
export function int(value: number): GoInt {
  return smallInts.int[value] ?? new GoInt(INTS.int, BigInt(Math.trunc(value)))
}

/** A Go int64; a bigint beyond 64 bits wraps around as in Go. */
export function int64(value: number | bigint): GoInt {
  if (typeof value === 'number') return smallInts.int64[value] ?? int64(BigInt(Math.trunc(value)))
  return new GoInt(INTS.int64, BigInt.asIntN(64, value))
}

/** A whole number of any kind. */
export const intOf = (kind: IntKind, value: bigint): GoInt => new GoInt(INTS[kind], value)

export class GoComplex {
  readonly real: number
  readonly imaginary: number
  constructor(real: number, imaginary: number) {
    this.real = real
    this.imaginary = imaginary
  }
}

/** A string, bool or float of a named type, such as json.Number. */
export class GoNamed {
  readonly type: GoType
  readonly value: string | boolean | number
  constructor(type: GoType, value: string | boolean | number) {
    this.type = type
    this.value = value
  }
}

/** json.Number, as decoders make it that keep the digits of a number. */
export const JSON_NUMBER: GoType = { name: 'json.Number', kind: 'string' }

/** A map that is not map[string]interface{}. Keys are strings, numbers or booleans; whole-number keys are bigints. */
export class GoMap {
  readonly type: GoType
  readonly entries: Map<MapKey, unknown>
  constructor(type: GoType, entries: Map<MapKey, unknown> = new Map()) {
    this.type = type
    this.entries = entries
  }
}

export type MapKey = string | number | bigint | boolean

/** What a method or a function of a template is: its parameters, and what runs. Made by `fn` (function.ts). */
export class GoFunction {
  readonly params: readonly Param[]
  readonly isVariadic: boolean
  readonly returns: Returns
  /** Gets the running template before its arguments. */
  readonly wantsRun: boolean
  /** Functions whose arguments the engine evaluates in a way of their own: `and` and `or` stop early, `call` calls its first. */
  readonly special: 'decide' | 'call' | undefined
  readonly call: (...args: readonly unknown[]) => unknown
  constructor(parts: FunctionParts) {
    this.params = parts.params
    this.isVariadic = parts.isVariadic
    this.returns = parts.returns
    this.wantsRun = parts.wantsRun
    this.special = parts.special
    this.call = parts.call
  }
}

export interface FunctionParts {
  readonly params: readonly Param[]
  readonly isVariadic: boolean
  readonly returns: Returns
  readonly wantsRun: boolean
  readonly special?: 'decide' | 'call'
  readonly call: (...args: readonly unknown[]) => unknown
}

/** How a parameter is declared; `type X` is a host object whose type is called X. `value` takes anything unchanged. */
export type Param =
  | 'any'
  | 'value'
  | 'string'
  | 'bool'
  | 'int'
  | 'int64'
  | 'uint32'
  | 'float64'
  | 'map'
  | 'list'
  | `type ${string}`

/** Whole-number results are given as number or bigint; everything else is handed on as it is. */
export type Returns = 'any' | IntKind

/** A struct, a pointer to one, or a map with methods. */
export class HostObject {
  readonly type: GoType
  /** The fields of a struct in their order, or the entries of a map. */
  readonly fields: ReadonlyMap<string, unknown>
  /** Whatever the host keeps behind it. */
  readonly inner: unknown
  constructor(type: GoType, fields: ReadonlyMap<string, unknown> = NOTHING, inner?: unknown) {
    this.type = type
    this.fields = fields
    this.inner = inner
  }
}

const NOTHING: ReadonlyMap<string, unknown> = new Map<string, unknown>()

const ERROR: GoType = {
  name: '*errors.errorString',
  kind: 'ptr',
  text: (self) => (self instanceof HostObject ? String(self.inner) : ''),
}

/** A Go error as a value. */
export const goError = (message: string): HostObject => new HostObject(ERROR, NOTHING, message)

/** What a function returns when it fails: the text of its Go error. */
export class Failure {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** Makes a function fail with the text of a Go error. */
export const failWith = (message: string): Failure => new Failure(message)

const TYPE: unique symbol = Symbol('Go type')

interface Marked {
  readonly [TYPE]?: GoType
}

/** Marks a list or plain object with a Go type other than the usual one. */
export function withType<T extends object>(value: T, type: GoType): T {
  Object.defineProperty(value, TYPE, { value: type, configurable: true })
  return value
}

/** A []string. */
export const stringList = (values: readonly string[]): readonly string[] => withType([...values], STRINGS)

/** A nil []interface{}. */
export const nilList = (): unknown[] => withType([], NIL_LIST)

/** The Go type of a value, or undefined for nil. */
export function typeOf(value: unknown): GoType | undefined {
  switch (typeof value) {
    case 'string':
      return STRING
    case 'number':
      return FLOAT64
    case 'boolean':
      return BOOL
    case 'object':
      return value === null ? undefined : typeOfObject(value)
    default:
      return undefined
  }
}

function typeOfObject(value: object): GoType | undefined {
  if (Array.isArray(value)) return (value as Marked)[TYPE] ?? LIST
  if (value instanceof GoInt || value instanceof GoNamed || value instanceof GoMap || value instanceof HostObject) {
    return value.type
  }
  if (value instanceof Uint8Array) return BYTES
  if (value instanceof GoComplex) return COMPLEX128
  if (value instanceof GoFunction) return FUNC
  return (value as Marked)[TYPE] ?? MAP
}

/** The name of a value's type as `%T` prints it. */
export const typeName = (value: unknown): string => typeOf(value)?.name ?? '<nil>'

/** Tells a plain object that is a map with string keys. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    (Object.getPrototypeOf(value) === Object.prototype || typeOfObject(value)?.kind === 'map') &&
    !(value instanceof GoMap || value instanceof HostObject)
  )
}

/** Tells slices: arrays and bytes. */
export const isList = (value: unknown): value is readonly unknown[] | Uint8Array =>
  Array.isArray(value) || value instanceof Uint8Array

/** The item of a slice as a Go value. */
export function itemOf(list: readonly unknown[] | Uint8Array, index: number): unknown {
  const item: unknown = list[index]
  return list instanceof Uint8Array ? intOf('uint8', BigInt(item as number)) : item
}

/** The items of a slice as Go values. */
export function itemsOf(list: readonly unknown[] | Uint8Array): readonly unknown[] {
  return list instanceof Uint8Array ? Array.from(list, (byte) => intOf('uint8', BigInt(byte))) : list
}

/** Tells the nil slice and the nil map. */
export const isNilValue = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'object' && typeOfObject(value)?.isNil === true)

/** Unwraps a Go value that is text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof GoNamed && typeof value.value === 'string' ? value.value : undefined
}
