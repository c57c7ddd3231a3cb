import { createHash } from 'node:crypto'
import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { controllerReference } from '../../kube/owner.ts'
import { isEqual, isObject } from '../../lib/json.ts'

/** What Pods are made from. */
export interface PodTemplate {
  readonly metadata?: ObjectMeta
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The label that tells the Pods of one template from those of the next. */
export const TEMPLATE_HASH = 'pod-template-hash'

/** A Pod after a template, controlled by its owner. */
export function podOf(
  template: PodTemplate,
  owner: KubeObject,
  kind: GroupVersionKind,
  name: { readonly name: string } | { readonly generateName: string },
): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...name,
      namespace: owner.metadata.namespace ?? '',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner, kind)],
    },
    spec: template.spec ?? {},
  }
}

/** `web-` for an owner called web; shortened so that a suffix fits. */
export const generateNameFor = (owner: KubeObject): string => `${(owner.metadata.name ?? '').slice(0, 57)}-`

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** Ten letters that differ between different values; a count of collisions makes others of the same value. */
export function hashOf(value: unknown, collisions: number = 0): string {
  const digest = createHash('sha256')
    .update(canonical(value))
    .update(collisions > 0 ? `#${collisions}` : '')
    .digest()
  return Array.from(digest.subarray(0, 10), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
}

/** JSON with sorted keys. The value comes from the API server, which bounds its depth. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, below: unknown) =>
    isObject(below) ? Object.fromEntries(Object.entries(below).toSorted(([a], [b]) => (a < b ? -1 : 1))) : below,
  )
}

/** The template without the label that is made from it. */
export function withoutHash(template: PodTemplate): PodTemplate {
  const { [TEMPLATE_HASH]: _hash, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** Tells whether two templates make the same Pods, whatever their hash labels say. */
export function isSameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return isEqual(comparable(a), comparable(b))
}

function comparable(template: PodTemplate): unknown {
  const { metadata = {}, spec = {} } = withoutHash(template)
  const { labels = {}, annotations = {}, creationTimestamp: _created, ...rest } = metadata
  return { metadata: { ...rest, labels, annotations }, spec }
}
