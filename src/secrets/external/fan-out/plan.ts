import { controllerReference, isControlledBy } from '../../../kube/owner.ts'
import { apiVersionOf, type Kind } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { fieldsOf, objectsOf, textMapOf, textOf, textsOf } from '../../../lib/fields.ts'
import { isEqual, isObject, own } from '../../../lib/json.ts'

/** A kind of the cluster that makes objects of another kind in namespaces. */
export interface FanOut {
  readonly kind: Kind
  readonly child: Kind
  /** The fields of the spec that say what the children are, and those of the status that tell of them. */
  readonly fields: { readonly spec: string; readonly name: string; readonly metadata: string }
}

/** One thing to do, and why. */
export type FanOutStep =
  | { readonly do: 'create' | 'update'; readonly namespace: string; readonly object: KubeObject }
  | { readonly do: 'delete'; readonly namespace: string; readonly name: string; readonly because: string }

export interface FanOutPlan {
  readonly childName: string
  readonly namespaces: readonly string[]
  readonly steps: readonly FanOutStep[]
  /** Where nothing can be made, and why. */
  readonly refused: ReadonlyMap<string, string>
}

const FORCE_SYNC = 'external-secrets.io/force-sync'

/** What is to be made and taken away, so that every namespace that is meant has its child, and no other one. */
export function planFanOut(
  parent: KubeObject,
  { kind, child, fields }: FanOut,
  namespaces: readonly KubeObject[],
  children: readonly KubeObject[],
): FanOutPlan {
  const spec = fieldsOf(parent, 'spec')
  const childName = textOf(spec, fields.name) || (parent.metadata.name ?? '')
  const meant = namespaces.filter((namespace) => isMeant(spec, namespace)).map(({ metadata }) => metadata.name ?? '')
  const refused = new Map<string, string>()
  const steps: FanOutStep[] = []
  for (const namespace of meant) {
    const existing = children.find(({ metadata }) => metadata.namespace === namespace && metadata.name === childName)
    if (existing && !isControlledBy(existing, parent)) {
      refused.set(namespace, `${child.kind} ${childName} already exists in namespace`)
      continue
    }
    const object = childOf(parent, existing, { namespace, name: childName, kind, child, fields })
    if (object !== existing) steps.push({ do: existing ? 'update' : 'create', namespace, object })
  }
  for (const one of children) {
    const { namespace = '', name = '' } = one.metadata
    if (!isControlledBy(one, parent) || (name === childName && meant.includes(namespace))) continue
    const because = name === childName ? 'the namespace is not meant any more' : 'its name is another one now'
    steps.push({ do: 'delete', namespace, name, because })
  }
  return { childName, namespaces: meant, steps, refused }
}

function isMeant(spec: unknown, { metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  if ((textsOf(spec, 'namespaces') ?? []).includes(metadata.name ?? '')) return true
  const one = isObject(spec) ? own(spec, 'namespaceSelector') : undefined
  return [...(isObject(one) ? [one] : []), ...(objectsOf(spec, 'namespaceSelectors') ?? [])].some((selector) => {
    const compiled = compileSelector(selector)
    return compiled.ok && matchesLabels(compiled.value, metadata.labels ?? {})
  })
}

interface ChildParts extends FanOut {
  readonly namespace: string
  readonly name: string
}

/** The child as it should be; the very same object where it is so already. */
function childOf(parent: KubeObject, existing: KubeObject | undefined, parts: ChildParts): KubeObject {
  const { kind, child, fields, namespace, name } = parts
  const spec = fieldsOf(parent, 'spec')
  const metadata = fieldsOf(spec, fields.metadata)
  const force = parent.metadata.annotations?.[FORCE_SYNC]
  const annotations = {
    ...Object.fromEntries(textMapOf(metadata, 'annotations')),
    ...(force === undefined ? {} : { [FORCE_SYNC]: force }),
  }
  const labels = Object.fromEntries(textMapOf(metadata, 'labels'))
  const wanted: KubeObject = {
    apiVersion: apiVersionOf(child),
    kind: child.kind,
    ...existing,
    metadata: {
      ...(existing?.metadata ?? { namespace, name }),
      ...(existing?.metadata.labels || Object.keys(labels).length > 0 ? { labels } : {}),
      ...(existing?.metadata.annotations || Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [controllerReference(parent, kind)],
    },
    spec: fieldsOf(spec, fields.spec),
  }
  return existing && isEqual(existing, wanted) ? existing : wanted
}
