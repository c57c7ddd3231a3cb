import { type Library, overload } from '../../../lang/cel/library/library.ts'
import { Optional } from '../../../lang/cel/value/optional.ts'

const COMPATIBLE = '__orValueCompat__'

/** `orValue` of a value that is not optional is that value, as policies for earlier versions expect (kyverno 1.18, pkg/cel/compiler/env.go). */
export const compatibilityLibrary: Library = {
  name: 'kyverno.compatibility',
  macros: [
    {
      name: 'orValue',
      receiver: true,
      arity: 1,
      expand: (nodes, call) => nodes.call(call.at, COMPATIBLE, [...(call.target ? [call.target] : []), ...call.args]),
    },
  ],
  overloads: [
    overload('__orValueCompat___dyn_dyn', `${COMPATIBLE}(dyn, dyn): dyn`, (left: unknown, right: unknown) =>
      left instanceof Optional ? (left.present ? left.value : right) : left,
    ),
  ],
}
