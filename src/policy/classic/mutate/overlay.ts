import { isEqual, isObject, own, setOwn } from '../../../lib/json.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Anchor, anchorText, parseAnchor } from '../pattern/anchor.ts'
import { matchPattern } from '../pattern/match-pattern.ts'

/** A node of an overlay while its anchors are worked off: a copy, which may be changed. */
type Node = Record<string, unknown>

/** A condition of the overlay does not hold for this part of the object. */
class Unmet extends Error {
  readonly isGlobal: boolean

  constructor(isGlobal: boolean, message: string) {
    super(message)
    this.isGlobal = isGlobal
  }
}

/**
 * The strategic-merge patch that an overlay with anchors comes to for an object: conditions are checked and taken away,
 * `+()` stays only where the object has nothing, and list items that are named by conditions become one item for each item
 * of the object that meets them. Undefined when a condition says that nothing is to be done.
 */
export function plainPatch(overlay: unknown, resource: unknown): Node | undefined {
  const pattern = copy(overlay)
  if (!isNode(pattern)) throw new RuleFailure('invalid', 'patchStrategicMerge must be an object')
  try {
    work(pattern, resource)
  } catch (cause) {
    if (cause instanceof Unmet) return undefined
    throw cause
  }
  for (const key of Object.keys(pattern)) {
    if (removeAnchors(pattern[key], isCondition(parseAnchor(key)))) delete pattern[key]
  }
  return pattern
}

const isNode = (value: unknown): value is Node => isObject(value)

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (!isObject(value)) return value
  const copied: Node = {}
  for (const [key, below] of Object.entries(value)) setOwn(copied, key, copy(below))
  return copied
}

const isCondition = (anchor: Anchor | undefined): boolean => anchor?.kind === 'condition' || anchor?.kind === 'global'
const isWorked = (anchor: Anchor | undefined): boolean => isCondition(anchor) || anchor?.kind === 'add'

function work(pattern: unknown, resource: unknown): void {
  if (Array.isArray(pattern)) {
    if (isNode(pattern[0])) workItems(pattern, resource)
    return
  }
  if (!isNode(pattern)) return
  workAdditions(pattern, resource)
  checkConditions(pattern, resource, 'global')
  checkConditions(pattern, resource, 'condition')
  for (const [key, below] of Object.entries(pattern)) {
    if (!isWorked(parseAnchor(key))) work(below, isObject(resource) ? own(resource, key) : undefined)
  }
}

const has = (resource: unknown, key: string): boolean => isObject(resource) && Object.hasOwn(resource, key)

/** Whether there were additions. */
function workAdditions(pattern: unknown, resource: unknown): boolean {
  if (!isNode(pattern)) return false
  const anchors = anchorsOf(pattern, (anchor) => anchor.kind === 'add')
  if (anchors.length === 0) return false
  for (const anchor of anchors) {
    if (has(resource, anchor.key)) delete pattern[anchorText(anchor)]
    else rename(pattern, anchorText(anchor), anchor.key)
  }
  return true
}

function anchorsOf(pattern: Node, test: (anchor: Anchor) => boolean): readonly Anchor[] {
  return Object.keys(pattern).flatMap((key) => {
    const anchor = parseAnchor(key)
    return anchor && test(anchor) ? [anchor] : []
  })
}

/** Gives a key another name, in its place. */
function rename(node: Node, from: string, to: string): void {
  const entries = Object.entries(node)
  for (const [key] of entries) delete node[key]
  for (const [key, value] of entries) setOwn(node, key === from ? to : key, value)
}

function checkConditions(pattern: Node, resource: unknown, kind: 'global' | 'condition'): void {
  for (const anchor of anchorsOf(pattern, (candidate) => candidate.kind === kind)) {
    if (!has(resource, anchor.key)) throw new Unmet(kind === 'global', `the object has no ${anchor.key}`)
    const wanted = pattern[anchorText(anchor)]
    const found = isObject(resource) ? own(resource, anchor.key) : undefined
    if (workAdditions(wanted, found)) continue
    const mismatch = matchPattern(comparable(found), comparable(wanted))
    if (mismatch) throw new Unmet(kind === 'global', mismatch.message)
  }
}

/** Single values are compared as the text that they are in YAML. */
function comparable(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return value
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function workItems(pattern: unknown[], resource: unknown): void {
  if (resource !== undefined && resource !== null && !Array.isArray(resource)) {
    throw new RuleFailure('invalid', 'the patch has a list where the object has none')
  }
  const items: readonly unknown[] = Array.isArray(resource) ? resource : []
  // Items that conditions choose are appended on the way.
  const written = pattern.slice()
  for (const element of written) {
    if (hasAnchors(element, isWorked)) workItem(pattern, element, items, resource !== undefined && resource !== null)
  }
}

function workItem(pattern: unknown[], element: unknown, items: readonly unknown[], isThere: boolean): void {
  const isGlobal = hasAnchors(element, (anchor) => anchor?.kind === 'global')
  let passed = false
  let unmet: Unmet | undefined
  for (const item of isThere ? items : [undefined]) {
    const candidate = copy(element)
    try {
      work(candidate, item)
    } catch (cause) {
      if (!(cause instanceof Unmet)) throw cause
      if (cause.isGlobal) {
        if (!isThere) throw cause
        unmet = cause
      }
      continue
    }
    if (isGlobal) passed = true
    else if (isThere) appendNamed(pattern, candidate, item)
  }
  if (!passed && unmet) throw unmet
}

/** An item that conditions chose is patched by its name. */
function appendNamed(pattern: unknown[], candidate: unknown, item: unknown): void {
  const name = isObject(item) ? own(item, 'name') : undefined
  if (name === undefined || name === null || name === '') return
  const patch = copy(candidate)
  if (removeAnchors(patch, true) || !isNode(patch)) return
  patch['name'] = name
  if (!pattern.some((known) => isEqual(known, patch))) pattern.push(patch)
}

function hasAnchors(pattern: unknown, test: (anchor: Anchor | undefined) => boolean): boolean {
  if (Array.isArray(pattern)) return pattern.some((item) => hasAnchors(item, test))
  if (isObject(pattern)) {
    return Object.entries(pattern).some(([key, value]) => test(parseAnchor(key)) || hasAnchors(value, test))
  }
  return typeof pattern === 'string' && isCondition(parseAnchor(pattern))
}

/** Takes conditions away; tells whether nothing is left, so that the node goes too. */
function removeAnchors(node: unknown, isScalarRemoved: boolean): boolean {
  if (Array.isArray(node)) return removeFromList(node)
  return isNode(node) ? removeFromMap(node) : isScalarRemoved
}

function removeFromMap(node: Node): boolean {
  // An object that was written empty is meant: `emptyDir: {}`.
  if (Object.keys(node).length === 0) return false
  let isLeft = false
  for (const anchor of anchorsOf(node, isCondition)) {
    const key = anchorText(anchor)
    if (removeAnchors(node[key], true)) delete node[key]
    else isLeft = true
  }
  if (isLeft) for (const anchor of anchorsOf(node, isCondition)) rename(node, anchorText(anchor), anchor.key)
  let isEmpty = true
  for (const [key, value] of Object.entries(node)) {
    if (removeAnchors(value, false)) delete node[key]
    else isEmpty = false
  }
  return isEmpty
}

function removeFromList(node: unknown[]): boolean {
  if (node.length === 0) return false
  const kept = node.filter((item) => !hasAnchors(item, isWorked) && !removeAnchors(item, false))
  node.splice(0, node.length, ...kept)
  return kept.length === 0
}
