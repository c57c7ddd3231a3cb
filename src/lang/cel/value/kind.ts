import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  listOfDyn,
  mapOfDyn,
  nullType,
  opaque,
  stringType,
  timestampType,
  typeType,
  uintType,
} from '../type.ts'
import { Boxed, CelObject, type Kind } from './boxed.ts'

/** Which kind of CEL value this is. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    default:
  }
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Boxed) return value.kind
  if (value instanceof Uint8Array) return 'bytes'
  return 'map'
}

const runtimeTypes: Readonly<Record<Exclude<Kind, 'object' | 'type'>, CelType>> = {
  null: nullType,
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  list: listOfDyn,
  map: mapOfDyn,
  duration: durationType,
  timestamp: timestampType,
  optional: opaque('optional_type'),
}

/** What `type(value)` answers. */
export function runtimeType(value: unknown): CelType {
  const kind = kindOf(value)
  if (kind === 'type') return typeType
  if (kind === 'object') return value instanceof CelObject ? value.type : typeType
  return runtimeTypes[kind]
}
