export type TypeKind =
  | 'dyn'
  | 'any'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'list'
  | 'map'
  | 'type'
  | 'struct'
  | 'opaque'
  | 'param'
  | 'wrapper'

/** A CEL type: what the checker infers, and what `type(x)` answers at run time. Simple types are singletons. */
export class CelType {
  readonly kind: TypeKind
  /** The name a program sees, such as `int`, `list` or `google.protobuf.Timestamp`. */
  readonly name: string
  readonly params: readonly CelType[]
  #text: string | undefined

  constructor(kind: TypeKind, name: string, params: readonly CelType[] = []) {
    this.kind = kind
    this.name = name
    this.params = params
  }

  /** The type as messages and checked expressions write it. */
  get text(): string {
    this.#text ??= format(this)
    return this.#text
  }

  /** Structural equality, parameters included. */
  equals(other: CelType): boolean {
    return this === other || this.text === other.text
  }
}

const shortNames: Partial<Record<TypeKind, string>> = {
  dyn: 'dyn',
  any: 'any',
  error: '!error!',
  null: 'null',
  duration: 'duration',
  timestamp: 'timestamp',
}

function format(type: CelType): string {
  const short = shortNames[type.kind]
  if (short !== undefined) return short
  if (type.params.length === 0) return type.name
  const params = type.params.map((param) => param.text).join(', ')
  return type.kind === 'wrapper' ? `wrapper(${params})` : `${type.name}(${params})`
}

const simple = (kind: TypeKind, name: string = kind): CelType => new CelType(kind, name)

export const dynType: CelType = simple('dyn')
export const anyType: CelType = simple('any', 'google.protobuf.Any')
export const errorType: CelType = simple('error')
export const nullType: CelType = simple('null', 'null_type')
export const boolType: CelType = simple('bool')
export const intType: CelType = simple('int')
export const uintType: CelType = simple('uint')
export const doubleType: CelType = simple('double')
export const stringType: CelType = simple('string')
export const bytesType: CelType = simple('bytes')
export const durationType: CelType = simple('duration', 'google.protobuf.Duration')
export const timestampType: CelType = simple('timestamp', 'google.protobuf.Timestamp')
/** The type of types, without saying of which. */
export const typeType: CelType = simple('type')

export const listOf = (item: CelType): CelType => new CelType('list', 'list', [item])
export const mapOf = (key: CelType, value: CelType): CelType => new CelType('map', 'map', [key, value])
export const optionalOf = (value: CelType): CelType => new CelType('opaque', 'optional_type', [value])
export const typeOf = (type: CelType): CelType => new CelType('type', 'type', [type])
export const wrapperOf = (primitive: CelType): CelType => new CelType('wrapper', primitive.name, [primitive])
export const opaque = (name: string, ...params: readonly CelType[]): CelType => new CelType('opaque', name, params)
export const structType = (name: string): CelType => new CelType('struct', name)
export const param = (name: string): CelType => new CelType('param', name)

export const listOfDyn: CelType = listOf(dynType)
export const mapOfDyn: CelType = mapOf(dynType, dynType)
export const mapOfStringDyn: CelType = mapOf(stringType, dynType)

export const isOptionalType = (type: CelType): boolean => type.kind === 'opaque' && type.name === 'optional_type'
export const isDyn = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'any'

/** The named type constants of the language: what an identifier such as `int` stands for. */
export const namedTypes: ReadonlyMap<string, CelType> = new Map(
  [
    boolType,
    intType,
    uintType,
    doubleType,
    stringType,
    bytesType,
    durationType,
    timestampType,
    nullType,
    typeType,
    dynType,
    listOfDyn,
    mapOfDyn,
  ].map((type) => [type.name, type]),
)
