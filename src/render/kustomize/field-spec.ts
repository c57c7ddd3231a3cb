import { isObject, own, setOwn } from '../../lib/json.ts'
import { remembered } from '../../lib/remembered.ts'
import { prefixed, refuse, Refusal } from './refusal.ts'
import type { Manifest } from './resource.ts'
import { type Gvk, groupVersion, idText, isSelected } from './resource-id.ts'

/** Which field of which kinds a transformer touches. Empty parts of the kind match everything. */
export interface FieldSpec extends Gvk {
  readonly path: string
  readonly create: boolean
}

/** What is done at the end of a path. */
export interface FieldEdit {
  /** What is made where nothing is, for specs that create. */
  readonly creates?: 'map' | 'scalar'
  set(value: unknown): unknown
}

/** The parts of a path; a backslash keeps the separator behind it. */
export function splitPath(path: string, separator: string = '/'): readonly string[] {
  const parts: string[] = []
  const whole = path.length > 1 && path.startsWith(separator) ? path.slice(separator.length) : path
  for (const [index, piece] of whole.split(separator).entries()) {
    const last = parts.at(-1)
    if (index > 0 && last?.endsWith('\\')) parts[parts.length - 1] = last.slice(0, -1) + separator + piece
    else parts.push(piece)
  }
  return parts
}

const partsOf = remembered(5_000, (path: string) => splitPath(path))

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Who a manifest is, for messages. */
export function manifestText(manifest: Manifest): string {
  const metadata = own(manifest, 'metadata')
  const { name, namespace } = isObject(metadata) ? metadata : {}
  return idText({
    ...groupVersion(text(own(manifest, 'apiVersion'))),
    kind: text(own(manifest, 'kind')),
    name: text(name),
    namespace: text(namespace),
  })
}

/** Edits the field of a spec wherever it stands; a manifest of another kind stays as it is. */
export function editField(manifest: Manifest, spec: FieldSpec, edit: FieldEdit): Manifest {
  const kind = text(own(manifest, 'kind'))
  if (spec.kind !== '' && spec.kind !== kind) return manifest
  if (spec.group === '' && spec.version === '') return editPath(manifest, spec, edit)
  const gvk = { ...groupVersion(text(own(manifest, 'apiVersion'))), kind }
  return isSelected(gvk, spec) ? editPath(manifest, spec, edit) : manifest
}

/** Edits the field of a spec without looking at the kind. */
export function editPath(manifest: Manifest, spec: FieldSpec, edit: FieldEdit): Manifest {
  try {
    return editBelow(
      manifest,
      { path: partsOf(spec.path), edit, creates: spec.create ? edit.creates : undefined },
      0,
    ) as Manifest
  } catch (thrown) {
    throw thrown instanceof Refusal
      ? prefixed(`considering field '${spec.path}' of object ${manifestText(manifest)}`, thrown)
      : thrown
  }
}

interface Way {
  readonly path: readonly string[]
  readonly edit: FieldEdit
  readonly creates: FieldEdit['creates'] | undefined
}

function editBelow(value: unknown, way: Way, at: number): unknown {
  const { path, edit, creates } = way
  const part = path[at]
  if (part === undefined) return edit.set(value)
  if (value === null || value === undefined) return value
  if (Array.isArray(value)) {
    let changed = false
    const items = value.map((item: unknown) => {
      const next = editBelow(item, way, at)
      changed ||= next !== item
      return next
    })
    return changed ? items : value
  }
  if (!isObject(value)) return refuse('expected sequence or mapping node')
  const isList = part.endsWith('[]')
  const name = isList ? part.slice(0, -2) : part
  if (name === '') return refuse('cannot set or create an empty field name')
  let field = own(value, name)
  if ((field === undefined || field === null) && creates && !isList) {
    field = at < path.length - 1 || creates === 'map' ? {} : null
  } else if (field === undefined) return value
  const next = editBelow(field, way, at + 1)
  if (next === own(value, name)) return value
  const copy: Record<string, unknown> = { ...value }
  setOwn(copy, name, next)
  return copy
}

const nodeName = (value: unknown): string =>
  Array.isArray(value) ? 'SequenceNode' : isObject(value) ? 'MappingNode' : 'ScalarNode'

/** Refuses lists and maps where a scalar must stand. */
export function demandScalar(value: unknown): void {
  const kind = nodeName(value)
  if (kind !== 'ScalarNode') refuse(`wrong node kind: expected ScalarNode but got ${kind}`)
}

/** A map with one entry set; refuses what is no map. */
export function withEntry(value: unknown, key: string, entry: unknown): unknown {
  if (!isObject(value)) return refuse(`wrong node kind: expected MappingNode but got ${nodeName(value)}`)
  if (own(value, key) === entry) return value
  const copy: Record<string, unknown> = { ...value }
  setOwn(copy, key, entry)
  return copy
}

const sameSpec = (a: FieldSpec, b: FieldSpec): boolean => isSelected(a, b) && a.path === b.path

/** Adds specs that are not there yet; one that says otherwise about creating is a conflict. */
export function mergeSpecs(specs: readonly FieldSpec[], incoming: readonly FieldSpec[]): readonly FieldSpec[] {
  if (specs.length === 0 && incoming.length < 2) return incoming
  const merged = [...specs]
  for (const spec of incoming) {
    const known = merged.find((other) => sameSpec(other, spec))
    if (!known) merged.push(spec)
    else if (known.create !== spec.create) refuse('conflicting fieldspecs')
  }
  return merged
}
