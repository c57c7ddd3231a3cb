import { type Check, degraded, health, healthy, progressing, suspended, unknown } from './notation.ts'
import {
  asFields,
  asObjects,
  at,
  conditionsIn,
  conditionsOf,
  type Fields,
  numberAt,
  type Seen,
  shown,
  textAt,
} from './reading.ts'
import { podHealth } from './pod.ts'
import type { HealthStatus, HealthStatusCode } from './status.ts'

// The kinds that gitops-engine judges in its own code (argo-cd 3.x, gitops-engine/pkg/health).

const generationOf = (object: Fields): number => numberAt(object, 'metadata.generation')
const observedOf = (object: Fields): number => numberAt(object, 'status.observedGeneration')

function deploymentHealth(object: Fields): HealthStatus {
  if (at(object, 'spec.paused') === true) return suspended('Deployment is paused')
  const waiting = 'Waiting for rollout to finish:'
  if (generationOf(object) > observedOf(object)) {
    return progressing(`${waiting} observed deployment generation less than desired generation`)
  }
  const going = conditionsOf(object).find(({ type }) => type === 'Progressing')
  if (going?.reason === 'ProgressDeadlineExceeded') {
    return degraded(`Deployment "${shown(at(object, 'metadata.name'))}" exceeded its progress deadline`)
  }
  const wanted = at(object, 'spec.replicas')
  const all = numberAt(object, 'status.replicas')
  const updated = numberAt(object, 'status.updatedReplicas')
  const available = numberAt(object, 'status.availableReplicas')
  if (typeof wanted === 'number' && updated < wanted) {
    return progressing(`${waiting} ${updated} out of ${wanted} new replicas have been updated...`)
  }
  if (all > updated) return progressing(`${waiting} ${all - updated} old replicas are pending termination...`)
  return available < updated
    ? progressing(`${waiting} ${available} of ${updated} updated replicas are available...`)
    : healthy()
}

function daemonSetHealth(object: Fields): HealthStatus {
  if (generationOf(object) > observedOf(object)) {
    return progressing('Waiting for rollout to finish: observed daemon set generation less than desired generation')
  }
  const updated = numberAt(object, 'status.updatedNumberScheduled')
  const wanted = numberAt(object, 'status.desiredNumberScheduled')
  const available = numberAt(object, 'status.numberAvailable')
  if (at(object, 'spec.updateStrategy.type') === 'OnDelete') {
    return healthy(`daemon set ${updated} out of ${wanted} new pods have been updated`)
  }
  const waiting = `Waiting for daemon set "${shown(at(object, 'metadata.name'))}" rollout to finish:`
  if (updated < wanted) return progressing(`${waiting} ${updated} out of ${wanted} new pods have been updated...`)
  return available < wanted
    ? progressing(`${waiting} ${available} of ${wanted} updated pods are available...`)
    : healthy()
}

function statefulSetHealth(object: Fields): HealthStatus {
  if (observedOf(object) === 0 || generationOf(object) > observedOf(object)) {
    return progressing('Waiting for statefulset spec update to be observed...')
  }
  const wanted = at(object, 'spec.replicas')
  const ready = numberAt(object, 'status.readyReplicas')
  const updated = numberAt(object, 'status.updatedReplicas')
  if (typeof wanted === 'number' && ready < wanted) {
    return progressing(`Waiting for ${wanted - ready} pods to be ready...`)
  }
  const strategy = at(object, 'spec.updateStrategy.type')
  if (strategy === 'RollingUpdate' && at(object, 'spec.updateStrategy.rollingUpdate') !== undefined) {
    const partition = at(object, 'spec.updateStrategy.rollingUpdate.partition')
    if (typeof wanted === 'number' && typeof partition === 'number' && updated < wanted - partition) {
      const progress = `${updated} out of ${wanted - partition} new pods have been updated...`
      return progressing(`Waiting for partitioned roll out to finish: ${progress}`)
    }
    return healthy(`partitioned roll out complete: ${updated} new pods have been updated...`)
  }
  if (strategy === 'OnDelete') return healthy(`statefulset has ${ready} ready pods`)
  const next = textAt(object, 'status.updateRevision') ?? ''
  const current = textAt(object, 'status.currentRevision') ?? ''
  if (next !== current) {
    return progressing(`waiting for statefulset rolling update to complete ${updated} pods at revision ${next}...`)
  }
  const kept = numberAt(object, 'status.currentReplicas')
  return healthy(`statefulset rolling update complete ${kept} pods at revision ${current}...`)
}

function replicaSetHealth(object: Fields): HealthStatus {
  const waiting = 'Waiting for rollout to finish:'
  if (generationOf(object) > observedOf(object)) {
    return progressing(`${waiting} observed replica set generation less than desired generation`)
  }
  const failure = conditionsOf(object).find(({ type }) => type === 'ReplicaFailure')
  if (failure?.status === 'True') return degraded(failure.message)
  const wanted = at(object, 'spec.replicas')
  const available = numberAt(object, 'status.availableReplicas')
  return typeof wanted === 'number' && available < wanted
    ? progressing(`${waiting} ${available} out of ${wanted} new replicas are available...`)
    : healthy()
}

const CLAIM_PHASES: ReadonlyMap<unknown, HealthStatusCode> = new Map<unknown, HealthStatusCode>([
  ['Lost', 'Degraded'],
  ['Pending', 'Progressing'],
  ['Bound', 'Healthy'],
])

const hasAddress = (object: Fields): boolean => asObjects(at(object, 'status.loadBalancer.ingress')).length > 0

function serviceHealth(object: Fields): HealthStatus {
  return at(object, 'spec.type') === 'LoadBalancer' && !hasAddress(object) ? progressing() : healthy()
}

/** Conditions count by being there, whatever their status, but for suspension: as upstream. */
function jobHealth(object: Fields): HealthStatus {
  let isDone = false
  let message: string | undefined
  let isSuspended = false
  let failure: HealthStatus | undefined
  for (const condition of conditionsOf(object)) {
    if (condition.type === 'Failed') failure = degraded(condition.message)
    if (condition.type !== 'Complete' && condition.type !== 'Suspended') continue
    isDone = true
    message = condition.message
    if (condition.type === 'Suspended' && condition.status === 'True') isSuspended = true
  }
  if (failure) return failure
  if (!isDone) return progressing(message)
  return isSuspended ? suspended(message) : healthy(message)
}

const SCALING_FAILURES: ReadonlySet<string> = new Set([
  'AbleToScale FailedGetScale',
  'AbleToScale FailedUpdateScale',
  'ScalingActive FailedGetResourceMetric',
  'ScalingActive FailedGetObjectMetric',
  'ScalingActive FailedGetPodsMetric',
  'ScalingActive FailedGetExternalMetric',
  'ScalingActive FailedComputeMetricsReplicas',
  'ScalingActive InvalidSelector',
])

function autoscalerHealth(object: Fields): HealthStatus {
  const version = shown(object['apiVersion'])
  if (version !== 'autoscaling/v1' && version !== 'autoscaling/v2') {
    return unknown(`unsupported HPA GVK: ${version}, Kind=HorizontalPodAutoscaler`)
  }
  const all = version === 'autoscaling/v1' ? annotatedConditions(object) : conditionsOf(object)
  if (all === 'unreadable') return unknown('failed to convert conditions annotation to typed: it is not JSON')
  const bad = all.find(({ type, reason }) => SCALING_FAILURES.has(`${shown(type)} ${shown(reason)}`))
  if (bad) return degraded(bad.message)
  const good = all.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  )
  return good ? healthy(good.message) : progressing('Waiting to Autoscale')
}

/** Version 1 of autoscalers has its conditions in an annotation. */
function annotatedConditions(object: Fields): readonly Seen[] | 'unreadable' {
  const text = asFields(at(object, 'metadata.annotations'))['autoscaling.alpha.kubernetes.io/conditions']
  if (typeof text !== 'string') return []
  try {
    return conditionsIn(JSON.parse(text))
  } catch {
    return 'unreadable' // said as the object's health
  }
}

function apiServiceHealth(object: Fields): HealthStatus {
  const available = conditionsOf(object).find(({ type }) => type === 'Available')
  if (!available) return progressing('Waiting to be processed')
  const message = `${shown(available.reason)}: ${shown(available.message)}`
  return health(available.status === 'True' ? 'Healthy' : 'Progressing', message)
}

const WORKFLOW_PHASES: ReadonlyMap<string, HealthStatusCode> = new Map<string, HealthStatusCode>([
  ['', 'Progressing'],
  ['Pending', 'Progressing'],
  ['Running', 'Progressing'],
  ['Succeeded', 'Healthy'],
  ['Failed', 'Degraded'],
  ['Error', 'Degraded'],
])

function workflowHealth(object: Fields): HealthStatus {
  const phase = textAt(object, 'status.phase') ?? ''
  return health(WORKFLOW_PHASES.get(phase) ?? 'Unknown', textAt(object, 'status.message'))
}

const only =
  (version: string, check: Check): Check =>
  (object) =>
    object['apiVersion'] === version
      ? check(object)
      : unknown(
          `unsupported ${shown(object['kind'])} GVK: ${shown(object['apiVersion'])}, Kind=${shown(object['kind'])}`,
        )

const ingressHealth: Check = (object) => (hasAddress(object) ? healthy() : progressing())

/** The kinds judged by code, whatever their version, in which upstream knows one. */
export const builtinChecks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['apps/Deployment', only('apps/v1', deploymentHealth)],
  ['apps/StatefulSet', only('apps/v1', statefulSetHealth)],
  ['apps/ReplicaSet', only('apps/v1', replicaSetHealth)],
  ['apps/DaemonSet', only('apps/v1', daemonSetHealth)],
  ['extensions/Ingress', ingressHealth],
  ['networking.k8s.io/Ingress', ingressHealth],
  ['argoproj.io/Workflow', workflowHealth],
  ['apiregistration.k8s.io/APIService', apiServiceHealth],
  ['Service', only('v1', serviceHealth)],
  ['PersistentVolumeClaim', only('v1', (object) => health(CLAIM_PHASES.get(at(object, 'status.phase')) ?? 'Unknown'))],
  ['Pod', only('v1', podHealth)],
  ['batch/Job', only('batch/v1', jobHealth)],
  ['autoscaling/HorizontalPodAutoscaler', autoscalerHealth],
])
