import { isObject, setOwn } from '../../../lib/json.ts'
import { Refusal, refuseBelow } from '../refusal.ts'
import { compareElements, parseElement } from './path-element.ts'
import { PathSet } from './path-set.ts'

/** A set of paths as managedFields keeps it. */
export type FieldsV1 = Readonly<Record<string, unknown>>

const nothing: FieldsV1 = Object.freeze({})
const parsed = new WeakMap<FieldsV1, PathSet>()
const written = new WeakMap<PathSet, FieldsV1>()

/** Writes a set as FieldsV1, its keys in the order the API server gives them. */
export function writeFieldsV1(set: PathSet): FieldsV1 {
  const known = written.get(set)
  if (known) return known
  const fields = contents(set, false)
  written.set(set, fields)
  parsed.set(fields, set)
  return fields
}

function contents(set: PathSet, isMember: boolean): FieldsV1 {
  const fields: Record<string, unknown> = {}
  if (isMember) fields['.'] = nothing
  const elements = [...set.members]
  for (const element of set.children.keys()) if (!set.members.has(element)) elements.push(element)
  if (elements.length > 1) elements.sort(compareElements)
  for (const element of elements) {
    const below = set.children.get(element)
    setOwn(fields, element, below ? contents(below, set.members.has(element)) : nothing)
  }
  return fields
}

/** Reads FieldsV1; elements of unknown kinds are dropped. The same object is read once. */
export function parseFieldsV1(fields: FieldsV1): PathSet {
  const known = parsed.get(fields)
  if (known) return known
  const set = read(fields, 0)
  parsed.set(fields, set)
  return set
}

function read(fields: FieldsV1, depth: number): PathSet {
  refuseBelow(depth)
  const set = new PathSet()
  for (const key of Object.keys(fields)) {
    if (key === '.') continue
    const found = parseElement(key)
    if (!found) continue
    if ('error' in found) throw new Refusal({ code: 'managed-fields-invalid', at: 'fieldsV1', message: found.error })
    const value = fields[key]
    if (!isObject(value)) {
      throw new Refusal({ code: 'managed-fields-invalid', at: 'fieldsV1', message: `${key} must hold an object` })
    }
    const below = read(value, depth + 1)
    if (below.isEmpty || Object.hasOwn(value, '.')) set.addMember(found.element)
    if (!below.isEmpty) set.setChild(found.element, below)
  }
  return set
}
