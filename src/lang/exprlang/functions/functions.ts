import type { Run } from '../run.ts'
import type { Value } from '../value.ts'
import { collections } from './collections.ts'
import { numbers } from './numbers.ts'
import { texts } from './texts.ts'
import { times } from './times.ts'

/** A built-in function; its arguments are what was written, as many as that is. */
export type Builtin = (args: readonly Value[], run: Run) => Value

/** The built-in functions without a predicate, by name. */
export const functions: ReadonlyMap<string, Builtin> = new Map([...texts, ...numbers, ...collections, ...times])
