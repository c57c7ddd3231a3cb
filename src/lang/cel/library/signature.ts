import {
  anyType,
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaque,
  optionalOf,
  param,
  stringType,
  structType,
  timestampType,
  typeOf,
  uintType,
  wrapperOf,
} from '../type.ts'

const simpleTypes: ReadonlyMap<string, CelType> = new Map([
  ['any', anyType],
  ['bool', boolType],
  ['bytes', bytesType],
  ['double', doubleType],
  ['duration', durationType],
  ['dyn', dynType],
  ['int', intType],
  ['null', nullType],
  ['string', stringType],
  ['timestamp', timestampType],
  ['uint', uintType],
])

/** What a function takes and answers. */
export interface Signature {
  readonly name: string
  readonly member: boolean
  /** The receiver first, when there is one. */
  readonly args: readonly CelType[]
  readonly result: CelType
}

/** Reads `string -> charAt(int): string` or `math.ceil(double): double`. One capital letter is a type parameter. */
export function parseSignature(text: string): Signature {
  const found = /^(?:(.+?) -> )?([\w.@]+)\((.*)\): (.+)$/.exec(text)
  if (!found) throw new Error(`cannot read the signature ${JSON.stringify(text)}`)
  const [, receiver, name = '', list = '', result = ''] = found
  const args = splitTopLevel(list).map(parseType)
  return {
    name,
    member: receiver !== undefined,
    args: receiver === undefined ? args : [parseType(receiver), ...args],
    result: parseType(result),
  }
}

function splitTopLevel(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '<') depth++
    else if (text[at] === '>') depth--
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  const last = text.slice(start)
  if (last.trim() !== '') parts.push(last)
  return parts.map((part) => part.trim())
}

/** Reads `list<map<string, int>>`; names that are not built in are opaque types. */
export function parseType(text: string): CelType {
  const known = simpleTypes.get(text)
  if (known) return known
  if (/^[A-Z]$/.test(text)) return param(text)
  const generic = /^([\w.]+)<(.*)>$/.exec(text)
  if (!generic) {
    if (text === 'list') return listOf(dynType)
    if (text === 'map') return mapOf(dynType, dynType)
    if (/^[A-Za-z_][\w.]*$/.test(text)) return opaque(text)
    throw new Error(`cannot read the type ${JSON.stringify(text)}`)
  }
  const params = splitTopLevel(generic[2] ?? '').map(parseType)
  const [first = dynType, second = dynType] = params
  switch (generic[1]) {
    case 'list':
      return listOf(first)
    case 'map':
      return mapOf(first, second)
    case 'optional':
      return optionalOf(first)
    case 'type':
      return typeOf(first)
    case 'wrapper':
      return wrapperOf(first)
    case 'message':
      return structType(first.name)
    default:
      return opaque(generic[1] ?? '', ...params)
  }
}
