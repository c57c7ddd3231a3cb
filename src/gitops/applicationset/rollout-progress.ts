import { parseTime as parseRfc3339 } from '../../kube/time.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject, own } from '../../lib/json.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../fields.ts'
import type { RolloutStep } from './application-set.ts'
import type { FoundCondition } from './conditions.ts'
import { mostAtOnce, type Rollout } from './rollout-steps.ts'

type Fields = Readonly<Record<string, unknown>>

/** How far a rollout is with one Application, as status.applicationStatus tells. */
export interface ApplicationProgress {
  readonly application: string
  readonly status: 'Waiting' | 'Pending' | 'Progressing' | 'Healthy'
  readonly message: string
  /** From 1; -1 where no step selects it. */
  readonly step: string
  readonly targetRevisions: readonly string[]
  readonly lastTransitionTime?: string
}

const STATUSES: readonly ApplicationProgress['status'][] = ['Waiting', 'Pending', 'Progressing', 'Healthy']

/** The progress that a status tells of. */
export const progressIn = (status: unknown): readonly ApplicationProgress[] =>
  (objectsOf(status, 'applicationStatus') ?? []).map((item) => ({
    application: textOf(item, 'application'),
    status: STATUSES.find((each) => each === item['status']) ?? 'Waiting',
    message: textOf(item, 'message'),
    step: textOf(item, 'step'),
    targetRevisions: textsOf(item, 'targetRevisions') ?? [],
    ...(textOf(item, 'lastTransitionTime') === '' ? {} : { lastTransitionTime: textOf(item, 'lastTransitionTime') }),
  }))

export interface ProgressSeen {
  readonly rollout: Rollout
  readonly steps: readonly RolloutStep[]
  readonly before: readonly ApplicationProgress[]
  readonly applications: readonly KubeObject[]
  /** Names of Applications whose spec is not yet what is generated. */
  readonly outdated: ReadonlySet<string>
  readonly now: string
}

export interface Progress {
  readonly statuses: readonly ApplicationProgress[]
  /** The Applications that may be updated now. */
  readonly syncing: ReadonlySet<string>
  readonly conditions: readonly FoundCondition[]
}

/** One step of a rollout's time: what each Application has come to, and who may go next. */
export function advanceRollout(seen: ProgressSeen): Progress {
  const { rollout, steps, now } = seen
  const current = seen.applications.map((application) => progressOf(application, seen))
  const byName = new Map(current.map((status) => [status.application, status]))
  const syncing = open(rollout, byName)
  const statuses = letThrough(current, { rollout, steps, syncing, now })
  const sorted = statuses.toSorted((a, b) => (a.application < b.application ? -1 : 1))
  return { statuses: sorted, syncing, conditions: conditionsOf(sorted, rollout, steps.length) }
}

function progressOf(application: KubeObject, { rollout, before, outdated, now }: ProgressSeen): ApplicationProgress {
  const name = application.metadata.name ?? ''
  const revisions = revisionsOf(application)
  const known = before.find((status) => status.application === name)
  const step = String((rollout.stepOf.get(name) ?? -2) + 1)
  const first: ApplicationProgress = known
    ? { ...known, step }
    : {
        application: name,
        status: 'Waiting',
        message: 'No Application status found, defaulting status to Waiting',
        step,
        targetRevisions: revisions,
        lastTransitionTime: now,
      }
  const hasMoved = known !== undefined && !isEqual(known.targetRevisions, revisions)
  const isOutdated = outdated.has(name)
  const waiting: ApplicationProgress =
    hasMoved || isOutdated
      ? { ...first, targetRevisions: revisions, status: 'Waiting', message: pendingChanges(hasMoved, isOutdated) }
      : first
  const isComparable = !isOutdated && isComparedAsIs(application)
  const next =
    waiting.status !== 'Waiting'
      ? afterUpdating(waiting, application)
      : isComparable
        ? afterWaiting(waiting, application)
        : waiting
  const isNews = !known || next.status !== known.status || next.message !== known.message
  return isNews ? { ...next, lastTransitionTime: now } : { ...next, ...timeOf(known) }
}

const timeOf = ({ lastTransitionTime }: ApplicationProgress): { readonly lastTransitionTime?: string } =>
  lastTransitionTime === undefined ? {} : { lastTransitionTime }

function pendingChanges(hasMoved: boolean, isOutdated: boolean): string {
  const what = hasMoved && isOutdated ? ' (revision and spec differ)' : hasMoved ? '' : ' (spec differs)'
  return `Application has pending changes${what}, setting status to Waiting`
}

const syncOf = (application: KubeObject): string => textOf(fieldsOf(fieldsOf(application, 'status'), 'sync'), 'status')
const healthIn = (application: KubeObject): string =>
  textOf(fieldsOf(fieldsOf(application, 'status'), 'health'), 'status')

function revisionsOf(application: KubeObject): readonly string[] {
  const sync = fieldsOf(fieldsOf(application, 'status'), 'sync')
  const several = textsOf(sync, 'revisions') ?? []
  if (several.length > 0) return several
  const one = textOf(sync, 'revision')
  return one === '' ? [] : [one]
}

/** Whether the Application was compared with the spec that it has now: what was in sync before a change says nothing. */
function isComparedAsIs(application: KubeObject): boolean {
  const spec = fieldsOf(application, 'spec')
  const compared = own(fieldsOf(fieldsOf(application, 'status'), 'sync'), 'comparedTo')
  if (!isObject(compared)) return true
  return ['source', 'sources', 'destination'].every(
    (field) => own(compared, field) === undefined || isEqual(own(compared, field), own(spec, field)),
  )
}

function afterWaiting(status: ApplicationProgress, application: KubeObject): ApplicationProgress {
  if (syncOf(application) !== 'Synced') return status
  const next = healthIn(application) === 'Healthy' ? 'Healthy' : 'Progressing'
  return { ...status, status: next, message: `Application resource has synced, updating status to ${next}` }
}

function afterUpdating(status: ApplicationProgress, application: KubeObject): ApplicationProgress {
  if (status.status === 'Pending') return afterPending(status, application)
  if (status.status !== 'Progressing') return status
  const isDone = healthIn(application) === 'Healthy' && syncOf(application) === 'Synced'
  const message = 'Application resource became Healthy, updating status from Progressing to Healthy'
  return isDone ? { ...status, status: 'Healthy', message } : status
}

function afterPending(status: ApplicationProgress, application: KubeObject): ApplicationProgress {
  const seen = fieldsOf(application, 'status')
  const since = msOf(status.lastTransitionTime ?? '')
  const reconciled = textOf(seen, 'reconciledAt')
  if (reconciled !== '' && msOf(reconciled) <= since) return status
  const operation = fieldsOf(seen, 'operationState')
  if (msOf(textOf(operation, 'startedAt')) >= since && textOf(operation, 'startedAt') !== '') {
    return { ...status, status: 'Progressing', message: startedMessage(textOf(operation, 'phase')) }
  }
  const isBroken = (objectsOf(seen, 'conditions') ?? []).some((condition) =>
    ['InvalidSpecError', 'UnknownError'].includes(textOf(condition, 'type')),
  )
  const message = 'Application resource has error and cannot sync, updating status to Progressing'
  return isBroken ? { ...status, status: 'Progressing', message } : status
}

function startedMessage(phase: string): string {
  const moved = 'updating status from Pending to Progressing'
  if (phase === 'Succeeded') return `Application resource completed a sync successfully, ${moved}`
  if (phase === 'Failed' || phase === 'Error') return `Application resource completed a sync, ${moved}`
  return `Application resource became Progressing, ${moved}`
}

function msOf(time: string): number {
  const read = parseRfc3339(time)
  return read ?? 0
}

/** Every step up to the first that is not Healthy throughout. */
function open(rollout: Rollout, byName: ReadonlyMap<string, ApplicationProgress>): ReadonlySet<string> {
  const syncing = new Set<string>()
  for (const names of rollout.steps) {
    for (const name of names) syncing.add(name)
    if (!names.every((name) => byName.get(name)?.status === 'Healthy')) break
  }
  return syncing
}

function letThrough(
  statuses: readonly ApplicationProgress[],
  {
    rollout,
    steps,
    syncing,
    now,
  }: Pick<ProgressSeen, 'rollout' | 'steps' | 'now'> & { readonly syncing: ReadonlySet<string> },
): readonly ApplicationProgress[] {
  const stepOf = (status: ApplicationProgress): number => rollout.stepOf.get(status.application) ?? 0
  const totals = steps.map(() => 0)
  const updating = steps.map(() => 0)
  for (const status of statuses) {
    const step = stepOf(status)
    totals[step] = (totals[step] ?? 0) + 1
    if (status.status === 'Pending' || status.status === 'Progressing') updating[step] = (updating[step] ?? 0) + 1
  }
  return statuses.map((status) => {
    const step = stepOf(status)
    const most = mostAtOnce(steps[step]?.maxUpdate, totals[step] ?? 0)
    const isFull = most !== undefined && (updating[step] ?? 0) >= most
    if (status.status !== 'Waiting' || !syncing.has(status.application) || isFull) return status
    updating[step] = (updating[step] ?? 0) + 1
    const message = 'Application moved to Pending status, watching for the Application resource to start Progressing'
    return { ...status, status: 'Pending', message, lastTransitionTime: now }
  })
}

function conditionsOf(
  statuses: readonly ApplicationProgress[],
  { issue }: Rollout,
  steps: number,
): readonly FoundCondition[] {
  const numbers = Array.from({ length: steps }, (_, index) => String(index + 1))
  const running = numbers.find((step) => statuses.some((each) => each.step === step && each.status !== 'Healthy'))
  const progressing: FoundCondition =
    running === undefined
      ? {
          type: 'RolloutProgressing',
          status: 'False',
          reason: 'ApplicationSetRolloutComplete',
          message: 'ApplicationSet Rollout has completed',
        }
      : {
          type: 'RolloutProgressing',
          status: 'True',
          reason: 'ApplicationSetModified',
          message: `ApplicationSet is performing rollout of step ${running}`,
        }
  const config: FoundCondition =
    issue === undefined
      ? {
          type: 'InvalidRolloutConfig',
          status: 'False',
          reason: 'ApplicationSetValidRolloutConfig',
          message: 'Rolling Sync Configured correctly',
        }
      : { type: 'InvalidRolloutConfig', status: 'True', reason: 'ApplicationSetInvalidRolloutConfig', message: issue }
  return [config, progressing]
}

/** An Application that only the rollout syncs: it does not sync by itself. */
export function withoutAutomation(application: Fields): Fields {
  const spec = fieldsOf(application, 'spec')
  const syncPolicy = fieldsOf(spec, 'syncPolicy')
  const automated = own(syncPolicy, 'automated')
  if (!isObject(automated)) return application
  return {
    ...application,
    spec: { ...spec, syncPolicy: { ...syncPolicy, automated: { ...automated, enabled: false } } },
  }
}

/** The operation by which a rollout syncs an Application; it prunes where the Application would have. */
export function rolloutOperation(application: Fields): Fields {
  const syncPolicy = fieldsOf(fieldsOf(application, 'spec'), 'syncPolicy')
  const automated = own(syncPolicy, 'automated')
  const isAutomated = isObject(automated) && automated['enabled'] !== false
  const prune = isAutomated && automated['prune'] === true
  const syncOptions = textsOf(syncPolicy, 'syncOptions')
  const retry = own(syncPolicy, 'retry')
  return {
    initiatedBy: { username: 'applicationset-controller', automated: true },
    info: [{ name: 'Reason', value: 'ApplicationSet RollingSync triggered a sync of this Application resource' }],
    sync: { ...(syncOptions ? { syncOptions } : {}), ...(prune ? { prune } : {}) },
    retry: isObject(retry) ? retry : { limit: 5 },
  }
}
