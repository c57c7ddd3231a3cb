import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import type { HealthStatus } from '../health/status.ts'
import { type Application, type Operation, sourcesOf } from './application.ts'
import type { Refresh } from './app-ports.ts'

/** What an Application's own change asks for: nothing when we have made it ourselves. */
export function refreshFor(before: Application | undefined, now: Application): Refresh | 'nothing' {
  if (!before) return 'sources'
  if (!isEqual(sourcesOf(before.spec), sourcesOf(now.spec))) return 'sources'
  if (!isEqual(before.spec, now.spec)) return 'live'
  const { metadata } = now
  const isSame =
    before.metadata.deletionTimestamp === metadata.deletionTimestamp &&
    isEqual(before.metadata.annotations, metadata.annotations) &&
    isEqual(before.metadata.labels, metadata.labels) &&
    isEqual(before.metadata.finalizers, metadata.finalizers)
  if (!isSame) return 'live'
  if (now.operation && !isEqual(before.operation, now.operation))
    return asksForNewest(now.operation) ? 'normal' : 'live'
  const [was, is] = [before.status?.operationState?.phase, now.status?.operationState?.phase]
  return is === 'Terminating' && was !== 'Terminating' ? 'live' : 'nothing'
}

/** Whoever asks for a sync without a revision means the newest there is now, not the newest that was seen lately. */
function asksForNewest({ initiatedBy, sync }: Operation): boolean {
  if (!sync || initiatedBy?.automated === true) return false
  return !sync.revision && (sync.revisions ?? []).every((revision) => revision === '')
}

/** Tells whether a live object's change can change a comparison or the health; most updates of a status cannot. */
export function isMeaningful(
  before: KubeObject,
  now: KubeObject,
  healthOf: (object: KubeObject) => HealthStatus | undefined,
): boolean {
  const { metadata: old } = before
  const { metadata: next } = now
  if (old.uid !== next.uid || old.deletionTimestamp !== next.deletionTimestamp) return true
  if (!isEqual(old.labels, next.labels) || !isEqual(old.annotations, next.annotations)) return true
  if (!isEqual(old.finalizers, next.finalizers) || !isEqual(old.ownerReferences, next.ownerReferences)) return true
  const isSpecKnown = old.generation !== undefined && old.generation === next.generation
  if (!isSpecKnown && !isEqual(withoutStatus(before), withoutStatus(now))) return true
  return !isEqual(healthOf(before), healthOf(now))
}

function withoutStatus({ metadata: _metadata, status: _status, ...rest }: KubeObject): object {
  return rest
}
