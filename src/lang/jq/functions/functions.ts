import type { Json } from '../../../lib/json.ts'
import type { Run } from '../run.ts'
import { collectionFunctions } from './collections.ts'
import { numberFunctions } from './numbers.ts'
import { isMatch } from './regex.ts'
import { textFunctions } from './texts.ts'
import { timeFunctions } from './times.ts'

/** A function of its input and the values of its arguments. */
export type ValueFunction = (input: Json, args: readonly Json[], run: Run) => Json

/** Functions that make one value of values, by `name/arity`. */
export const functions: ReadonlyMap<string, ValueFunction> = new Map<string, ValueFunction>([
  ...collectionFunctions,
  ...numberFunctions,
  ...textFunctions,
  ...timeFunctions,
  ['test/2', (input, [pattern = null, flags = null], run) => isMatch(input, { pattern, flags }, run)],
])
