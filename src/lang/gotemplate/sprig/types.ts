import { fn, type FunctionTable } from '../function.ts'
import { typeName } from '../value.ts'
import { kindName } from './cast.ts'
import { deepEqual } from './equal.ts'

/** What a value is. */
export const types: FunctionTable = {
  typeOf: fn(['any'], 'any', typeName),
  typeIs: fn(['string', 'any'], 'any', (target, value) => target === typeName(value)),
  typeIsLike: fn(['string', 'any'], 'any', (target, value) => {
    const name = typeName(value)
    return target === name || `*${target}` === name
  }),
  kindOf: fn(['any'], 'any', kindName),
  kindIs: fn(['string', 'any'], 'any', (target, value) => target === kindName(value)),
  deepEqual: fn(['any', 'any'], 'any', (a, b) => deepEqual(a, b)),
}
