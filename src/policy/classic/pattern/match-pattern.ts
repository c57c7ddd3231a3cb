import { isObject, own } from '../../../lib/json.ts'
import type { Fields } from '../read.ts'
import { type Anchor, type AnchorKind, parseAnchor } from './anchor.ts'
import { expandMetadataKeys } from './metadata-wildcards.ts'
import { matchesScalar } from './scalar.ts'

/** Why an object is not what a pattern asks for. */
export interface Mismatch {
  /** `skip`: a condition says that the pattern is not about this object. `error`: no path can be told. */
  readonly verdict: 'fail' | 'skip' | 'error'
  readonly message: string
  /** Such as `/spec/containers/0/image/`; empty for all but failures. */
  readonly path: string
}

/** A mismatch on its way up. Conditions and globals end in a skip, wherever they were met. */
interface Failing {
  readonly because: 'condition' | 'global' | 'negation' | 'plain' | 'combined'
  readonly message: string
  readonly path: string
}

/** Compares an object with a pattern and its anchors; undefined when it is as the pattern wants. */
export function matchPattern(resource: unknown, pattern: unknown): Mismatch | undefined {
  const seen: SeenAnchors = new Map()
  const failing = matchElement(resource, pattern, '/', seen)
  if (!failing) return undefined
  const { message, path } = failing
  if (isSkip(failing)) return { verdict: 'skip', message, path: '' }
  if (failing.because === 'negation') return { verdict: 'fail', message, path }
  const verdict = path === '' || areKeysMissing(seen) ? 'error' : 'fail'
  return { verdict, message, path: verdict === 'fail' ? path : '' }
}

/** For each condition, existence and negation key of the pattern: whether any object had it. */
type SeenAnchors = Map<string, boolean>

const isSkip = ({ because }: Failing): boolean =>
  because === 'condition' || because === 'global' || because === 'combined'

const remembered: ReadonlySet<AnchorKind> = new Set(['condition', 'existence', 'negation'])

function remember(pattern: Fields, resource: Fields, seen: SeenAnchors): void {
  for (const key of Object.keys(pattern)) {
    const anchor = parseAnchor(key)
    if (!anchor || !remembered.has(anchor.kind) || seen.get(key)) continue
    seen.set(key, Object.hasOwn(resource, anchor.key))
  }
}

function areKeysMissing(seen: SeenAnchors): boolean {
  for (const [key, isThere] of seen) if (!isThere && parseAnchor(key)?.kind !== 'negation') return true
  return false
}

const plain = (path: string, message: string): Failing => ({ because: 'plain', message, path })

function matchElement(resource: unknown, pattern: unknown, path: string, seen: SeenAnchors): Failing | undefined {
  if (isObject(pattern)) {
    if (!isObject(resource)) {
      const found =
        resource === null || resource === undefined ? 'nothing' : Array.isArray(resource) ? 'a list' : 'a single value'
      return plain(path, `the pattern has an object at ${path} where the resource has ${found}`)
    }
    remember(pattern, resource, seen)
    return matchMap(resource, pattern, path, seen)
  }
  if (Array.isArray(pattern)) {
    if (!Array.isArray(resource)) return plain(path, `the pattern has a list at ${path} where the resource has none`)
    return matchList(resource, pattern, path, seen)
  }
  const matches = Array.isArray(resource)
    ? resource.every((item) => matchesScalar(item, pattern))
    : matchesScalar(resource, pattern)
  if (matches) return undefined
  return plain(path, `resource value ${shown(resource)} does not match ${shown(pattern)} at path ${path}`)
}

const LONGEST_SHOWN = 200
const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')
  return `'${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text}'`
}

const firstKinds: ReadonlySet<AnchorKind> = new Set(['condition', 'existence', 'equality', 'negation'])

function matchMap(resource: Fields, written: Fields, path: string, seen: SeenAnchors): Failing | undefined {
  const pattern = expandMetadataKeys(written, resource)
  const keys = Object.keys(pattern)
  const anchored = keys.filter((key) => {
    const anchor = parseAnchor(key)
    return anchor !== undefined && firstKinds.has(anchor.kind)
  })
  const skipped: Failing[] = []
  let applied = 0
  for (const key of anchored.toSorted()) {
    const failing = matchKey(resource, key, own(pattern, key), path, seen)
    if (!failing) {
      applied++
    } else if (isSkip(failing)) {
      skipped.push(failing)
    } else if (!skipped.some(({ because }) => because !== 'combined')) {
      return failing
    }
  }
  if (skipped.length > 0 && (applied === 0 || skipped.some(({ because }) => because !== 'combined'))) {
    return combined(skipped, path)
  }
  for (const key of inOrder(
    keys.filter((candidate) => !anchored.includes(candidate)),
    pattern,
  )) {
    const failing = matchKey(resource, key, own(pattern, key), path, seen)
    if (failing) return failing
  }
  return undefined
}

const combined = (skipped: readonly Failing[], path: string): Failing => ({
  because: 'combined',
  message: skipped.map(({ message }) => message).join('; '),
  path,
})

/** Global anchors and what has anchors below it come first, so that conditions decide before failures do. */
function inOrder(keys: readonly string[], pattern: Fields): readonly string[] {
  const order: string[] = []
  for (const key of keys.toSorted()) {
    if (parseAnchor(key)?.kind === 'global' || hasAnchors(own(pattern, key))) order.unshift(key)
    else order.push(key)
  }
  return order
}

function hasAnchors(pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some(hasAnchors)
  if (!isObject(pattern)) return false
  return Object.entries(pattern).some(([key, value]) => {
    const anchor = parseAnchor(key)
    return (anchor !== undefined && anchor.kind !== 'add') || hasAnchors(value)
  })
}

function matchKey(
  resource: Fields,
  key: string,
  pattern: unknown,
  path: string,
  seen: SeenAnchors,
): Failing | undefined {
  const anchor = parseAnchor(key)
  if (!anchor || anchor.kind === 'add') return matchPlainKey(resource, key, pattern, path, seen)
  return matchAnchor(resource, anchor, pattern, `${path}${anchor.key}/`, seen)
}

function matchPlainKey(
  resource: Fields,
  key: string,
  pattern: unknown,
  path: string,
  seen: SeenAnchors,
): Failing | undefined {
  const value = own(resource, key)
  if (pattern !== '*') return matchElement(value, pattern, `${path}${key}/`, seen)
  return value === undefined || value === null ? plain(path, `${path}${key} not found`) : undefined
}

function matchAnchor(
  resource: Fields,
  anchor: Anchor,
  pattern: unknown,
  path: string,
  seen: SeenAnchors,
): Failing | undefined {
  const isThere = Object.hasOwn(resource, anchor.key)
  if (anchor.kind === 'negation') {
    if (!isThere) return undefined
    return { because: 'negation', message: `negation anchor matched in resource: ${path} is not allowed`, path }
  }
  if (!isThere) {
    if (anchor.kind !== 'condition') return undefined
    return { because: 'condition', message: `conditional anchor mismatch: the resource has no ${path}`, path }
  }
  const value = own(resource, anchor.key)
  if (anchor.kind === 'existence') return matchExistence(value, pattern, path, seen)
  const failing = matchElement(value, pattern, path, seen)
  if (!failing) return undefined
  switch (anchor.kind) {
    case 'condition':
      return { because: 'condition', message: `conditional anchor mismatch: ${failing.message}`, path: failing.path }
    case 'global':
      return { because: 'global', message: `global anchor mismatch: ${failing.message}`, path: failing.path }
    default:
      return failing
  }
}

/** Each pattern of the list must be met by some item. */
function matchExistence(value: unknown, patterns: unknown, path: string, seen: SeenAnchors): Failing | undefined {
  if (!Array.isArray(value))
    return plain(path, `the existence anchor at ${path} is for lists, and the resource has none`)
  if (!Array.isArray(patterns)) return plain(path, `the existence anchor at ${path} must hold a list of patterns`)
  for (const pattern of patterns) {
    if (!isObject(pattern)) return plain(path, `the existence anchor at ${path} must hold a list of objects`)
    if (!value.some((item, index) => !matchElement(item, pattern, `${path}${index}/`, seen))) {
      return plain(path, `existence anchor validation failed at path ${path}`)
    }
  }
  return undefined
}

function matchList(
  resource: readonly unknown[],
  pattern: readonly unknown[],
  path: string,
  seen: SeenAnchors,
): Failing | undefined {
  if (pattern.length === 0) return plain(path, `the pattern at ${path} is an empty list`)
  const [first] = pattern
  if (isObject(first)) return matchItems(resource, () => first, path, seen)
  if (!Array.isArray(first)) return matchElement(resource, first, path, seen)
  if (resource.length < pattern.length) {
    return plain('', `the list at ${path} has ${resource.length} items and the pattern ${pattern.length}`)
  }
  return matchItems(resource.slice(0, pattern.length), (index) => pattern[index], path, seen)
}

/** Items whose conditions do not hold do not count, unless there are no others. */
function matchItems(
  resource: readonly unknown[],
  patternOf: (index: number) => unknown,
  path: string,
  seen: SeenAnchors,
): Failing | undefined {
  const skipped: Failing[] = []
  let applied = 0
  for (const [index, item] of resource.entries()) {
    const failing = matchElement(item, patternOf(index), `${path}${index}/`, seen)
    if (!failing) applied++
    else if (isSkip(failing)) skipped.push(failing)
    else return failing
  }
  return applied === 0 && skipped.length > 0 ? combined(skipped, path) : undefined
}
