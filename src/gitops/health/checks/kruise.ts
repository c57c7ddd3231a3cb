import { type CheckTable, degraded, healthy, progressing, suspended, unknown } from '../notation.ts'
import { asFields, at, conditionsIn, type Fields, isObserved, numberAt, shown } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

const STARTING = progressing('Waiting for initialization')
const isRevised = (object: Fields): boolean => numberAt(object, 'metadata.generation') > 1

function cloneSetHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined || !isObserved(object)) return STARTING
  const available = at(object, 'status.updatedAvailableReplicas')
  if (at(object, 'spec.updateStrategy.paused') === true || available === undefined) {
    return suspended('Cloneset is paused')
  }
  if (at(object, 'spec.updateStrategy.partition') !== 0 && isRevised(object)) {
    const isHeld =
      numberAt(object, 'status.updatedReplicas') >= numberAt(object, 'status.expectedUpdatedReplicas', Infinity)
    return isHeld ? suspended('Cloneset needs manual intervention') : STARTING
  }
  return available === at(object, 'status.replicas')
    ? healthy('All Cloneset workloads are ready and updated')
    : degraded('Some replicas are not ready or available')
}

function daemonSetHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined || !isObserved(object)) return STARTING
  const updated = at(object, 'status.updatedNumberScheduled')
  if (at(object, 'spec.updateStrategy.rollingUpdate.paused') === true || updated === undefined) {
    return suspended('Daemonset is paused')
  }
  const desired = numberAt(object, 'status.desiredNumberScheduled')
  const partition = numberAt(object, 'spec.updateStrategy.rollingUpdate.partition')
  if (partition !== 0 && isRevised(object)) {
    return numberAt(object, 'status.updatedNumberScheduled') > desired - partition
      ? suspended('Daemonset needs manual intervention')
      : STARTING
  }
  if (updated !== desired) return STARTING
  if (at(object, 'status.numberAvailable') === desired) return healthy('All Daemonset workloads are ready and updated')
  return at(object, 'status.numberUnavailable') === desired
    ? degraded('Some pods are not ready or available')
    : STARTING
}

function statefulSetHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined || !isObserved(object)) return STARTING
  const available = at(object, 'status.updatedAvailableReplicas')
  if (at(object, 'spec.updateStrategy.rollingUpdate.paused') === true || available === undefined) {
    return suspended('Statefulset is paused')
  }
  const replicas = at(object, 'status.replicas')
  const partition = numberAt(object, 'spec.updateStrategy.rollingUpdate.partition')
  if (partition !== 0 && isRevised(object)) {
    return numberAt(object, 'status.updatedReplicas') > numberAt(object, 'status.replicas') - partition
      ? suspended('Statefulset needs manual intervention')
      : STARTING
  }
  return available === replicas
    ? healthy('All Statefulset workloads are ready and updated')
    : degraded('Some replicas are not ready or available')
}

function cronJobHealth(object: Fields): HealthStatus {
  const hasRun = at(object, 'status.lastScheduleTime') !== undefined
  if (!hasRun && at(object, 'spec.paused') === true) return suspended('AdvancedCronJob is Paused')
  const active = at(object, 'status.active')
  if (Array.isArray(active) && active.length > 0) return progressing('AdvancedCronJobs has active jobs')
  return hasRun
    ? healthy('AdvancedCronJobs has run successfully')
    : degraded('AdvancedCronJobs has not run successfully')
}

function broadcastJobHealth(object: Fields): HealthStatus {
  const { desired, succeeded, active, failed, phase } = asFields(object['status'])
  if (desired === succeeded && phase === 'completed') return healthy('BroadcastJob is completed successfully')
  if (active !== 0 && phase === 'running') return progressing('BroadcastJob is still running')
  if (failed !== 0 && phase === 'failed') return degraded('BroadcastJob failed')
  return phase === 'paused' && at(object, 'spec.paused') === true
    ? suspended('BroadcastJob is Paused')
    : progressing('BroadcastJob is still running')
}

function gameServerHealth(object: Fields): HealthStatus {
  const waiting = unknown('Waiting for GameServer to be ready')
  if (at(object, 'status') === undefined) return waiting
  const now = at(object, 'status.currentState')
  const wanted = at(object, 'status.desiredState')
  if (now !== wanted) {
    return progressing(`State change: ${shown(now) || 'Unknown'} → ${shown(wanted) || 'Unknown'}`)
  }
  const conditions = conditionsIn(at(object, 'status.podStatus.conditions'))
  if (conditions.some(({ type, status }) => type === 'KruisePodReady' && status !== 'True')) {
    return degraded('Pod is not ready: KruisePodReady')
  }
  return now === 'Ready' ? healthy('GameServer is Ready') : waiting
}

function gameServerSetHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for GameServerSet initialization')
  if (at(object, 'status') === undefined || !isObserved(object)) return waiting
  const rolling = asFields(at(object, 'spec.updateStrategy.rollingUpdate'))
  if (rolling['paused'] === true) return suspended('GameServerSet is paused')
  const replicas = numberAt(object, 'status.replicas')
  const partition = numberAt(rolling, 'partition')
  if (partition !== 0 && numberAt(object, 'status.updatedReplicas') >= replicas - partition) {
    return suspended(`Partition=${partition}, waiting for manual intervention`)
  }
  if (numberAt(object, 'status.updatedReadyReplicas') === replicas) {
    return healthy('All GameServerSet replicas are updated and ready')
  }
  const ready = numberAt(object, 'status.readyReplicas')
  return ready < replicas ? progressing(`ReadyReplicas ${ready}/${replicas}, still progressing`) : waiting
}

function rolloutHealth(object: Fields): HealthStatus {
  const going = progressing('Rollout is still progressing')
  if (!isObserved(object)) return going
  const step = at(object, 'status.canaryStatus.currentStepState')
  const phase = at(object, 'status.phase')
  if (step === 'StepPaused' && phase === 'Progressing') return suspended('Rollout is Paused need manual intervention')
  if (step === 'Completed' && phase === 'Healthy') return healthy('Rollout is Completed')
  return step === 'StepPaused' && (phase === 'Terminating' || phase === 'Disabled')
    ? degraded('Rollout is Disabled or Terminating')
    : going
}

/** What OpenKruise serves. */
export const kruiseChecks: CheckTable = {
  'apps.kruise.io/AdvancedCronJob': cronJobHealth,
  'apps.kruise.io/BroadcastJob': broadcastJobHealth,
  'apps.kruise.io/CloneSet': cloneSetHealth,
  'apps.kruise.io/DaemonSet': daemonSetHealth,
  'apps.kruise.io/StatefulSet': statefulSetHealth,
  'game.kruise.io/GameServer': gameServerHealth,
  'game.kruise.io/GameServerSet': gameServerSetHealth,
  'rollouts.kruise.io/Rollout': rolloutHealth,
}
