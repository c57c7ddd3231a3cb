import { isObject, own } from '../../lib/json.ts'
import type { KubeObject } from '../object.ts'
import { compare } from './apply/compare.ts'
import { fieldSetOf } from './apply/field-set.ts'
import { compareText } from './apply/path-element.ts'
import { difference, type PathSet } from './apply/path-set.ts'
import type { Type } from './apply/type.ts'
import { validate } from './apply/validate.ts'
import { attempt } from './refusal.ts'

/** Where `kubectl apply` keeps what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** All annotations of an object together may have this many bytes. */
const mostAnnotationBytes = 256 * 1024

/** The fields that client-side apply set and nobody has changed since; undefined when that cannot be told. */
export function appliedBefore(live: KubeObject, type: Type, apiVersion: string): PathSet | undefined {
  const text = annotationsOf(live)[lastAppliedAnnotation]
  const last = typeof text === 'string' && text !== '' ? parse(text) : undefined
  if (!isObject(last) || own(last, 'apiVersion') !== apiVersion) return undefined
  const result = attempt(() => {
    validate(type, last, false)
    const { modified, added, removed } = compare(type, last, live)
    return difference(difference(difference(fieldSetOf(type, last), modified), added), removed)
  })
  return result.ok ? result.value : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whatever is in the annotation is no configuration; then nothing is known to have been applied.
    return undefined
  }
}

function annotationsOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const metadata: unknown = own(object, 'metadata')
  const annotations = isObject(metadata) ? own(metadata, 'annotations') : undefined
  return isObject(annotations) ? annotations : {}
}

/** Keeps the annotation of an object that has one in step with what is applied; one that grows too long is dropped. */
export function withLastApplied(object: KubeObject, patch: KubeObject): KubeObject {
  const annotations = annotationsOf(object)
  if (!own(annotations, lastAppliedAnnotation)) return object
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  const text = `${sortedJson(withoutLastApplied(patch))}\n`
  if (annotations[lastAppliedAnnotation] === text) return object
  const next: Readonly<Record<string, unknown>> = { ...others, [lastAppliedAnnotation]: text }
  const bytes = Object.entries(next).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  )
  const kept = (bytes > mostAnnotationBytes ? others : next) as Readonly<Record<string, string>>
  return { ...object, metadata: { ...object.metadata, annotations: kept } }
}

function withoutLastApplied(patch: KubeObject): KubeObject {
  if (!Object.hasOwn(annotationsOf(patch), lastAppliedAnnotation)) return patch
  const { [lastAppliedAnnotation]: _, ...annotations } = annotationsOf(patch) as Readonly<Record<string, string>>
  return { ...patch, metadata: { ...patch.metadata, annotations } }
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const fields = Object.keys(value).toSorted(compareText)
  return `{${fields.map((name) => `${JSON.stringify(name)}:${sortedJson(value[name])}`).join(',')}}`
}
