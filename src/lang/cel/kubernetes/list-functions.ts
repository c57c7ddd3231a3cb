import { deepTraversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload, type Overload } from '../library/library.ts'
import { compare } from '../value/compare.ts'
import { Double } from '../value/double.ts'
import { Duration, toDuration } from '../value/duration.ts'
import { isEqual } from '../value/equal.ts'
import { addInt, type Int } from '../value/integer.ts'
import { listItems, type ListValue } from '../value/list.ts'
import { toUint, Uint } from '../value/uint.ts'

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes']
const cost: CostRule = (list) => deepTraversal(list)

function isSorted(list: ListValue): boolean {
  const items = listItems(list)
  return items.every((item, index) => index === 0 || compare(items[index - 1], item, 'isSorted') <= 0)
}

const extreme =
  (name: string, wanted: -1 | 1) =>
  (list: ListValue): unknown => {
    const items = listItems(list)
    if (items.length === 0) throw new EvaluationError(`${name} called on empty list`)
    return items.reduce((best, item) => (Math.sign(compare(item, best, name)) === wanted ? item : best))
  }

const sums: readonly Overload[] = [
  overload(
    'list_int_sum_int',
    'list<int> -> sum(): int',
    (list: ListValue) =>
      listItems(list).reduce<Int>((sum, item) => addInt(sum, typeof item === 'bigint' ? item : Number(item)), 0),
    cost,
  ),
  overload(
    'list_uint_sum_uint',
    'list<uint> -> sum(): uint',
    (list: ListValue) =>
      toUint(listItems(list).reduce<bigint>((sum, item) => sum + (item instanceof Uint ? item.value : 0n), 0n)),
    cost,
  ),
  overload(
    'list_double_sum_double',
    'list<double> -> sum(): double',
    (list: ListValue) =>
      new Double(listItems(list).reduce<number>((sum, item) => sum + (item instanceof Double ? item.value : 0), 0)),
    cost,
  ),
  overload(
    'list_duration_sum_duration',
    'list<duration> -> sum(): duration',
    (list: ListValue) =>
      toDuration(listItems(list).reduce<bigint>((sum, item) => sum + (item instanceof Duration ? item.nanos : 0n), 0n)),
    cost,
  ),
]

const indexOf = (list: ListValue, wanted: unknown): number => listItems(list).findIndex((item) => isEqual(item, wanted))
const lastIndexOf = (list: ListValue, wanted: unknown): number =>
  listItems(list).findLastIndex((item) => isEqual(item, wanted))

/** `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf`. */
export const listFunctionsLibrary: Library = {
  name: 'kubernetes.lists',
  overloads: [
    ...COMPARABLE.flatMap((type) => [
      overload(`list_${type}_is_sorted_bool`, `list<${type}> -> isSorted(): bool`, isSorted, cost),
      overload(`list_${type}_max_${type}`, `list<${type}> -> max(): ${type}`, extreme('max', 1), cost),
      overload(`list_${type}_min_${type}`, `list<${type}> -> min(): ${type}`, extreme('min', -1), cost),
    ]),
    ...sums,
    overload('list_a_index_of_int', 'list<A> -> indexOf(A): int', indexOf, cost),
    overload('list_a_last_index_of_int', 'list<A> -> lastIndexOf(A): int', lastIndexOf, cost),
  ],
}
