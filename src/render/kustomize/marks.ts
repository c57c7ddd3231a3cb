import { isObject, own, setOwn } from '../../lib/json.ts'
import { editField, type FieldSpec, withEntry } from './field-spec.ts'
import type { Resources } from './resources.ts'

/** Writes labels or annotations into every field of the specs. */
export function setMarks(
  resources: Resources,
  marks: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
): void {
  const entries = Object.entries(marks).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return
  const set = (value: unknown): unknown => {
    if (!isObject(value)) return withEntry(value, '', '')
    if (entries.every(([key, mark]) => own(value, key) === mark)) return value
    const copy: Record<string, unknown> = { ...value }
    for (const [key, mark] of entries) setOwn(copy, key, mark)
    return copy
  }
  for (const resource of resources.list) {
    for (const spec of specs) resource.manifest = editField(resource.manifest, spec, { creates: 'map', set })
  }
}
