import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import { replicaSetSpecOf, replicaSetStatusOf } from '../replicaset/replicaset.ts'
import { hashOf, isSameTemplate, TEMPLATE_HASH, withoutHash } from '../pods/template.ts'
import {
  annotatedNumber,
  type Bounds,
  boundsOf,
  deploymentSpecOf,
  deploymentStatusOf,
  DESIRED,
  inheritedAnnotations,
  MAX,
  REVISION,
  REVISION_HISTORY,
  revisionOf,
} from './deployment.ts'
import type { Observed } from './observe.ts'
import { proportionally } from './proportion.ts'

/** One write that a rollout consists of. */
export type Step =
  | { readonly do: 'create-set'; readonly set: KubeObject; readonly because: string }
  | { readonly do: 'scale-set'; readonly set: KubeObject; readonly replicas: number; readonly because: string }
  | {
      readonly do: 'annotate-set'
      readonly set: KubeObject
      readonly annotations: Readonly<Record<string, string>>
      readonly minReadySeconds: number
      readonly because: string
    }
  | { readonly do: 'annotate-deployment'; readonly revision: string; readonly because: string }
  | { readonly do: 'delete-set'; readonly set: KubeObject; readonly because: string }

/** What the next turn of a rollout writes, before it tells how it stands. */
export interface DeploymentPlan {
  readonly steps: readonly Step[]
  /** The set of the present template, once there is one. */
  readonly current: KubeObject | undefined
  readonly because: string
}

/** The sets as a rollout sees them: that of the present template, and the others by age. */
export interface Sets {
  readonly current: KubeObject | undefined
  readonly old: readonly KubeObject[]
}

const replicasOf = (set: KubeObject): number => replicaSetSpecOf(set).replicas ?? 1
const availableOf = (set: KubeObject): number => replicaSetStatusOf(set).availableReplicas ?? 0
const sum = (sets: readonly KubeObject[], of: (set: KubeObject) => number): number =>
  sets.reduce((total, set) => total + of(set), 0)

/** The oldest set with the template is the current one, so that two namesakes never take turns. */
export function splitSets(deployment: KubeObject, sets: readonly KubeObject[]): Sets {
  const { template = {} } = deploymentSpecOf(deployment)
  const byAge = sets.toSorted(olderFirst)
  const current = byAge.find((set) => isSameTemplate(replicaSetSpecOf(set).template ?? {}, template))
  return { current, old: byAge.filter((set) => set !== current) }
}

function olderFirst(a: KubeObject, b: KubeObject): number {
  const times = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''] as const
  if (times[0] !== times[1]) return times[0] < times[1] ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** Decides the next small step of a rollout; each waits for the one before it to show in the sets' status. */
export function planDeployment(seen: Observed): DeploymentPlan {
  const { deployment, sets } = seen
  const split = splitSets(deployment, sets)
  const plan = (steps: readonly Step[], because: string): DeploymentPlan => ({ steps, current: split.current, because })
  if (deployment.metadata.deletionTimestamp !== undefined) return plan([], 'the Deployment is being deleted')
  const spec = deploymentSpecOf(deployment)
  const bounds = boundsOf(spec)
  if (spec.paused === true) {
    const told = split.current ? annotations(deployment, split) : []
    return plan([...told, ...scaling(seen, split, bounds), ...cleanup(deployment, split)], 'the Deployment is paused')
  }
  if (isScalingEvent(deployment, sets)) return plan(scaling(seen, split, bounds), 'the number of replicas was changed')
  return spec.strategy?.type === 'Recreate' ? recreate(seen, split, plan) : roll(seen, split, bounds, plan)
}

type Plan = (steps: readonly Step[], because: string) => DeploymentPlan

function recreate(seen: Observed, split: Sets, plan: Plan): DeploymentPlan {
  const { deployment, podsOf } = seen
  const { replicas = 1 } = deploymentSpecOf(deployment)
  const down = split.old.filter((set) => replicasOf(set) > 0)
  if (down.length > 0) {
    const because = 'Recreate removes the old Pods first'
    return plan(
      down.map((set) => ({ do: 'scale-set', set, replicas: 0, because })),
      because,
    )
  }
  const isLeaving = split.old.some(({ metadata }) => (podsOf.get(metadata.uid ?? '') ?? 0) > 0)
  if (isLeaving) return plan([], 'old Pods are still there')
  if (!split.current) return plan([create(seen, split, replicas)], 'the template is new')
  const told = annotations(deployment, split)
  const up = scaleTo(split.current, replicas, 'the old Pods are gone')
  return plan(
    [...told, ...up, ...cleanup(deployment, split)],
    up.length > 0 ? 'the old Pods are gone' : 'nothing to do',
  )
}

function roll(seen: Observed, split: Sets, bounds: Bounds, plan: Plan): DeploymentPlan {
  const { deployment } = seen
  const { replicas = 1 } = deploymentSpecOf(deployment)
  const { current, old } = split
  const room = replicas + bounds.surge - sum(old, replicasOf)
  if (!current) return plan([create(seen, split, Math.max(0, Math.min(replicas, room)))], 'the template is new')
  const told = annotations(deployment, split)
  const wanted = nextSize(current, replicas, room)
  if (wanted !== replicasOf(current)) {
    const because = `there is room for ${Math.max(0, room)} Pods of the present template`
    return plan([...told, ...scaleTo(current, wanted, because)], because)
  }
  const down = scaleDown(old, current, replicas - bounds.unavailable)
  if (down.length > 0) return plan([...told, ...down], 'enough Pods are available without these')
  return plan(
    [...told, ...cleanup(deployment, split)],
    isComplete(deployment, split) ? 'rolled out' : 'Pods are on their way',
  )
}

/** Down at once where it is too large, up as far as there is room. */
function nextSize(current: KubeObject, replicas: number, room: number): number {
  const size = replicasOf(current)
  if (size >= replicas) return replicas
  return Math.max(size, Math.min(replicas, room))
}

/** Pods of old sets that are not available go first and at once; the others only as far as enough stay available. */
function scaleDown(old: readonly KubeObject[], current: KubeObject, leastAvailable: number): readonly Step[] {
  const all = [...old, current]
  const unavailable = replicasOf(current) - availableOf(current)
  let removable = sum(all, replicasOf) - leastAvailable - unavailable
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]))
  const take = (set: KubeObject, count: number): void => {
    sizes.set(set, (sizes.get(set) ?? 0) - count)
  }
  for (const set of old) {
    if (removable <= 0) break
    const count = Math.min(removable, Math.max(0, replicasOf(set) - availableOf(set)))
    take(set, count)
    removable -= count
  }
  let spare = sum(all, availableOf) - leastAvailable
  for (const set of old) {
    if (spare <= 0) break
    const count = Math.min(spare, sizes.get(set) ?? 0)
    take(set, count)
    spare -= count
  }
  return [...sizes].flatMap(([set, size]) => scaleTo(set, size, 'an old Pod is not needed any more'))
}

const scaleTo = (set: KubeObject, replicas: number, because: string): readonly Step[] =>
  replicas === replicasOf(set) ? [] : [{ do: 'scale-set', set, replicas, because }]

/** Everything that is wished for runs from the present template, and nothing else runs. */
export function isComplete(deployment: KubeObject, { current, old }: Sets): boolean {
  const { replicas = 1 } = deploymentSpecOf(deployment)
  if (!current) return false
  return (
    (replicaSetStatusOf(current).replicas ?? 0) === replicas &&
    availableOf(current) >= replicas &&
    sum(old, (set) => replicaSetStatusOf(set).replicas ?? 0) === 0
  )
}

/** A set remembers the size that it was made for; another one means that somebody scaled the Deployment. */
function isScalingEvent(deployment: KubeObject, sets: readonly KubeObject[]): boolean {
  const { replicas = 1 } = deploymentSpecOf(deployment)
  return sets.some((set) => {
    const desired = replicasOf(set) > 0 ? annotatedNumber(set, DESIRED) : undefined
    return desired !== undefined && desired !== replicas
  })
}

/** In the middle of a rollout every set takes its share of the change. */
function scaling({ deployment }: Observed, { current, old }: Sets, bounds: Bounds): readonly Step[] {
  const { replicas = 1, strategy } = deploymentSpecOf(deployment)
  const because = 'the Deployment was scaled'
  const all = current ? [...old, current] : [...old]
  const active = all.filter((set) => replicasOf(set) > 0)
  const only = active.length === 0 ? current : active.length === 1 ? active[0] : undefined
  if (only) return resized(only, replicas, sizesFor(replicas, bounds), because)
  if (current && isSaturated(current, replicas))
    return old
      .filter((set) => replicasOf(set) > 0)
      .flatMap((set) => resized(set, 0, sizesFor(replicas, bounds), because))
  if (strategy?.type === 'Recreate') return []
  const allowed = replicas > 0 ? replicas + bounds.surge : 0
  const shares = proportionally(
    active.map((set) => ({ set, size: replicasOf(set), madeFor: annotatedNumber(set, MAX) ?? replicas })),
    allowed,
  )
  return shares.flatMap(({ set, size }) => resized(set, size, sizesFor(replicas, bounds), because))
}

function isSaturated(set: KubeObject, replicas: number): boolean {
  return replicasOf(set) === replicas && annotatedNumber(set, DESIRED) === replicas && availableOf(set) === replicas
}

const sizesFor = (replicas: number, { surge }: Bounds): Readonly<Record<string, string>> => ({
  [DESIRED]: String(replicas),
  [MAX]: String(replicas + surge),
})

function resized(
  set: KubeObject,
  replicas: number,
  sizes: Readonly<Record<string, string>>,
  because: string,
): readonly Step[] {
  const { minReadySeconds = 0 } = replicaSetSpecOf(set)
  const told = { ...set.metadata.annotations, ...sizes }
  const remember: readonly Step[] = isEqual(told, set.metadata.annotations)
    ? []
    : [{ do: 'annotate-set', set, annotations: told, minReadySeconds, because }]
  return [...remember, ...scaleTo(set, replicas, because)]
}

/** The name of a set is made from its template, so that an older template finds its set again. */
function create({ deployment }: Observed, { old }: Sets, replicas: number): Step {
  const { template = {}, selector = {}, minReadySeconds = 0, replicas: wanted = 1 } = deploymentSpecOf(deployment)
  const hash = hashOf(withoutHash(template), deploymentStatusOf(deployment).collisionCount ?? 0)
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash }
  const revision = String(Math.max(0, ...old.map(revisionOf)) + 1)
  const set: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name ?? ''}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: {
        ...inheritedAnnotations(deployment),
        ...sizesFor(wanted, boundsOf(deploymentSpecOf(deployment))),
        [REVISION]: revision,
      },
    },
    spec: {
      replicas,
      ...(minReadySeconds > 0 ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
  return { do: 'create-set', set, because: 'no ReplicaSet has the present template' }
}

/** The current set carries the newest revision, what the Deployment says of itself, and the size it is made for. */
function annotations(deployment: KubeObject, { current, old }: Sets): readonly Step[] {
  if (!current) return []
  const spec = deploymentSpecOf(deployment)
  const { minReadySeconds = 0 } = spec
  const newest = Math.max(0, ...old.map(revisionOf))
  const revision = String(Math.max(newest + 1, revisionOf(current)))
  const before = current.metadata.annotations ?? {}
  const history = before[REVISION] !== undefined && before[REVISION] !== revision ? historyWith(current) : {}
  const told = {
    ...before,
    ...inheritedAnnotations(deployment),
    ...sizesFor(spec.replicas ?? 1, boundsOf(spec)),
    ...history,
    [REVISION]: revision,
  }
  const isTold = isEqual(told, before) && (replicaSetSpecOf(current).minReadySeconds ?? 0) === minReadySeconds
  const because = `this is revision ${revision}`
  const own = deployment.metadata.annotations?.[REVISION]
  return [
    ...(isTold
      ? []
      : [{ do: 'annotate-set', set: current, annotations: told, minReadySeconds, because } satisfies Step]),
    ...(own === revision ? [] : [{ do: 'annotate-deployment', revision, because } satisfies Step]),
  ]
}

/** The revisions that a set had before it came back. */
function historyWith({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const { [REVISION_HISTORY]: before, [REVISION]: last = '' } = metadata.annotations ?? {}
  return { [REVISION_HISTORY]: before ? `${before},${last}` : last }
}

/** Empty sets beyond the history that is wished for, the oldest revision first. */
function cleanup(deployment: KubeObject, split: Sets): readonly Step[] {
  const { revisionHistoryLimit = 10 } = deploymentSpecOf(deployment)
  if (!isComplete(deployment, split)) return []
  const empty = split.old.filter((set) => {
    const { replicas = 0, observedGeneration = 0 } = replicaSetStatusOf(set)
    const isKnown = (set.metadata.generation ?? 0) <= observedGeneration
    return replicasOf(set) === 0 && replicas === 0 && isKnown && set.metadata.deletionTimestamp === undefined
  })
  const surplus = Math.max(0, split.old.length - revisionHistoryLimit)
  return empty
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, surplus)
    .map((set) => ({ do: 'delete-set', set, because: `only ${revisionHistoryLimit} old ReplicaSets are kept` }))
}
