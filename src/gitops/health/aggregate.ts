import { own } from '../../lib/json.ts'
import { groupKindText } from '../../kube/gvk.ts'
import type { ComparedResource } from '../compare/comparison.ts'
import { isHook, isIgnoredHook, isSkipped } from '../sync/hook.ts'
import { type HealthStatus, type HealthStatusCode, isWorse } from './status.ts'

const IGNORE_HEALTH = 'argocd.argoproj.io/ignore-healthcheck'
const MOST_CAUSES = 3

/**
 * The health of an Application: that of its worst object (argo-cd 3.x, controller/health.go). An object that is missing does
 * not count as such: being out of sync says it. Where nothing at all is there, the Application is missing.
 */
export function aggregateHealth(resources: readonly ComparedResource[]): HealthStatus {
  let worst: HealthStatusCode = 'Healthy'
  let causes: ComparedResource[] = []
  let hasAny = false
  let hasLive = false
  for (const resource of resources) {
    const { target, live, health } = resource
    if ((target && isSkipped(target)) || isLeftOut(resource)) continue
    hasAny = true
    if (live) hasLive = true
    if (!live || !health || isNotCounted(resource, health)) continue
    if (isWorse(worst, health.status)) {
      worst = health.status
      causes = [resource]
    } else if (worst === health.status && worst !== 'Healthy') {
      causes.push(resource)
    }
  }
  if (hasAny && !hasLive && isWorse(worst, 'Missing')) return { status: 'Missing' }
  return causes.length > 0 ? { status: worst, message: causedBy(causes) } : { status: worst }
}

/** Hooks come and go; they have phases, not health. */
function isLeftOut({ target, live }: ComparedResource): boolean {
  if (live) return isHook(live) || isIgnoredHook(live)
  return target !== undefined && (isHook(target) || isIgnoredHook(target))
}

function isNotCounted({ key, live }: ComparedResource, { status }: HealthStatus): boolean {
  const annotations = live?.metadata.annotations
  if (annotations && own(annotations, IGNORE_HEALTH) === 'true') return true
  const isChild = key.group === 'argoproj.io' && key.kind === 'Application'
  return isChild && (status === 'Missing' || status === 'Unknown')
}

function causedBy(causes: readonly ComparedResource[]): string {
  const texts = causes.slice(0, MOST_CAUSES).map(({ key, health }) => {
    const name = key.namespace === '' ? key.name : `${key.namespace}/${key.name}`
    const why = health?.message ? ` (${health.message})` : ''
    return `${groupKindText(key)} ${name}${why}`
  })
  const more = causes.length > MOST_CAUSES ? ` and ${causes.length - MOST_CAUSES} more` : ''
  return `because of ${texts.join(', ')}${more}`
}
