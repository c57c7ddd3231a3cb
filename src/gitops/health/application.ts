import { isEqual } from '../../lib/json.ts'
import { health, progressing } from './notation.ts'
import { asFields, asObjects, at, type Fields, shown, textAt } from './reading.ts'
import { type HealthStatus, isHealthStatusCode } from './status.ts'

/**
 * An Application inside an Application is as healthy as it says, but only once what it says is about the present: a spec that
 * was not compared yet, or a new revision that is still to be synced, is on its way. Upstream leaves this check to the user
 * since 1.8; without it waves of an app of apps do not wait (argo-cd#3781), and with only the health they wait for the old
 * revision (argo-cd#29347).
 */
export function applicationHealth(object: Fields): HealthStatus | undefined {
  const stated = at(object, 'status.health.status')
  if (!isHealthStatusCode(stated)) return progressing('Waiting for the Application to be compared')
  const because = whatIsToCome(object)
  if (because !== undefined && (stated === 'Healthy' || stated === 'Suspended')) return progressing(because)
  return health(stated, textAt(object, 'status.health.message'))
}

function whatIsToCome(object: Fields): string | undefined {
  const phase = at(object, 'status.operationState.phase')
  if (at(object, 'operation') !== undefined || phase === 'Running' || phase === 'Terminating') {
    return 'Waiting for its sync to finish'
  }
  if (!isCompared(object)) return 'Waiting for its new source to be compared'
  const automated = asFields(at(object, 'spec.syncPolicy.automated'))
  const isAutomated = at(object, 'spec.syncPolicy.automated') !== undefined && automated['enabled'] !== false
  if (!isAutomated || at(object, 'status.sync.status') !== 'OutOfSync') return undefined
  const revision = shown(at(object, 'status.sync.revision'))
  return revision === '' || revision === shown(at(object, 'status.operationState.syncResult.revision'))
    ? undefined
    : 'Waiting for its new revision to be synced'
}

/** Tells whether the last comparison was with the sources that the spec has now. */
function isCompared(object: Fields): boolean {
  const compared = at(object, 'status.sync.comparedTo')
  if (compared === undefined) return true
  const sources = asObjects(at(object, 'spec.sources'))
  return sources.length > 0
    ? isEqual(sources, asObjects(at(asFields(compared), 'sources')))
    : isEqual(asFields(at(object, 'spec.source')), asFields(at(asFields(compared), 'source')))
}
