import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isTrue } from '../../kube/condition.ts'
import { objectsOf } from '../../lib/fields.ts'

/** Argo Events' EventBus. */
export const EventBusKind: Kind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'EventBus',
  plural: 'eventbus',
  scope: 'Namespaced',
}

/** Whether a bus takes events and gives them on. */
export function isReady(bus: KubeObject | undefined): boolean {
  if (!bus || bus.metadata.deletionTimestamp !== undefined) return false
  const conditions = objectsOf(bus['status'], 'conditions') as Parameters<typeof isTrue>[0] // this platform wrote them
  return isTrue(conditions, 'Configured') && isTrue(conditions, 'Deployed')
}
