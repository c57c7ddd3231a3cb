import { isObject, setOwn } from '../../../lib/json.ts'

type Data = Readonly<Record<string, unknown>>

/** Deeper values than this are not taken apart; requests are bounded long before. */
const DEEPEST = 500

/** The names of values without the values, down to a depth; 0 is all the way. */
export function subkeysOf(data: Data, depth: number, level = 1): Data {
  const names: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(data)) {
    const goesOn = isObject(value) && Object.keys(value).length > 0 && (depth <= 0 || level < depth) && level < DEEPEST
    setOwn(names, name, goesOn ? subkeysOf(value, depth, level + 1) : null)
  }
  return names
}
