import { GoFunction, type Param, type Returns } from './value.ts'

/** What a JavaScript function gets for a declared parameter. */
interface Given {
  any: unknown
  value: unknown
  string: string
  bool: boolean
  int: number
  int64: bigint
  uint32: number
  float64: number
  map: Record<string, unknown>
  list: readonly unknown[]
}

type Declared = Param | `...${Param}`
type GivenFor<P extends string> = P extends keyof Given ? Given[P] : unknown
type Arguments<P extends readonly Declared[]> = P extends readonly [
  infer First extends Declared,
  ...infer More extends readonly Declared[],
]
  ? First extends `...${infer Rest}`
    ? readonly GivenFor<Rest>[]
    : readonly [GivenFor<First>, ...Arguments<More>]
  : readonly []

const declaredParam = (declared: Declared): Param =>
  (declared.startsWith('...') ? declared.slice(3) : declared) as Param // what follows the dots is a Param by its type

function build(
  params: readonly Declared[],
  returns: Returns,
  wantsRun: boolean,
  call: (...args: readonly unknown[]) => unknown,
): GoFunction {
  const isVariadic = params.at(-1)?.startsWith('...') === true
  return new GoFunction({ params: params.map(declaredParam), isVariadic, returns, wantsRun, call })
}

/**
 * Declares a template function: its parameters as Go would (the last may be `...type`), what kind of whole number it
 * returns, if any, and the JavaScript that runs. It fails by returning `failWith(message)`.
 */
export function fn<const P extends readonly Declared[]>(
  params: P,
  returns: Returns,
  call: (...args: Arguments<P>) => unknown,
): GoFunction {
  // The engine converts every argument to the declared parameter before it calls.
  return build(params, returns, false, call as (...args: readonly unknown[]) => unknown)
}

/** As `fn`, for functions that need the template that is running, which they get as first argument. */
export function runFn<const P extends readonly Declared[], R>(
  params: P,
  call: (run: R, ...args: Arguments<P>) => unknown,
): GoFunction {
  return build(params, 'any', true, call as (...args: readonly unknown[]) => unknown) // as above
}

/** Functions by name, as a template sees them. */
export type FunctionTable = Readonly<Record<string, GoFunction>>
