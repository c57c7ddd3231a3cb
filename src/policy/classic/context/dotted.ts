import { isObject, own, setOwn } from '../../../lib/json.ts'
import type { Fields } from '../read.ts'

/** The parts of a name such as `request.object.metadata.labels."app.kubernetes.io/name"`. */
export function dottedParts(name: string): readonly string[] {
  const parts = [...name.matchAll(/"((?:[^"]|"")*)"(?:\.|$)|([^.]*)(?:\.|$)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
  return parts.length > 1 && parts.at(-1) === '' ? parts.slice(0, -1) : parts
}

/** The data with values at dotted names; objects are joined, all else is replaced. Untouched parts keep their identity. */
export function withDotted(data: Fields, values: Fields): Fields {
  let joined = data
  for (const [name, value] of Object.entries(values)) joined = join(joined, nested(dottedParts(name), value))
  return joined
}

const nested = (parts: readonly string[], value: unknown): Fields =>
  parts.reduceRight<unknown>((inner, part) => {
    const outer: Record<string, unknown> = {}
    setOwn(outer, part, inner)
    return outer
  }, value) as Fields // a dotted name has a part at least

const DEEPEST = 100

function join(base: Fields, over: Fields, depth: number = 0): Fields {
  const joined: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = own(base, key)
    setOwn(joined, key, isObject(value) && isObject(below) && depth < DEEPEST ? join(below, value, depth + 1) : value)
  }
  return joined
}
