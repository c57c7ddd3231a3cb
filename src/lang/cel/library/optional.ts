import { EvaluationError } from '../error.ts'
import { optionalMacros } from '../syntax/standard-macros.ts'
import { opaque } from '../type.ts'
import { Fields } from '../value/boxed.ts'
import { Double } from '../value/double.ts'
import { Duration } from '../value/duration.ts'
import { kindOf } from '../value/kind.ts'
import { type ListValue, listItems, listSize } from '../value/list.ts'
import { type MapValue, mapSize } from '../value/map.ts'
import { none, Optional, some } from '../value/optional.ts'
import { Uint } from '../value/uint.ts'
import { type Library, overload } from './library.ts'

/** Whether a value is the default of its type. */
export function isZero(value: unknown): boolean {
  switch (kindOf(value)) {
    case 'null':
      return true
    case 'bool':
      return value === false
    case 'int':
      return value === 0
    case 'string':
      return value === ''
    case 'uint':
      return value instanceof Uint && value.value === 0n
    case 'double':
      return value instanceof Double && value.value === 0
    case 'duration':
      return value instanceof Duration && value.nanos === 0n
    case 'bytes':
      return value instanceof Uint8Array && value.length === 0
    // The kinds say which type it is.
    case 'list':
      return listSize(value as ListValue) === 0
    case 'map':
      return mapSize(value as MapValue) === 0
    case 'optional':
      return value instanceof Optional && !value.present
    case 'object':
      return value instanceof Fields && value.isZero()
    default:
      return false
  }
}

function valueOf(optional: Optional): unknown {
  if (!optional.present) throw new EvaluationError('optional.none() dereference')
  return optional.value
}

function unwrapAll(list: ListValue): readonly unknown[] {
  return listItems(list).flatMap((item) => {
    if (!(item instanceof Optional)) throw new EvaluationError(`optional.unwrap() expects a list of optionals`)
    return item.present ? [item.value] : []
  })
}

const firstOf = (list: ListValue): Optional => (listSize(list) > 0 ? some(listItems(list)[0]) : none)
const lastOf = (list: ListValue): Optional => (listSize(list) > 0 ? some(listItems(list).at(-1)) : none)

/** Values that may be absent: `a.?b`, `optional.of`, `orValue`, `optMap`. */
export const optionalLibrary: Library = {
  name: 'optional',
  macros: optionalMacros,
  types: [opaque('optional_type')],
  overloads: [
    overload('optional_of', 'optional.of(V): optional<V>', (value: unknown) => some(value)),
    overload('optional_ofNonZeroValue', 'optional.ofNonZeroValue(V): optional<V>', (value: unknown) =>
      isZero(value) ? none : some(value),
    ),
    overload('optional_none', 'optional.none(): optional<V>', () => none),
    overload('optional_value', 'optional<V> -> value(): V', valueOf),
    overload('optional_hasValue', 'optional<V> -> hasValue(): bool', (optional: Optional) => optional.present),
    overload('optional_or_optional', 'optional<V> -> or(optional<V>): optional<V>', (left: Optional, right: Optional) =>
      left.present ? left : right,
    ),
    overload('optional_orValue_value', 'optional<V> -> orValue(V): V', (left: Optional, right: unknown) =>
      left.present ? left.value : right,
    ),
    overload('optional_unwrap', 'optional.unwrap(list<optional<V>>): list<V>', unwrapAll),
    overload('optional_unwrapOpt', 'list<optional<V>> -> unwrapOpt(): list<V>', unwrapAll),
    overload('list_first', 'list<V> -> first(): optional<V>', firstOf),
    overload('list_last', 'list<V> -> last(): optional<V>', lastOf),
    { ...overload('list_optindex_optional_int', 'op(list<V>, int): optional<V>'), name: '_[?_]' },
    { ...overload('optional_list_optindex_optional_int', 'op(optional<list<V>>, int): optional<V>'), name: '_[?_]' },
    { ...overload('map_optindex_optional_value', 'op(map<K, V>, K): optional<V>'), name: '_[?_]' },
    { ...overload('optional_map_optindex_optional_value', 'op(optional<map<K, V>>, K): optional<V>'), name: '_[?_]' },
    { ...overload('optional_list_index_int', 'op(optional<list<V>>, int): optional<V>'), name: '_[_]' },
    { ...overload('optional_map_index_value', 'op(optional<map<K, V>>, K): optional<V>'), name: '_[_]' },
  ],
}
