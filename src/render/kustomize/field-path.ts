import { isObject, own, setOwn } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { resolveScalarText, scalarText } from './scalar-text.ts'
import { splitPath } from './field-spec.ts'
import { demand, refuse } from './refusal.ts'

/** The parts of a dotted path; what stands in brackets is one part. */
export function pathParts(path: string): readonly string[] {
  const parts: string[] = []
  const split = splitPath(path, '.')
  for (let at = 0; at < split.length; at++) {
    const part = split[at] ?? ''
    if (!part.startsWith('[') || part.endsWith(']')) {
      parts.push(part)
      continue
    }
    const inside = [part]
    while (at < split.length - 1) {
      const next = split[++at] ?? ''
      inside.push(next)
      if (next.endsWith(']')) break
    }
    const whole = inside.join('.')
    parts.push(whole.includes('=') ? whole : whole.replace(/^[[\]]+|[[\]]+$/g, ''))
  }
  return parts
}

const INDEX = /^\+?\d+$/
const isCondition = (part: string): boolean => part.startsWith('[') && part.endsWith(']')

function conditionOf(part: string): { readonly field: string; readonly value: string } {
  const inside = part.slice(1, -1)
  const equals = inside.indexOf('=')
  if (equals < 0) refuse('list path element must contain fieldName=fieldValue for element to match')
  return { field: inside.slice(0, equals), value: inside.slice(equals + 1) }
}

const textOf = (value: unknown): string => (typeof value === 'object' && value !== null ? '' : scalarText(value))

/** One value below a path without wildcards; undefined where there is none. */
export function lookUp(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const raw of path) {
    const part = raw.trim()
    if (part === '') continue
    if (value === undefined || value === null) return undefined
    if (part === '*') refuse('wildcard is not supported in PathGetter')
    if (part === '-' || INDEX.test(part)) {
      if (!Array.isArray(value)) return refuse(`wrong node kind: expected SequenceNode for "${part}"`)
      value = (value as readonly unknown[]).at(part === '-' ? -1 : Number(part))
    } else if (isCondition(part)) {
      if (!Array.isArray(value)) return refuse(`wrong node kind: expected SequenceNode for "${part}"`)
      const condition = conditionOf(part)
      value = (value as readonly unknown[]).find((item) =>
        condition.field === ''
          ? textOf(item) === condition.value
          : isObject(item) &&
            Object.hasOwn(item, condition.field) &&
            textOf(own(item, condition.field)) === condition.value,
      )
    } else {
      if (!isObject(value)) return refuse(`wrong node kind: expected MappingNode for "${part}"`)
      value = own(value, part)
    }
  }
  return value
}

/** A value by the path of a var: `spec.ports[0].port`. */
export function lookUpField(root: unknown, path: string): unknown {
  const parts = pathParts(path).flatMap((part) => {
    const indexed = /^(.*)\[(\d+)\]$/.exec(part)
    if (!indexed) return [part]
    return indexed[1] ? [indexed[1], indexed[2] ?? ''] : [indexed[2] ?? '']
  })
  try {
    return lookUp(root, parts)
  } catch {
    // A path through something that is no map finds nothing.
    return undefined
  }
}

/** What a path edit does. */
export interface PathEdit {
  /** What is made where nothing is; nothing when undefined. */
  readonly creates: 'map' | 'list' | 'scalar' | undefined
  /** Gets undefined for what was just made as a scalar. */
  set(value: unknown): unknown
}

/** An edited value, and in how many places it was edited. */
export interface Edited {
  readonly value: unknown
  readonly count: number
}

const untouched = (value: unknown): Edited => ({ value, count: 0 })

function fresh(next: string | undefined, { creates }: PathEdit): unknown {
  if (next === undefined) return creates === 'map' ? {} : creates === 'list' ? [] : undefined
  if (INDEX.test(next) || isCondition(next) || next === '-') return []
  return {}
}

/** Edits every value that a path with conditions, indexes and wildcards leads to. */
export function editAt(value: unknown, path: readonly string[], edit: PathEdit, at: number = 0): Edited {
  const part = path[at]
  if (part === undefined) return { value: edit.set(value), count: 1 }
  if (INDEX.test(part)) return editIndex(value, path, edit, at)
  if (isCondition(part)) return editMatching(value, path, edit, at)
  if (part === '*') return editEvery(value, path, edit, at)
  if (value === null || value === undefined) {
    if (edit.creates === undefined) return untouched(value)
  } else if (!isObject(value)) {
    return refuse(`wrong node kind: expected MappingNode for "${part}"`)
  }
  const map = isObject(value) ? value : {}
  if (!Object.hasOwn(map, part)) {
    if (edit.creates === undefined) return untouched(value)
    return withField(map, part, editAt(fresh(path[at + 1], edit), path, edit, at + 1))
  }
  return withField(map, part, editAt(own(map, part), path, edit, at + 1))
}

function withField(map: Readonly<Record<string, unknown>>, name: string, edited: Edited): Edited {
  if (edited.count === 0) return untouched(map)
  const copy: Record<string, unknown> = { ...map }
  setOwn(copy, name, edited.value)
  return { value: copy, count: edited.count }
}

function listOf(value: unknown, part: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (value === undefined || value === null) return []
  return refuse(`wrong node kind: expected SequenceNode for "${part}"`)
}

function editIndex(value: unknown, path: readonly string[], edit: PathEdit, at: number): Edited {
  const part = path[at] ?? ''
  const items = listOf(value, part)
  const index = Number(part)
  const isNew = index === items.length && edit.creates !== undefined
  if (index >= items.length && !isNew) {
    refuse(`index ${index} specified but only ${items.length} elements found`)
  }
  const edited = editAt(isNew ? fresh(path[at + 1], edit) : items[index], path, edit, at + 1)
  return edited.count === 0 ? untouched(value) : { value: items.toSpliced(index, 1, edited.value), count: edited.count }
}

function editSome(
  items: readonly unknown[],
  matches: (item: unknown) => boolean,
  run: (item: unknown) => Edited,
): Edited {
  let count = 0
  const next = items.map((item) => {
    if (!matches(item)) return item
    const edited = run(item)
    count += edited.count
    return edited.count === 0 ? item : edited.value
  })
  return { value: count === 0 ? items : next, count }
}

function editEvery(value: unknown, path: readonly string[], edit: PathEdit, at: number): Edited {
  return editSome(
    listOf(value, '*'),
    () => true,
    (item) => editAt(item, path, edit, at + 1),
  )
}

function editMatching(value: unknown, path: readonly string[], edit: PathEdit, at: number): Edited {
  const part = path[at] ?? ''
  const condition = conditionOf(part)
  const items = listOf(value, part)
  const pattern = demand(compilePattern(condition.value))
  const matches = (item: unknown): boolean => {
    if (condition.field === '') return pattern.matcher(textOf(item)).find()
    if (!isObject(item) || !Object.hasOwn(item, condition.field)) return false
    return pattern.matcher(textOf(own(item, condition.field))).find()
  }
  const run = (item: unknown): Edited =>
    condition.field === '' ? { value: edit.set(item), count: 1 } : editAt(item, path, edit, at + 1)
  const edited = editSome(items, matches, run)
  if (edited.count > 0 || edit.creates === undefined) return edited
  // What is made must match, or there would be no end to making it.
  const made =
    condition.field === ''
      ? resolveScalarText(condition.value)
      : { [condition.field]: resolveScalarText(condition.value) }
  if (!matches(made)) return untouched(value)
  const added = run(made)
  return added.count === 0 ? untouched(value) : { value: [...items, added.value], count: added.count }
}
