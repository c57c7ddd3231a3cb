import type { KubeObject } from '../../../kube/object.ts'
import { parseTime } from '../../../kube/time.ts'
import { lookUp, stringOf } from '../../../lang/gjson/gjson.ts'
import { fieldsOf, isSet, objectsOf, textOf } from '../../../lib/fields.ts'
import { isObject, type Json } from '../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../lib/re2.ts'

export type ChangeType = 'ADD' | 'UPDATE' | 'DELETE'

/** Something that happened to an object. */
export interface ObjectChange {
  readonly type: ChangeType
  readonly object: KubeObject
  /** As it was before; absent where nobody has seen that. */
  readonly old?: KubeObject
}

/** Says whether a change is one to tell. */
export type ChangeFilter = (change: ObjectChange, nowMs: number) => boolean

type Fields = Readonly<Record<string, unknown>>

interface FieldTest {
  readonly path: string
  readonly pattern: Pattern
  readonly wants: boolean
}

/** Compiles `filter` but for its labels, which the cluster is asked with. What began before the start is no news with `afterStart`. */
export function compileChangeFilter(spec: Fields, startedMs: number): ChangeFilter {
  const filter = fieldsOf(spec, 'filter')
  const prefix = textOf(filter, 'prefix')
  const createdBy = parseTime(textOf(filter, 'createdBy'))
  const afterStart = isSet(filter, 'afterStart')
  const tests = (objectsOf(filter, 'fields') ?? []).flatMap(fieldTest)
  // Times of objects are whole seconds.
  const earliest = Math.floor(startedMs / 1_000) * 1_000
  return (change, nowMs) => {
    const { metadata } = change.object
    if (prefix !== '' && !(metadata.name ?? '').startsWith(prefix)) return false
    if (afterStart && happenedMs(change, nowMs) < earliest) return false
    const createdMs = parseTime(metadata.creationTimestamp ?? '')
    if (createdBy !== undefined && createdMs !== undefined && createdMs > createdBy) return false
    return tests.every((test) => passes(test, change.object))
  }
}

function fieldTest(selector: Fields): readonly FieldTest[] {
  const pattern = compilePattern(textOf(selector, 'value'))
  if (!pattern.ok) return []
  return [{ path: textOf(selector, 'key'), pattern: pattern.value, wants: textOf(selector, 'operation') !== '!=' }]
}

function passes({ path, pattern, wants }: FieldTest, object: KubeObject): boolean {
  const found = lookUp(object as unknown as Json, path) // an object of the API is JSON
  return found !== undefined && pattern.matcher(stringOf(found)).find() === wants
}

/** When something happened, as far as the object tells (argo-events v1.9, sources/resource). */
function happenedMs({ type, object }: ObjectChange, nowMs: number): number {
  const { creationTimestamp = '', deletionTimestamp, managedFields = [] } = object.metadata
  if (type === 'DELETE') return deletionTimestamp === undefined ? nowMs : (parseTime(deletionTimestamp) ?? nowMs)
  const created = parseTime(creationTimestamp) ?? nowMs
  if (type === 'ADD') return created
  const writes = managedFields.flatMap((entry) =>
    isObject(entry) && entry.operation === 'Update' ? [parseTime(textOf(entry, 'time')) ?? created] : [],
  )
  return Math.max(created, ...writes.slice(0, 1_000))
}
