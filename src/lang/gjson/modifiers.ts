import { type Json, type JsonObject, setOwn } from '../../lib/json.ts'

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

function optionsIn(argument: string): JsonObject {
  try {
    const read = JSON.parse(argument) as Json // what JSON.parse makes is JSON
    return isObject(read) ? read : {}
  } catch {
    // Not options: as if there were none.
    return {}
  }
}

function flatten(value: Json, isDeep: boolean): Json {
  if (!isList(value)) return value
  return value.flatMap((item) => (isList(item) ? (isDeep ? (flatten(item, true) as readonly Json[]) : item) : [item]))
}

function join(value: Json): Json {
  if (!isList(value)) return value
  const made: Record<string, Json> = {}
  for (const item of value)
    if (isObject(item)) for (const [key, below] of Object.entries(item)) setOwn(made, key, below)
  return made
}

/** Lists of equal length, by key, as a list of objects. */
function group(value: Json): Json {
  if (!isObject(value)) return value
  const made: Record<string, Json>[] = []
  for (const [key, items] of Object.entries(value)) {
    if (!isList(items)) continue
    for (const [at, item] of items.entries()) setOwn((made[at] ??= {}), key, item)
  }
  return made
}

function fromText(value: Json): Json | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return JSON.parse(value) as Json // likewise
  } catch {
    // No JSON: the path leads nowhere.
    return undefined
  }
}

/** What a modifier makes of a value; undefined for one that there is not. */
export function modified(value: Json, name: string, argument: string): Json | undefined {
  const options = optionsIn(argument)
  switch (name) {
    case 'this':
    case 'valid':
    case 'ugly':
    case 'pretty':
      return value
    case 'reverse':
      if (isList(value)) return value.toReversed()
      return isObject(value) ? Object.fromEntries(Object.entries(value).toReversed()) : value
    case 'keys':
      return isObject(value) ? Object.keys(value) : isList(value) ? value.map(() => null) : []
    case 'values':
      return isObject(value) ? Object.values(value) : value
    case 'flatten':
      return flatten(value, options['deep'] === true)
    case 'join':
      return join(value)
    case 'group':
      return group(value)
    case 'tostr':
      return JSON.stringify(value)
    case 'fromstr':
      return fromText(value)
    default:
      return undefined
  }
}
