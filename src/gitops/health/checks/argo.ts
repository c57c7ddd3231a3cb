import {
  always,
  type CheckTable,
  conditions,
  decideBy,
  degraded,
  firstOf,
  health,
  healthy,
  progressing,
  states,
  suspended,
  unknown,
  when,
} from '../notation.ts'
import { at, conditionsOf, type Fields, numberAt, textAt } from '../reading.ts'
import { type HealthStatus, isHealthStatusCode } from '../status.ts'

/** What reads as a number, as upstream's checks read it; nothing otherwise. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const text = typeof value === 'string' ? value.trim() : ''
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
}

/** Rollouts before v0.10 wrote a hash for the generation: then it counts as observed. */
function isRolloutObserved(object: Fields): boolean {
  if (at(object, 'status') === undefined) return false
  const generation = numberAt(object, 'metadata.generation')
  const observed = asNumber(at(object, 'status.observedGeneration'))
  if (observed !== undefined && observed <= generation && observed !== generation) return false
  const annotations = at(object, 'metadata.annotations')
  if (at(object, 'spec.workloadRef') === undefined || annotations === undefined) return true
  const workload = (annotations as Fields)['rollout.argoproj.io/workload-generation']
  return asNumber(workload) === asNumber(at(object, 'status.workloadObservedGeneration'))
}

const rolloutFailure = decideBy([
  when('InvalidSpec', 'Degraded'),
  when('Progressing:RolloutAborted', 'Degraded'),
  when('Progressing:ProgressDeadlineExceeded', 'Degraded'),
])

function rolloutHealth(object: Fields): HealthStatus {
  if (!isRolloutObserved(object)) return progressing('Waiting for rollout spec update to be observed')
  const phase = at(object, 'status.phase')
  if (phase !== undefined) {
    const message = textAt(object, 'status.message')
    if (phase === 'Paused') return suspended(message)
    return isHealthStatusCode(phase) ? health(phase, message) : unknown(`the rollout is in an unknown phase`)
  }
  const failure = rolloutFailure(object)
  if (failure) return failure
  const pauses = at(object, 'status.pauseConditions')
  if ((Array.isArray(pauses) && pauses.length > 0) || at(object, 'spec.paused') === true) {
    return suspended('Rollout is paused')
  }
  if (at(object, 'status.currentPodHash') === undefined) {
    return progressing('Waiting for rollout to finish: status has not been reconciled.')
  }
  return replicasWaitedFor(object) ?? stepsWaitedFor(object) ?? healthy('')
}

function replicasWaitedFor(object: Fields): HealthStatus | undefined {
  const updated = numberAt(object, 'status.updatedReplicas')
  if (updated < numberAt(object, 'spec.replicas', 1)) {
    return progressing('Waiting for roll out to finish: More replicas need to be updated')
  }
  return numberAt(object, 'status.availableReplicas') < updated
    ? progressing('Waiting for roll out to finish: updated replicas are still becoming available')
    : undefined
}

function stepsWaitedFor(object: Fields): HealthStatus | undefined {
  const current = at(object, 'status.currentPodHash')
  const stable = at(object, 'status.stableRS') ?? at(object, 'status.canary.stableRS') ?? ''
  if (at(object, 'spec.strategy.blueGreen') !== undefined) {
    if (at(object, 'status.blueGreen.activeSelector') !== current) return progressing('active service cutover pending')
    return stable !== '' && stable !== current ? progressing('waiting for analysis to complete') : undefined
  }
  if (at(object, 'spec.strategy.canary') === undefined) return undefined
  if (numberAt(object, 'status.replicas') > numberAt(object, 'status.updatedReplicas')) {
    return progressing('Waiting for roll out to finish: old replicas are pending termination')
  }
  return stable === current ? undefined : progressing('Waiting for rollout to finish steps')
}

const orText =
  (missing: string) =>
  (_phase: string, object: Fields): string =>
    textAt(object, 'status.message') ?? missing

const analysisPhases = states('status.phase', {
  Pending: ['Progressing', 'Analysis run is running'],
  Running: ['Progressing', 'Analysis run is running'],
  Successful: ['Healthy', orText('Analysis run completed successfully')],
  Failed: ['Degraded', orText('Analysis run failed')],
  Error: ['Degraded', orText('Analysis run had an error')],
  Inconclusive: ['Unknown', orText('Analysis run was inconclusive')],
})

/** What runs once and leaves a phase. */
const runs = (phases: (object: Fields) => HealthStatus | undefined, waiting: string) =>
  firstOf(
    phases,
    (object) => (at(object, 'status') === undefined ? undefined : unknown('its status has no phase')),
    always(progressing(waiting)),
  )

const applicationSetCheck = firstOf(
  decideBy([when('ErrorOccurred=True', 'Degraded')]),
  decideBy([when('ResourcesUpToDate=False', 'Degraded')]),
  decideBy([when('RolloutProgressing=True', 'Progressing')]),
  decideBy([when('ResourcesUpToDate=True', 'Healthy')]),
  always(progressing('Waiting for the status to be reported')),
)

const messageOrReason = ({ message, reason }: { readonly message?: string; readonly reason?: string }) =>
  message ?? reason

/** What the Argo projects serve. */
export const argoChecks: CheckTable = {
  'argoproj.io/AnalysisRun': runs(
    analysisPhases,
    'Waiting for analysis run to finish: status has not been reconciled.',
  ),
  'argoproj.io/ApplicationSet': applicationSetCheck,
  'argoproj.io/CronWorkflow': firstOf(
    decideBy([
      when('SpecError=True', 'Degraded'),
      when('SubmissionError=True', 'Degraded'),
      when('Completed=True', 'Healthy'),
    ]),
    always(healthy('CronWorkflow is healthy.')),
  ),
  'argoproj.io/EventBus': conditions(
    'Waiting for initialization',
    when('Deployed=False', 'Degraded', messageOrReason),
    when('Deployed=True', 'Healthy', messageOrReason),
  ),
  'argoproj.io/EventSource': signalHealth,
  'argoproj.io/Sensor': signalHealth,
  'argoproj.io/Experiment': runs(
    states('status.phase', {
      Pending: ['Progressing', 'Experiment is pending'],
      Running: ['Progressing', 'Experiment is running'],
      Successful: ['Healthy', 'Experiment is successful'],
      Failed: ['Degraded', 'Experiment has failed'],
      Error: ['Degraded', 'Experiment had an error'],
    }),
    'Waiting for experiment to finish: status has not been reconciled.',
  ),
  'argoproj.io/Rollout': rolloutHealth,
}

/**
 * Upstream has no check for EventSources and Sensors, so that a broken one stays green (argo-events#4183). Ours reads their
 * conditions; one without any has no health, as upstream.
 */
function signalHealth(object: Fields): HealthStatus | undefined {
  const all = conditionsOf(object)
  if (all.length === 0) return undefined
  const bad = all.find(({ status }) => status === 'False')
  if (bad) return degraded(messageOrReason(bad))
  const waiting = all.find(({ status }) => status !== 'True')
  return waiting ? progressing(messageOrReason(waiting)) : healthy()
}
