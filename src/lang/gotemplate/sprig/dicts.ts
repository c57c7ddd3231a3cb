import { own, setOwn } from '../../../lib/json.ts'
import { fn, type FunctionTable } from '../function.ts'
import { Trail } from '../trail.ts'
import { sortedKeys } from '../truth.ts'
import {
  type Failure,
  failWith,
  GoMap,
  isList,
  isMap,
  isNilValue,
  MAP,
  stringList,
  typeName,
  typeOf,
  withType,
} from '../value.ts'
import { toText } from './cast.ts'
import { isEmpty } from './defaults.ts'

type Dict = Record<string, unknown>

/** The host may freeze what it hands in; Go has no such thing. */
const READ_ONLY = 'the dictionary may not be changed: work on a deepCopy of it'

/** Merges the source into the destination, which is changed, by mergo's rules for maps. */
export function mergeInto(target: Dict, source: Dict, overwrites: boolean, trail: Trail = new Trail()): void {
  trail.step()
  for (const [key, value] of Object.entries(source)) {
    if (value === null || value === undefined) {
      if (overwrites) setOwn<unknown>(target, key, value)
      continue
    }
    const before: unknown = own(target, key)
    if (isMap(value) && isMap(before) && !Object.isFrozen(before)) mergeInto(before, value, overwrites, trail)
    const isKept = before !== undefined && !isEmpty(before)
    if (isKept && isList(value)) {
      if (overwrites) setOwn<unknown>(target, key, value)
      continue
    }
    if (isKept && isMap(value) && isMap(before)) continue
    if (overwrites || !isKept) setOwn<unknown>(target, key, value)
  }
}

const merged =
  (overwrites: boolean) =>
  (target: Dict, ...sources: readonly Dict[]): unknown => {
    const into = isNilValue(target) ? {} : target
    if (Object.isFrozen(into)) return failWith(READ_ONLY)
    for (const source of sources) mergeInto(into, source, overwrites)
    return into
  }

/** Copies maps and lists all the way down. */
export function deepCopy(value: unknown, trail: Trail = new Trail()): unknown {
  if (Array.isArray(value)) {
    trail.step()
    return marked(
      value.map((item) => deepCopy(item, trail)),
      value,
    )
  }
  if (value instanceof Uint8Array) return value.slice()
  if (value instanceof GoMap) {
    return new GoMap(value.type, new Map([...value.entries].map(([key, item]) => [key, deepCopy(item, trail)])))
  }
  if (!isMap(value)) return value
  trail.step()
  const copy: Dict = {}
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, deepCopy(item, trail))
  return marked(copy, value)
}

function marked<T extends object>(copy: T, from: object): T {
  const type = typeOf(from)
  return type && type !== typeOf(copy) ? withType(copy, type) : copy
}

function dict(values: readonly unknown[]): Dict {
  const made: Dict = {}
  for (let at = 0; at < values.length; at += 2) {
    setOwn(made, toText(values[at]), at + 1 < values.length ? values[at + 1] : '')
  }
  return made
}

const goName = (value: unknown): string => (value === null ? 'nil' : typeName(value))

const notString = (value: unknown): Failure | undefined =>
  typeof value === 'string' ? undefined : failWith(`interface conversion: interface {} is ${goName(value)}, not string`)

const notDict = (value: unknown): Failure | undefined =>
  isMap(value) && typeName(value) === MAP.name
    ? undefined
    : failWith(`interface conversion: interface {} is ${goName(value)}, not ${MAP.name}`)

function dig(values: readonly unknown[]): unknown {
  if (values.length < 3) return failWith('dig needs at least three arguments')
  let found: unknown = values.at(-1)
  const path = values.slice(0, -2)
  const wrong = notDict(found) ?? path.map(notString).find((problem) => problem !== undefined)
  if (wrong) return wrong
  for (const key of path) {
    const problem = notDict(found)
    if (problem || !isMap(found)) return problem
    if (!Object.hasOwn(found, String(key))) return values.at(-2)
    found = found[String(key)]
  }
  return found
}

function change(target: Dict, name: string, call: () => void): unknown {
  if (Object.isFrozen(target)) return failWith(READ_ONLY)
  if (isNilValue(target)) return name === 'unset' ? target : failWith('assignment to entry in nil map')
  call()
  return target
}

function only(target: Dict, isWanted: (key: string) => boolean): Dict {
  const made: Dict = {}
  for (const key of Object.keys(target)) if (isWanted(key)) setOwn(made, key, target[key])
  return made
}

const merge = fn(['map', '...map'], 'any', merged(false))
const mergeOverwrite = fn(['map', '...map'], 'any', merged(true))
const copy = fn(['any'], 'any', (value) =>
  value === null ? failWith('reflect: call of reflect.Value.Type on zero Value') : deepCopy(value),
)
const keysOf = (target: Dict): readonly string[] => (sortedKeys(target) ?? []).map(String)

/** Dictionaries. Where Go's order is chance (keys, values), ours is that of the keys. */
export const dicts: FunctionTable = {
  dict: fn(['...any'], 'any', (...values) => dict(values)),
  get: fn(['map', 'string'], 'any', (target, key) => (Object.hasOwn(target, key) ? target[key] : '')),
  set: fn(['map', 'string', 'any'], 'any', (target, key, value) =>
    change(target, 'set', () => setOwn(target, key, value)),
  ),
  unset: fn(['map', 'string'], 'any', (target, key) => change(target, 'unset', () => delete target[key])),
  hasKey: fn(['map', 'string'], 'any', (target, key) => Object.hasOwn(target, key)),
  pluck: fn(['string', '...map'], 'any', (key, ...targets) =>
    targets.filter((target) => Object.hasOwn(target, key)).map((target) => target[key]),
  ),
  keys: fn(['...map'], 'any', (...targets) => stringList(targets.flatMap(keysOf))),
  values: fn(['map'], 'any', (target) => keysOf(target).map((key) => target[key])),
  pick: fn(['map', '...string'], 'any', (target, ...keys) => {
    const wanted = new Set(keys)
    return only(target, (key) => wanted.has(key))
  }),
  omit: fn(['map', '...string'], 'any', (target, ...keys) => {
    const omitted = new Set(keys)
    return only(target, (key) => !omitted.has(key))
  }),
  merge,
  mustMerge: merge,
  mergeOverwrite,
  mustMergeOverwrite: mergeOverwrite,
  deepCopy: copy,
  mustDeepCopy: copy,
  dig: fn(['...any'], 'any', (...values) => dig(values)),
}
