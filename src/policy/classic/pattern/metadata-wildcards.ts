import { isObject, own, setOwn } from '../../../lib/json.ts'
import { isWildcard, matchesWildcard } from '../../engine/wildcard.ts'
import type { Fields } from '../read.ts'
import { anchorText, parseAnchor } from './anchor.ts'

/**
 * A pattern whose label and annotation keys with wildcards name the first key of the object that they match. As
 * upstream, only values that are text survive where both sides have labels or annotations.
 */
export function expandMetadataKeys(pattern: Fields, resource: Fields): Fields {
  const metadataKey = keyFor(pattern, 'metadata')
  const wanted = metadataKey === undefined ? undefined : own(pattern, metadataKey)
  const given = own(resource, 'metadata')
  if (metadataKey === undefined || !isObject(wanted) || !isObject(given)) return pattern
  let expanded: Record<string, unknown> | undefined
  for (const tag of ['labels', 'annotations']) {
    const key = keyFor(wanted, tag)
    const values = key === undefined ? undefined : own(wanted, key)
    const found = own(given, tag)
    if (key === undefined || !isObject(values) || !isObject(found)) continue
    expanded ??= { ...wanted }
    expanded[key] = expandKeys(values, Object.keys(found))
  }
  return expanded ? { ...pattern, [metadataKey]: expanded } : pattern
}

function keyFor(pattern: Fields, tag: string): string | undefined {
  if (Object.hasOwn(pattern, tag)) return tag
  return Object.keys(pattern).find((key) => parseAnchor(key)?.key === tag)
}

function expandKeys(wanted: Fields, found: readonly string[]): Fields {
  const expanded: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(wanted)) {
    if (typeof value !== 'string') continue
    if (!isWildcard(key)) {
      setOwn(expanded, key, value)
      continue
    }
    const anchor = parseAnchor(key)
    const name = anchor?.key ?? key
    const match = found.find((candidate) => matchesWildcard(name, candidate)) ?? name
    setOwn(expanded, anchor ? anchorText({ ...anchor, key: match }) : match, value)
  }
  return expanded
}
