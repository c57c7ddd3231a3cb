import { formatTime } from '../../../kube/time.ts'
import { isEqual } from '../../../lib/json.ts'
import type { Comparison, ComparedResource } from '../../compare/comparison.ts'
import { imagesOf } from '../../sync/task-results.ts'
import { linksSummary } from '../../tree/tree.ts'
import {
  type Application,
  type ApplicationCondition,
  type ApplicationStatus,
  type OperationState,
  type ResourceStatus,
  type RevisionHistory,
  sourcesOf,
} from '../application.ts'

/** What a turn has found out about an Application. */
export interface StatusFacts {
  readonly nowMs: number
  readonly controllerNamespace: string
  readonly persistsHealth: boolean
  /** Undefined where nothing could be compared: what is known stays, and is called unknown. */
  readonly compared?: {
    readonly comparison: Comparison
    readonly revisions: readonly string[]
    readonly sourceTypes: readonly string[]
    /** The sources were asked, not only the cluster. */
    readonly isFresh: boolean
  }
  readonly conditions: readonly ApplicationCondition[]
  readonly operationState?: OperationState
  readonly history?: readonly RevisionHistory[]
}

/** The status that says all that. What did not change keeps its times, so that writing it again is no change. */
export function statusOf(app: Application, facts: StatusFacts): ApplicationStatus {
  const before = app.status ?? {}
  const { compared, operationState, history, controllerNamespace } = facts
  const conditions = withTimes(before.conditions ?? [], facts.conditions, facts.nowMs)
  const rest = {
    ...before,
    controllerNamespace,
    ...(operationState ? { operationState } : {}),
    ...(history && history.length > 0 ? { history } : {}),
  }
  const { conditions: _before, ...shared } = rest
  const common = { ...shared, ...(conditions.length > 0 ? { conditions } : {}) }
  if (!compared) return unknownStatus(common, app, facts)
  const { comparison, revisions, sourceTypes, isFresh } = compared
  const isMany = (app.spec.sources?.length ?? 0) > 0
  const images = [...new Set(comparison.resources.flatMap(({ live }) => imagesOf(live)))].toSorted()
  const summary = { ...(images.length > 0 ? { images } : {}), ...linksSummary(comparison.resources, app) }
  return {
    ...common,
    reconciledAt: isFresh || before.reconciledAt === undefined ? formatTime(facts.nowMs) : before.reconciledAt,
    sync: {
      status: comparison.syncStatus,
      comparedTo: comparedTo(app),
      ...(isMany ? { revisions } : { revision: revisions[0] ?? '' }),
    },
    health: healthOf(before, comparison, facts.nowMs),
    resources: comparison.resources.map((one) => resourceStatus(one, facts.persistsHealth)).toSorted(byKey),
    summary,
    ...(isMany ? { sourceTypes } : { sourceType: sourceTypes[0] ?? '' }),
  }
}

function comparedTo({ spec }: Application): NonNullable<NonNullable<ApplicationStatus['sync']>['comparedTo']> {
  const { destination, ignoreDifferences } = spec
  const isMany = (spec.sources?.length ?? 0) > 0
  return {
    destination,
    ...(isMany ? { sources: sourcesOf(spec) } : spec.source ? { source: spec.source } : {}),
    ...(ignoreDifferences && ignoreDifferences.length > 0 ? { ignoreDifferences } : {}),
  }
}

function unknownStatus(common: ApplicationStatus, app: Application, facts: StatusFacts): ApplicationStatus {
  const { sync, resources } = app.status ?? {}
  return {
    ...common,
    sync: { comparedTo: comparedTo(app), ...sync, status: 'Unknown' },
    health: unreadHealth(app, facts),
    ...(resources
      ? { resources: resources.map((one) => (one.status === undefined ? one : { ...one, status: 'Unknown' as const })) }
      : {}),
  }
}

/**
 * That sources cannot be read says nothing of what runs: its health stays, and what runs nothing is healthy, as upstream.
 * An Application that may not be at all is unknown.
 */
function unreadHealth(app: Application, { conditions, nowMs }: StatusFacts): NonNullable<ApplicationStatus['health']> {
  const { health, resources = [] } = app.status ?? {}
  const isInvalid = conditions.some(({ type }) => type === 'InvalidSpecError')
  const status = isInvalid ? 'Unknown' : resources.length > 0 ? (health?.status ?? 'Unknown') : 'Healthy'
  return health?.status === status ? health : { status, lastTransitionTime: formatTime(nowMs) }
}

function healthOf(
  { health }: ApplicationStatus,
  { healthStatus, healthBecause }: Comparison,
  nowMs: number,
): NonNullable<ApplicationStatus['health']> {
  const isSame = health?.status === healthStatus
  return {
    status: healthStatus,
    ...(healthBecause && healthStatus !== 'Healthy' ? { message: healthBecause } : {}),
    lastTransitionTime: isSame && health.lastTransitionTime ? health.lastTransitionTime : formatTime(nowMs),
  }
}

function resourceStatus(one: ComparedResource, persistsHealth: boolean): ResourceStatus {
  const { key, version, status, isHook, health, requiresPruning, requiresDeletionConfirmation, syncWave } = one
  return {
    ...(key.group === '' ? {} : { group: key.group }),
    version,
    kind: key.kind,
    ...(key.namespace === '' ? {} : { namespace: key.namespace }),
    name: key.name,
    ...(status ? { status } : {}),
    ...(isHook ? { hook: true } : {}),
    ...(health && persistsHealth && !isHook ? { health } : {}),
    ...(requiresPruning ? { requiresPruning: true } : {}),
    ...(requiresDeletionConfirmation ? { requiresDeletionConfirmation: true } : {}),
    ...(syncWave === 0 ? {} : { syncWave }),
  }
}

const textOf = ({ group = '', kind = '', namespace = '', name = '' }: ResourceStatus): string =>
  `${group}/${kind}/${namespace}/${name}`

const byKey = (a: ResourceStatus, b: ResourceStatus): number => (textOf(a) < textOf(b) ? -1 : 1)

/** Conditions that were there before keep the time since when they hold. */
function withTimes(
  before: readonly ApplicationCondition[],
  now: readonly ApplicationCondition[],
  nowMs: number,
): readonly ApplicationCondition[] {
  const next = now
    .map(({ type, message }) => {
      const known = before.find((one) => one.type === type && one.message === message)
      return known ?? { type, message, lastTransitionTime: formatTime(nowMs) }
    })
    .toSorted((a, b) => (`${a.type} ${a.message}` < `${b.type} ${b.message}` ? -1 : 1))
  return isEqual(before, next) ? before : next
}
