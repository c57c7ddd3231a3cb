import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ComparisonCondition, keyText, type ResourceKey } from './comparison.ts'
import type { ResourceFilter } from './resource-filter.ts'
import { keyOf, type Tracking, withTracking } from './tracking.ts'

/** What the manifests of an Application become before they are compared. */
export interface TargetContext {
  readonly instanceName: string
  /** Of objects that name none. */
  readonly namespace: string
  readonly server: string
  readonly tracking: Tracking
  readonly filter: ResourceFilter
  /** Undefined for a kind that the cluster does not know. */
  readonly isNamespaced: (group: string, kind: string) => boolean | undefined
}

export interface PreparedTargets {
  /** One object a key, in the order of the manifests. */
  readonly targets: readonly PreparedTarget[]
  readonly conditions: readonly ComparisonCondition[]
}

export interface PreparedTarget {
  readonly key: ResourceKey
  readonly object: KubeObject
}

/** Gives manifests their namespace and their marks, keeps the last of those that are one object, and drops what is excluded. */
export function prepareTargets(manifests: readonly KubeObject[], context: TargetContext): PreparedTargets {
  const byKey = new Map<string, { readonly target: PreparedTarget; times: number }>()
  const conditions: ComparisonCondition[] = []
  for (const [index, manifest] of manifests.entries()) {
    const target = prepared(manifest, index, context)
    const { group, kind, name } = target.key
    if (context.filter.isExcluded(group, kind, context.server)) {
      const message = `Resource ${group}/${kind} ${name} is excluded in the settings`
      conditions.push({ type: 'ExcludedResourceWarning', message })
      continue
    }
    const text = keyText(target.key)
    const times = byKey.get(text)?.times ?? 0
    byKey.set(text, { target, times: times + 1 })
  }
  for (const [text, { times }] of byKey) {
    if (times < 2) continue
    const message = `Resource ${text} appeared ${times} times among application resources.`
    conditions.push({ type: 'RepeatedResourceWarning', message })
  }
  return { targets: [...byKey.values()].map(({ target }) => target), conditions }
}

interface Prepared {
  readonly isNamespaced: boolean | undefined
  readonly context: Pick<TargetContext, 'instanceName' | 'namespace' | 'tracking'>
  readonly index: number
  readonly target: PreparedTarget
}

/** Manifests are rendered seldom and compared often: what one became the last time is what it becomes again. */
const known = new WeakMap<KubeObject, Prepared>()

function prepared(manifest: KubeObject, index: number, context: TargetContext): PreparedTarget {
  const isNamespaced = context.isNamespaced(parseApiVersion(manifest.apiVersion).group, manifest.kind)
  const before = known.get(manifest)
  if (before?.index === index && before.isNamespaced === isNamespaced && isSameContext(before.context, context)) {
    return before.target
  }
  const target = prepare(manifest, index, isNamespaced, context)
  const { instanceName, namespace, tracking } = context
  known.set(manifest, { isNamespaced, context: { instanceName, namespace, tracking }, index, target })
  return target
}

const isSameContext = (a: Prepared['context'], b: Prepared['context']): boolean =>
  a.instanceName === b.instanceName &&
  a.namespace === b.namespace &&
  a.tracking.method === b.tracking.method &&
  a.tracking.labelKey === b.tracking.labelKey &&
  a.tracking.installationId === b.tracking.installationId

function prepare(
  manifest: KubeObject,
  index: number,
  isNamespaced: boolean | undefined,
  context: TargetContext,
): PreparedTarget {
  const placed = inNamespace(manifest, isNamespaced, context.namespace)
  const object = isDefinition(placed)
    ? placed
    : withTracking(placed, context.instanceName, context.namespace, context.tracking)
  const key = keyOf(object)
  // Objects with a generated name are never the same one.
  const name = key.name || `${object.metadata.generateName ?? ''}${index}`
  return { key: { ...key, name }, object }
}

/** Definitions are not marked, so nobody prunes them: all objects of their kind would go with them (argo-cd, repository.go). */
const isDefinition = ({ apiVersion, kind }: KubeObject): boolean =>
  kind === 'CustomResourceDefinition' && apiVersion.startsWith('apiextensions.k8s.io/')

/** An object of the cluster has no namespace; a kind that is not known may have one. */
function inNamespace(object: KubeObject, isNamespaced: boolean | undefined, namespace: string): KubeObject {
  const named = object.metadata.namespace ?? ''
  if (isNamespaced === false) {
    if (!Object.hasOwn(object.metadata, 'namespace')) return object
    const { namespace: _, ...metadata } = object.metadata
    return { ...object, metadata }
  }
  return named !== '' || namespace === '' ? object : { ...object, metadata: { ...object.metadata, namespace } }
}
