import { conditions, type CheckTable, degraded, health, healthy, progressing, when } from '../notation.ts'
import { at, conditionsOf, type Fields, shown, textAt } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

function definitionHealth(object: Fields): HealthStatus {
  if (at(object, 'metadata.deletionTimestamp') !== undefined) return progressing('CRD is terminating')
  const all = conditionsOf(object)
  if (all.length === 0) return progressing('Status conditions not found')
  let isEstablished = false
  for (const { type, status, reason, message = '' } of all) {
    if (type === 'Terminating' && status === 'True') return progressing(`CRD is terminating: ${message}`)
    if (type === 'NamesAccepted' && status === 'False') return degraded(`CRD names have not been accepted: ${message}`)
    if (type === 'NonStructuralSchema' && status === 'True') return degraded(`Schema violations found: ${message}`)
    if (type !== 'Established') continue
    if (status === 'True') isEstablished = true
    else if (reason === 'Installing') return progressing('CRD is being installed')
  }
  return isEstablished ? healthy('CRD is healthy') : degraded('CRD is not established')
}

/** A suspended CronJob, or one whose last run cannot be judged, is healthy, as upstream decided (argo-cd#24428, #24429). */
function cronJobHealth(object: Fields): HealthStatus {
  if (at(object, 'spec.suspend') === true) return healthy('CronJob is Suspended')
  if (at(object, 'status') === undefined) return progressing('Waiting for CronJob')
  const scheduled = textAt(object, 'status.lastScheduleTime')
  const succeeded = textAt(object, 'status.lastSuccessfulTime')
  if (scheduled === undefined) return healthy('CronJob has not been scheduled yet')
  if (succeeded === undefined) return healthy('The CronJob never completed successfully. It may not be healthy')
  const active = at(object, 'status.active')
  if (Array.isArray(active) && active.length > 0) {
    return healthy('The job is running. Its last execution may not have been successful')
  }
  return succeeded < scheduled
    ? degraded('CronJob has not completed its last execution successfully')
    : healthy('CronJob has completed its last execution successfully')
}

/** Too few Pods is what a budget is for: it does not make one ill. */
function disruptionBudgetHealth(object: Fields): HealthStatus {
  const all = conditionsOf(object)
  const said = (reason: string | undefined): string => `PodDisruptionBudget has ${shown(reason)}`
  const bad = all.find(({ status, reason }) => status === 'False' && reason !== 'InsufficientPods')
  if (bad) return degraded(said(bad.reason))
  const last = all.at(-1)
  return last ? healthy(said(last.reason)) : progressing('Waiting for status')
}

/** What Kubernetes itself serves, beside the kinds that `builtin.ts` judges. */
export const kubernetesChecks: CheckTable = {
  'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
  'batch/CronJob': cronJobHealth,
  'policy/PodDisruptionBudget': disruptionBudgetHealth,
  'snapshot.storage.k8s.io/VolumeSnapshot': snapshotHealth,
  'snapshot.storage.k8s.io/VolumeSnapshotContent': snapshotHealth,
  'nmstate.io/NodeNetworkConfigurationPolicy': conditions(
    'Waiting for policy to be applied',
    ...(
      [
        ['Available', 'Healthy'],
        ['Degraded', 'Degraded'],
        ['Progressing', 'Progressing'],
        ['Ignored', 'Suspended'],
      ] as const
    ).map(([type, status]) =>
      when(`${type}=True`, status, ({ reason, message }) => (message ? `${shown(reason)}: ${message}` : reason)),
    ),
  ),
}

function snapshotHealth(object: Fields): HealthStatus {
  if (at(object, 'status.readyToUse') === true) return healthy('Ready to use')
  if (at(object, 'status.error') !== undefined) return health('Degraded', textAt(object, 'status.error.message'))
  return progressing('Waiting for status')
}
