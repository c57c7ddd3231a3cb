import { type Check, type CheckTable, degraded, healthy, progressing, unknown } from '../notation.ts'
import { at, conditionsOf, type Fields, isObserved, type Seen, textAt } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

interface Flow {
  readonly kind: string
  /** Said of unhealthy parts; without it, what the last bad condition says. */
  readonly parts?: string
  /** Phases that stand for a pause, which is well. */
  readonly pauses?: readonly string[]
  /** A label of Numaplane can say that an upgrade failed. */
  readonly upgrades: boolean
}

/** Numaflow: a phase, and conditions of the parts. */
function flowHealth({ kind, parts, pauses = [], upgrades }: Flow): Check {
  return (object) => {
    const waiting = progressing(`Waiting for ${kind} status`)
    if (at(object, 'status') === undefined || !isObserved(object)) return waiting
    const phase = textAt(object, 'status.phase')
    if (phase === 'Failed') return degraded(textAt(object, 'status.message'))
    const labels = at(object, 'metadata.labels') as Fields | undefined
    if (upgrades && labels?.['numaplane.numaproj.io/progressive-result-state'] === 'failed') {
      return degraded('Failed progressive upgrade')
    }
    const bad = conditionsOf(object).findLast(({ status }) => status === 'False')
    if (bad) return degraded(parts ?? bad.message)
    if (phase !== undefined && pauses.includes(phase)) return healthy(`${kind} is paused`)
    return phase === 'Running' ? healthy(`${kind} is healthy`) : waiting
  }
}

const find = (object: Fields, wanted: string, value: string): Seen | undefined =>
  conditionsOf(object).find(({ type, status }) => type === wanted && status === value)

interface Rolling {
  /** The reason by which the child's failure is told; any but Progressing without it. */
  readonly failure?: string
  readonly pause?: string
  readonly upgrades: boolean
  readonly unknownText: string
}

/** Numaplane's rollouts: progress, then failure, then pause, then health. */
function rolloutHealth({ failure, pause, upgrades, unknownText }: Rolling): Check {
  return (object) =>
    rolloutProgress(object, upgrades) ??
    rolloutFailure(object, upgrades, failure) ??
    rolloutEnd(object, pause) ??
    unknown(unknownText)
}

function rolloutProgress(object: Fields, upgrades: boolean): HealthStatus | undefined {
  if (at(object, 'status') === undefined || !isObserved(object)) return progressing('Not yet reconciled')
  const strategy = textAt(object, 'status.upgradeInProgress') ?? ''
  const isUpgrading = strategy !== '' || at(object, 'status.phase') === 'Pending'
  const hasFailed = upgrades && find(object, 'ProgressiveUpgradeSucceeded', 'False') !== undefined
  if (isUpgrading && !hasFailed) return progressing('Update in progress')
  const isChildBusy = conditionsOf(object).some(
    ({ type, status, reason }) => type === 'ChildResourcesHealthy' && status === 'False' && reason === 'Progressing',
  )
  return isChildBusy ? progressing('Child Progressing') : undefined
}

function rolloutFailure(object: Fields, upgrades: boolean, failure: string | undefined): HealthStatus | undefined {
  if (at(object, 'status.phase') === 'Failed') return degraded(textAt(object, 'status.message'))
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (status !== 'False') continue
    const isChild = failure === undefined ? reason !== 'Progressing' : reason === failure
    if (type === 'ChildResourcesHealthy' && isChild) return degraded(message)
    if (upgrades && type === 'ProgressiveUpgradeSucceeded') return degraded('Progressive upgrade failed')
  }
  return undefined
}

function rolloutEnd(object: Fields, pause: string | undefined): HealthStatus | undefined {
  const paused = pause === undefined ? undefined : find(object, pause, 'True')
  if (paused) return healthy(paused.message)
  return find(object, 'ChildResourcesHealthy', 'True') ? healthy('Healthy') : undefined
}

/** The Numaproj projects' kinds. */
export const numaprojChecks: CheckTable = {
  'numaflow.numaproj.io/InterStepBufferService': flowHealth({ kind: 'InterStepBufferService', upgrades: true }),
  'numaflow.numaproj.io/MonoVertex': flowHealth({
    kind: 'MonoVertex',
    parts: 'Subresources are unhealthy',
    pauses: ['Paused'],
    upgrades: true,
  }),
  'numaflow.numaproj.io/Pipeline': flowHealth({
    kind: 'Pipeline',
    parts: 'Subresources are unhealthy',
    pauses: ['Paused', 'Pausing'],
    upgrades: true,
  }),
  'numaflow.numaproj.io/Vertex': flowHealth({ kind: 'Vertex', pauses: ['Paused'], upgrades: false }),
  'numaplane.numaproj.io/ISBServiceRollout': rolloutHealth({
    failure: 'ISBSvcFailed',
    upgrades: true,
    unknownText: 'Unknown status',
  }),
  'numaplane.numaproj.io/MonoVertexRollout': rolloutHealth({
    failure: 'MonoVertexFailed',
    pause: 'MonoVertexPausingOrPaused',
    upgrades: true,
    unknownText: 'Unknown MonoVertex status',
  }),
  'numaplane.numaproj.io/NumaflowControllerRollout': rolloutHealth({ upgrades: false, unknownText: 'Unknown status' }),
  'numaplane.numaproj.io/PipelineRollout': rolloutHealth({
    failure: 'PipelineFailed',
    pause: 'PipelinePausingOrPaused',
    upgrades: true,
    unknownText: 'Unknown Pipeline status',
  }),
}
