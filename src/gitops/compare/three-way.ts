import { isObject, own } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import type { KubeObject } from '../../kube/object.ts'
import { lastAppliedAnnotation } from '../../kube/patch/last-applied.ts'
import { applyMergePatch, createThreeWayMergePatch } from '../../kube/patch/merge-patch.ts'
import { applyStrategicPatch, createThreeWayStrategicPatch } from '../../kube/patch/strategic-patch.ts'
import type { KindFacts } from './normal-form.ts'

/** What `kubectl apply` left of its last manifest in an object; undefined when there is none that can be read. */
export function lastApplied(live: KubeObject): KubeObject | undefined {
  const text = live.metadata.annotations ? own(live.metadata.annotations, lastAppliedAnnotation) : undefined
  if (typeof text !== 'string') return undefined
  try {
    const read: unknown = JSON.parse(text)
    const isWhole = isObject(read) && isObject(read['metadata']) && typeof read['apiVersion'] === 'string'
    return isWhole ? (read as unknown as KubeObject) : undefined
  } catch {
    return undefined // then nothing is known to have been applied
  }
}

/**
 * The live object as client-side apply would leave it: what the target says, without what the last manifest said and the
 * target does not. Without a last manifest the target stands for it.
 */
export function applyThreeWay(
  original: KubeObject,
  target: KubeObject,
  live: KubeObject,
  facts: KindFacts | undefined,
): Result<KubeObject> {
  const merged = facts?.isBuiltin
    ? strategic(withoutNamespace(original), withoutNamespace(target), live, facts)
    : plain(withoutNamespace(original), withoutNamespace(target), live)
  return merged as Result<KubeObject> // a patched object is still one: its identity is in no patch
}

function strategic(original: KubeObject, target: KubeObject, live: KubeObject, { schema }: KindFacts): Result<unknown> {
  const current = original.kind === 'StatefulSet' ? withTemplatesOf(original, live) : live
  const patch = createThreeWayStrategicPatch({ original, modified: target, current, schema, overwrite: true })
  return patch.ok ? applyStrategicPatch(live, patch.value, schema) : patch
}

/** Fields that the last manifest did not have are not looked at: without a type, defaults look like changes. */
function plain(original: KubeObject, target: KubeObject, live: KubeObject): Result<unknown> {
  const current = asInModel(original, live)
  const patch = createThreeWayMergePatch({ original, modified: target, current })
  return patch.ok ? applyMergePatch(live, patch.value) : patch
}

/** Manifests need not say their namespace. */
function withoutNamespace(object: KubeObject): KubeObject {
  if (!Object.hasOwn(object.metadata, 'namespace')) return object
  const { namespace: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** The API server fills in the templates of claims in ways that only it knows. */
function withTemplatesOf(original: KubeObject, live: KubeObject): KubeObject {
  const spec = live['spec']
  const wanted = isObject(original['spec']) ? original['spec']['volumeClaimTemplates'] : undefined
  if (!isObject(spec) || wanted === undefined || spec['volumeClaimTemplates'] === undefined) return live
  return { ...live, spec: { ...spec, volumeClaimTemplates: asInModel(wanted, spec['volumeClaimTemplates']) } }
}

/** Only the fields that a model has, in lists item by item; items that the model does not have stay. */
export function asInModel(model: unknown, value: unknown): unknown {
  if (Array.isArray(model) && Array.isArray(value)) {
    return value.map((item, index) => (index < model.length ? asInModel(model[index], item) : item))
  }
  if (!isObject(model) || !isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => Object.hasOwn(model, name))
      .map(([name, item]) => [name, asInModel(model[name], item)]),
  )
}
