import type { KubeObject } from '../../kube/object.ts'
import type { Condition } from '../../kube/condition.ts'
import { isEqual } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import { checkDnsSubdomain } from '../../kube/names.ts'
import { formatTime } from '../../kube/time.ts'
import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import { type ApplicationsSync, REFRESH_ANNOTATION } from './application-set.ts'
import { changeOf, ignoreRulesOf, isSameSpec, newApplication } from './change-application.ts'
import { errorConditions, type FoundCondition, healthOf, nextConditions, upToDateConditions } from './conditions.ts'
import type { GeneratedApplication, Generation } from './engine/generate.ts'
import type { Observed } from './observe.ts'
import {
  advanceRollout,
  type ApplicationProgress,
  type Progress,
  progressIn,
  rolloutOperation,
  withoutAutomation,
} from './rollout-progress.ts'
import { rolloutOf } from './rollout-steps.ts'

type Fields = Readonly<Record<string, unknown>>

/** What to do for an ApplicationSet, each step with its reason. */
export interface Plan {
  readonly actions: readonly Action[]
  /** The status after the actions have gone well. */
  readonly status: Fields
  readonly removesRefresh: boolean
  /** When to look again; undefined where changes tell. */
  readonly againAfterMs: number | undefined
  readonly because: string
}

export type Action =
  | { readonly do: 'create'; readonly name: string; readonly application: Fields; readonly because: string }
  | { readonly do: 'change'; readonly name: string; readonly patch: Fields; readonly because: string }
  | {
      readonly do: 'delete'
      readonly name: string
      readonly uid: string
      /** Its resources cannot be deleted, since nobody knows its cluster: the finalizers that stay. */
      readonly finalizers?: readonly string[]
      readonly because: string
    }

/** After a failure that nothing tells of, generators are asked again. */
const RETRY_MS = 180_000

/** What to do about an ApplicationSet. Where its Applications cannot all be worked out, none of them is touched. */
export function planApplicationSet(seen: Observed): Plan {
  const { generation, set } = seen
  if (generation.state === 'failed') {
    const message = generation.problems.map((problem) => problem.message).join('; ')
    return stopped(seen, errorConditions(generation.reason, message, false), `generators failed: ${message}`)
  }
  if (set.strategy.isRolling && set.strategy.steps.length === 0 && seen.settings.progressiveSyncs) {
    const message = 'No steps defined for rollout'
    return stopped(seen, errorConditions('ApplicationSetRolloutError', message, true), message)
  }
  return planGenerated(seen, generation)
}

function stopped(seen: Observed, found: readonly FoundCondition[], because: string): Plan {
  const status = statusOf(seen, found, undefined)
  return { actions: [], status, removesRefresh: false, againAfterMs: RETRY_MS, because }
}

function planGenerated(seen: Observed, { applications }: Extract<Generation, { readonly state: 'done' }>): Plan {
  const { set, settings } = seen
  const faults = faultsOf(applications, seen)
  const rules = ignoreRulesOf(set)
  if (!rules.ok) {
    const message = rules.error.map(explain).join('; ')
    return stopped(seen, errorConditions('UpdateApplicationError', message, true), message)
  }
  const valid = applications
    .filter((made) => !faults.has(made))
    .map((made) => made.application)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const isRolling = set.strategy.isRolling && settings.progressiveSyncs
  const progress = isRolling ? progressOf(seen, valid, rules.value) : undefined
  const wanted = progress ? valid.map((application) => rolledOut(application, progress)) : valid
  const written = writesOf(seen, wanted, rules.value)
  const names = new Set(applications.map(({ application }) => nameOf(application)))
  const actions = [...written.actions, ...deletionsOf(seen, names)]
  const problem = written.problems[0] ?? faultMessage(faults)
  const reason = written.problems.length > 0 ? 'UpdateApplicationError' : 'ApplicationValidationError'
  const found = problem === undefined ? upToDateConditions() : errorConditions(reason, problem, true)
  const againAfterMs = seen.requeueAfterMs ?? (problem === undefined ? undefined : RETRY_MS)
  return {
    actions,
    status: statusOf(seen, [...found, ...(progress?.conditions ?? [])], progress?.statuses),
    removesRefresh: set.metadata.annotations?.[REFRESH_ANNOTATION] !== undefined,
    againAfterMs,
    because: problem ?? `generated ${applications.length} Applications`,
  }
}

/** What judges generated Applications. */
export type Surroundings = Pick<Observed, 'set' | 'projects' | 'destination'>

const nameOf = (application: Fields): string => textOf(fieldsOf(application, 'metadata'), 'name')

/** What is wrong with generated Applications; they are left as they are, neither written nor deleted. */
export function faultsOf(
  applications: readonly GeneratedApplication[],
  seen: Surroundings,
): ReadonlyMap<GeneratedApplication, string> {
  const names = new Set<string>()
  const faults = new Map<GeneratedApplication, string>()
  for (const made of applications) {
    const name = nameOf(made.application)
    const fault = faultOf(made.application, names, seen)
    if (fault !== undefined) faults.set(made, fault)
    else names.add(name)
  }
  return faults
}

function faultOf(
  application: Fields,
  names: ReadonlySet<string>,
  { set, projects, destination }: Surroundings,
): string | undefined {
  const name = nameOf(application)
  if (name === '') {
    return `ApplicationSet ${set.name} contains an application with no name; a name must be set in the template's metadata.name or via a templatePatch (generateName is not supported)`
  }
  if (names.has(name)) return `ApplicationSet ${set.name} contains applications with duplicate name: ${name}`
  const [badName] = checkDnsSubdomain(name)
  if (badName !== undefined)
    return `ApplicationSet ${set.name} contains an application with the name ${JSON.stringify(name)}: ${badName}`
  const spec = fieldsOf(application, 'spec')
  const project = textOf(spec, 'project')
  if (!projects.has(project)) return `application references project ${project} which does not exist`
  const unknown = destination(fieldsOf(spec, 'destination'))
  return unknown === undefined ? undefined : `application destination spec is invalid: ${unknown}`
}

/** The last of them by name, and how many more there are, as upstream tells. */
function faultMessage(faults: ReadonlyMap<GeneratedApplication, string>): string | undefined {
  const byName = [...faults].toSorted(([a], [b]) => (nameOf(a.application) < nameOf(b.application) ? -1 : 1))
  const last = byName.at(-1)?.[1]
  return last !== undefined && faults.size > 1 ? `${last} (and ${faults.size - 1} more)` : last
}

interface Writes {
  readonly actions: readonly Action[]
  readonly problems: readonly string[]
}

const mayUpdate = (sync: ApplicationsSync): boolean => sync === 'sync' || sync === 'create-update'
const mayDelete = (sync: ApplicationsSync): boolean => sync === 'sync' || sync === 'create-delete'

function writesOf(seen: Observed, wanted: readonly Fields[], rules: Parameters<typeof isSameSpec>[2]): Writes {
  const actions: Action[] = []
  const problems: string[] = []
  for (const application of wanted) {
    const name = nameOf(application)
    const found = seen.inNamespace.get(name)
    if (!found) {
      actions.push({
        do: 'create',
        name,
        application: newApplication(seen.set, application),
        because: 'it is generated and not there',
      })
      continue
    }
    if (!mayUpdate(seen.policy)) continue
    const patch = changeOf(seen.set, found, application, { rules, preserved: seen.settings.preserved })
    if (!patch.ok) problems.push(...patch.error.map((problem) => problem.message))
    else if (patch.value) actions.push({ do: 'change', name, patch: patch.value, because: differs(patch.value) })
  }
  return { actions, problems }
}

/** Which parts a patch changes, two levels deep. */
function differs(patch: Fields): string {
  const parts = Object.entries(patch).flatMap(([key, value]) => {
    const below = Object.keys(fieldsOf({ value }, 'value'))
    return below.length > 0 ? below.map((name) => `${key}.${name}`) : [key]
  })
  return `what is generated differs in ${parts.join(', ')}`
}

function deletionsOf(seen: Observed, names: ReadonlySet<string>): readonly Action[] {
  if (!mayDelete(seen.policy)) return []
  return seen.owned.flatMap((application): readonly Action[] => {
    const { name = '', uid = '', finalizers = [], deletionTimestamp } = application.metadata
    if (names.has(name) || deletionTimestamp !== undefined) return []
    const isReachable = seen.destination(fieldsOf(fieldsOf(application, 'spec'), 'destination')) === undefined
    const kept = finalizers.filter((finalizer) => finalizer !== 'resources-finalizer.argocd.argoproj.io')
    const because = 'it is not generated any more'
    if (isReachable || kept.length === finalizers.length) return [{ do: 'delete', name, uid, because }]
    return [
      {
        do: 'delete',
        name,
        uid,
        finalizers: kept,
        because: `${because}; its cluster is unknown, so its resources are left`,
      },
    ]
  })
}

function progressOf(seen: Observed, valid: readonly Fields[], rules: Parameters<typeof isSameSpec>[2]): Progress {
  const { steps } = seen.set.strategy
  const byName = new Map(valid.map((application) => [nameOf(application), application]))
  const outdated = seen.owned.filter((found) => {
    const wanted = byName.get(found.metadata.name ?? '')
    return wanted !== undefined && !isSameSpec(found, fieldsOf(withoutAutomation(wanted), 'spec'), rules)
  })
  return advanceRollout({
    rollout: rolloutOf(steps, valid),
    steps,
    before: progressIn(seen.set.object['status']),
    applications: seen.owned,
    outdated: new Set(outdated.map((found) => found.metadata.name ?? '')),
    now: formatTime(seen.nowMs),
  })
}

/** An Application under a rollout: it syncs when its turn has come, and never by itself. */
function rolledOut(application: Fields, { statuses, syncing }: Progress): Fields {
  const name = nameOf(application)
  const isNext = syncing.has(name) && statuses.some((each) => each.application === name && each.status === 'Pending')
  const quiet = withoutAutomation(application)
  return isNext ? { ...quiet, operation: rolloutOperation(application) } : quiet
}

function statusOf(
  { set, owned, nowMs, settings }: Observed,
  found: readonly FoundCondition[],
  progress: readonly ApplicationProgress[] | undefined,
): Fields {
  const before = fieldsOf(set.object, 'status')
  const conditions = nextConditions((objectsOf(before, 'conditions') ?? []) as unknown as readonly Condition[], found, {
    isRolling: set.strategy.isRolling && settings.progressiveSyncs,
    nowMs,
  })
  const resources = owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(resourceOf)
  return {
    conditions,
    ...(progress && progress.length > 0 ? { applicationStatus: progress } : {}),
    ...(resources.length > 0 ? { resources: resources.slice(0, settings.mostResources) } : {}),
    ...(resources.length > 0 ? { resourcesCount: resources.length } : {}),
    health: healthOf(conditions),
  }
}

function resourceOf(application: KubeObject): Fields {
  const status = fieldsOf(application, 'status')
  const sync = textOf(fieldsOf(status, 'sync'), 'status')
  const health = textOf(fieldsOf(status, 'health'), 'status')
  return {
    group: 'argoproj.io',
    version: 'v1alpha1',
    kind: 'Application',
    name: application.metadata.name ?? '',
    namespace: application.metadata.namespace ?? '',
    ...(sync === '' ? {} : { status: sync }),
    ...(health === '' ? {} : { health: { status: health } }),
  }
}

/** Whether a status says the same, but for when it was said. */
export const isSameStatus = (a: unknown, b: unknown): boolean => isEqual(a ?? {}, b ?? {})
