import { Trail } from '../trail.ts'
import { entryOf, sortedKeys } from '../truth.ts'
import { GoComplex, GoInt, GoNamed, HostObject, isList, isNilValue, itemOf, typeOf } from '../value.ts'

/** reflect.DeepEqual: the same types all the way down, and the same values. */
export function deepEqual(a: unknown, b: unknown, trail: Trail = new Trail()): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b || (isNothing(a) && isNothing(b))
  }
  if (typeOf(a)?.name !== typeOf(b)?.name || isNilValue(a) !== isNilValue(b)) return false
  return a === b || equalObjects(a, b, trail)
}

function equalObjects(a: object, b: object, trail: Trail): boolean {
  trail.step()
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value
  if (a instanceof GoNamed && b instanceof GoNamed) return a.value === b.value
  if (a instanceof GoComplex && b instanceof GoComplex) return a.real === b.real && a.imaginary === b.imaginary
  if (isList(a) && isList(b)) return equalLists(a, b, trail)
  return equalMaps(a, b, trail)
}

const isNothing = (value: unknown): boolean => value === null || value === undefined

function equalLists(a: readonly unknown[] | Uint8Array, b: readonly unknown[] | Uint8Array, trail: Trail): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (!deepEqual(itemOf(a, index), itemOf(b, index), trail)) return false
  return true
}

function equalMaps(a: object, b: object, trail: Trail): boolean {
  if (a instanceof HostObject && b instanceof HostObject && a.type.kind !== 'map') {
    if (a.fields.size === 0 && typeOf(a)?.text) return typeOf(a)?.text?.(a) === typeOf(b)?.text?.(b)
    return [...a.fields].every(([name, field]) => deepEqual(field, b.fields.get(name), trail))
  }
  const keys = sortedKeys(a)
  if (!keys || keys.length !== sortedKeys(b)?.length) return false
  return keys.every((key) => {
    const other = entryOf(b, key)
    return other !== undefined && deepEqual(entryOf(a, key), other, trail)
  })
}
