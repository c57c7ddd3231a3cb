import { compareElements, fieldName, keyFields, kindOfElement } from './path-element.ts'
import type { Type } from './type.ts'

/** A path: canonical path elements from the root. */
export type Path = readonly string[]

const noMembers: ReadonlySet<string> = new Set()
const noChildren: ReadonlyMap<string, PathSet> = new Map()

/**
 * A set of paths as a trie. Being below a member does not make a member, nor does having children. `insert` is for whoever
 * builds the set; from then on it is a value, and every operation answers one of its arguments where that is the result.
 */
export class PathSet {
  members: ReadonlySet<string> = noMembers
  children: ReadonlyMap<string, PathSet> = noChildren

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0
  }

  /** Adds a path while the set is being built. The empty path is the whole object, which nobody owns. */
  insert(path: Path): void {
    const last = path.at(-1)
    if (last !== undefined) this.#descendTo(path, 0).addMember(last)
  }

  #descendTo(path: Path, index: number): PathSet {
    const element = path[index]
    return element === undefined || index === path.length - 1 ? this : this.descend(element).#descendTo(path, index + 1)
  }

  /** The subset below an element, made when it is not there; for building. */
  descend(element: string): PathSet {
    const known = this.children.get(element)
    if (known) return known
    const below = new PathSet()
    this.setChild(element, below)
    return below
  }

  addMember(element: string): void {
    if (this.members === noMembers) this.members = new Set()
    ;(this.members as Set<string>).add(element)
  }

  setChild(element: string, below: PathSet): void {
    if (this.children === noChildren) this.children = new Map()
    ;(this.children as Map<string, PathSet>).set(element, below)
  }

  has(path: Path): boolean {
    const last = path.at(-1)
    if (last === undefined) return false
    let children: ReadonlyMap<string, PathSet> = this.children
    let { members } = this
    for (const element of path.slice(0, -1)) {
      const below = children.get(element)
      if (!below) return false
      ;({ children, members } = below)
    }
    return members.has(last)
  }

  get size(): number {
    let size = this.members.size
    for (const below of this.children.values()) size += below.size
    return size
  }

  /** Every path, in the order of FieldsV1, a level's members before what is below it. */
  *paths(prefix: Path = []): Generator<Path> {
    for (const element of [...this.members].toSorted(compareElements)) yield [...prefix, element]
    for (const element of [...this.children.keys()].toSorted(compareElements)) {
      yield* (this.children.get(element) as PathSet).paths([...prefix, element])
    }
  }
}

export const emptySet: PathSet = new PathSet()

/** Makes a set of paths. */
export function setOf(paths: Iterable<Path>): PathSet {
  const set = new PathSet()
  for (const path of paths) set.insert(path)
  return set
}

function build(members: ReadonlySet<string>, children: ReadonlyMap<string, PathSet>): PathSet {
  const set = new PathSet()
  set.members = members
  set.children = children
  return set
}

export function sameSet(a: PathSet, b: PathSet): boolean {
  if (a === b) return true
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false
  for (const element of a.members) if (!b.members.has(element)) return false
  for (const [element, below] of a.children) {
    const other = b.children.get(element)
    if (!other || !sameSet(below, other)) return false
  }
  return true
}

/** Whether every path of the one is in the other. */
export function isSubset(a: PathSet, b: PathSet): boolean {
  if (a === b) return true
  for (const element of a.members) if (!b.members.has(element)) return false
  for (const [element, below] of a.children) {
    const other = b.children.get(element)
    if (!other || !isSubset(below, other)) return false
  }
  return true
}

/** Paths in either set. */
export function union(a: PathSet, b: PathSet): PathSet {
  if (a === b || b.isEmpty) return a
  if (a.isEmpty) return b
  let members = a.members
  for (const element of b.members) {
    if (members.has(element)) continue
    if (members === a.members) members = new Set(members)
    ;(members as Set<string>).add(element)
  }
  let children = a.children
  for (const [element, below] of b.children) {
    const mine = a.children.get(element)
    const merged = mine ? union(mine, below) : below
    if (merged === mine) continue
    if (children === a.children) children = new Map(children)
    ;(children as Map<string, PathSet>).set(element, merged)
  }
  return members === a.members && children === a.children ? a : build(members, children)
}

/** Paths in both sets. */
export function intersection(a: PathSet, b: PathSet): PathSet {
  if (a === b) return a
  const members = keepMembers(a.members, (element) => b.members.has(element))
  const children = keepChildren(a.children, (element, below) => {
    const other = b.children.get(element)
    return other ? intersection(below, other) : emptySet
  })
  return members === a.members && children === a.children ? a : build(members, children)
}

/** Paths of the first set that are not in the second; what is below a removed path stays. */
export function difference(a: PathSet, b: PathSet): PathSet {
  if (b.isEmpty || a.isEmpty) return a
  if (a === b) return emptySet
  const members = b.members.size === 0 ? a.members : keepMembers(a.members, (element) => !b.members.has(element))
  const children =
    b.children.size === 0
      ? a.children
      : keepChildren(a.children, (element, below) => {
          const other = b.children.get(element)
          return other ? difference(below, other) : below
        })
  return members === a.members && children === a.children ? a : build(members, children)
}

/** Paths of the first set that are neither in the second nor below one of its paths. */
export function recursiveDifference(a: PathSet, b: PathSet): PathSet {
  if (b.isEmpty || a.isEmpty) return a
  const members = keepMembers(a.members, (element) => !b.members.has(element))
  const children = keepChildren(a.children, (element, below) => {
    if (b.members.has(element)) return emptySet
    const other = b.children.get(element)
    return other ? recursiveDifference(below, other) : below
  })
  return members === a.members && children === a.children ? a : build(members, children)
}

/** Paths that have nothing below them. */
export function leaves(a: PathSet): PathSet {
  const members = keepMembers(a.members, (element) => !a.children.has(element))
  const children = keepChildren(a.children, (_, below) => leaves(below))
  return members === a.members && children === a.children ? a : build(members, children)
}

/** The set with every declared field on the way to its paths as a member; keys of maps are left as they are. */
export function withNamedFields(a: PathSet, type: Type | undefined): PathSet {
  let members = a.members
  const map = type?.map
  const children = keepChildren(a.children, (element, below) => {
    const kind = kindOfElement(element)
    if (kind === 'f' && map) {
      const name = fieldName(element)
      if (map.declares(name) && !members.has(element)) {
        if (members === a.members) members = new Set(members)
        ;(members as Set<string>).add(element)
      }
      return withNamedFields(below, map.typeOf(name))
    }
    return withNamedFields(below, kind === 'k' ? type?.list?.element : undefined)
  })
  return members === a.members && children === a.children ? a : build(members, children)
}

/** The key fields of every list element on the way to a path. */
export function keyFieldsOf(a: PathSet): PathSet {
  const found = new PathSet()
  const visit = (set: PathSet, path: Path): void => {
    for (const element of new Set([...set.members, ...set.children.keys()])) {
      const here = [...path, element]
      if (kindOfElement(element) === 'k') {
        for (const [name] of keyFields(element)) found.insert([...here, `f:${name}`])
      }
      const below = set.children.get(element)
      if (below) visit(below, here)
    }
  }
  visit(a, [])
  return found
}

function keepMembers(members: ReadonlySet<string>, keep: (element: string) => boolean): ReadonlySet<string> {
  let kept: Set<string> | undefined
  for (const element of members) {
    if (keep(element)) continue
    kept ??= new Set(members)
    kept.delete(element)
  }
  return kept ? (kept.size === 0 ? noMembers : kept) : members
}

/** Replaces every subset; empty ones go. */
function keepChildren(
  children: ReadonlyMap<string, PathSet>,
  change: (element: string, below: PathSet) => PathSet,
): ReadonlyMap<string, PathSet> {
  let kept: Map<string, PathSet> | undefined
  for (const [element, below] of children) {
    const changed = change(element, below)
    if (changed === below) continue
    kept ??= new Map(children)
    if (changed.isEmpty) kept.delete(element)
    else kept.set(element, changed)
  }
  return kept ? (kept.size === 0 ? noChildren : kept) : children
}
