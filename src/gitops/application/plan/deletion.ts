import type { KubeObject } from '../../../kube/object.ts'
import { keyText, type ResourceKey } from '../../compare/comparison.ts'
import type { HealthStatus } from '../../health/status.ts'
import { hasOption, optionIn, optionOf, annotationOf } from '../../sync/annotation-options.ts'
import { deletePoliciesOf, isDeleteHook, waveOf, type DeletePhase } from '../../sync/hook.ts'
import { isDefinition } from '../../sync/order-tasks.ts'
import { plainName } from '../../sync/sync-task.ts'
import { ARGO_GROUP, type Application } from '../application.ts'

export const RESOURCES_FINALIZER = 'resources-finalizer.argocd.argoproj.io'
export const FOREGROUND_FINALIZER = 'resources-finalizer.argocd.argoproj.io/foreground'
export const BACKGROUND_FINALIZER = 'resources-finalizer.argocd.argoproj.io/background'
export const PRE_DELETE_FINALIZER = 'pre-delete-finalizer.argocd.argoproj.io'
export const POST_DELETE_FINALIZER = 'post-delete-finalizer.argocd.argoproj.io'

const cascading: readonly string[] = [RESOURCES_FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER]

/** Everything that the next step of deleting an Application depends on. */
export interface DeletionSeen {
  readonly app: Application
  /** What is tracked for it and permitted by its project, by key. */
  readonly live: readonly { readonly key: ResourceKey; readonly object: KubeObject }[]
  /** The hooks that Git has, with namespaces; undefined while they are not needed, a problem when they cannot be read. */
  readonly hooks: readonly { readonly key: ResourceKey; readonly object: KubeObject }[]
  /** Whether the destination is a cluster that is known. */
  readonly hasCluster: boolean
  /** Somebody has allowed deletions that wait for a word. */
  readonly isConfirmed: boolean
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
}

/** The next step of a deletion. */
export type DeletionStep =
  | { readonly do: 'remove-finalizers'; readonly finalizers: readonly string[]; readonly because: string }
  | {
      readonly do: 'delete'
      readonly objects: readonly { readonly key: ResourceKey; readonly object: KubeObject }[]
      readonly propagation: 'Foreground' | 'Background'
      readonly because: string
    }
  | { readonly do: 'create-hooks'; readonly hooks: DeletionSeen['hooks']; readonly because: string }
  | {
      readonly do: 'fail'
      /** Removed, so that a mended hook can run. */
      readonly hooks: DeletionSeen['live']
      readonly because: string
    }
  | { readonly do: 'wait'; readonly because: string }
  | { readonly do: 'nothing' }

/** Decides what comes next: hooks before, the objects wave by wave from the last, hooks after, then what the hooks have left. */
export function planDeletion(seen: DeletionSeen): DeletionStep {
  const finalizers = seen.app.metadata.finalizers ?? []
  const has = (finalizer: string): boolean => finalizers.includes(finalizer)
  const ours = finalizers.filter(isOurs)
  if (ours.length === 0) return { do: 'nothing' }
  if (!seen.hasCluster) {
    return {
      do: 'remove-finalizers',
      finalizers: ours,
      because: 'the destination is no cluster that is known: nothing can be deleted there',
    }
  }
  if (has(PRE_DELETE_FINALIZER)) return runHooks(seen, 'PreDelete', PRE_DELETE_FINALIZER)
  if (finalizers.some((one) => cascading.includes(one))) return cascade(seen, finalizers)
  if (has(POST_DELETE_FINALIZER)) return runHooks(seen, 'PostDelete', POST_DELETE_FINALIZER)
  if (has(`${PRE_DELETE_FINALIZER}/cleanup`)) return cleanUp(seen, 'PreDelete', `${PRE_DELETE_FINALIZER}/cleanup`)
  if (has(`${POST_DELETE_FINALIZER}/cleanup`)) return cleanUp(seen, 'PostDelete', `${POST_DELETE_FINALIZER}/cleanup`)
  return { do: 'nothing' }
}

const isOurs = (finalizer: string): boolean =>
  cascading.includes(finalizer) ||
  finalizer.startsWith(PRE_DELETE_FINALIZER) ||
  finalizer.startsWith(POST_DELETE_FINALIZER)

/** Tells whether anything of an Application's deletion is ours to do. */
export const hasOurFinalizers = ({ metadata }: Application): boolean => (metadata.finalizers ?? []).some(isOurs)

function runHooks(seen: DeletionSeen, phase: DeletePhase, finalizer: string): DeletionStep {
  const running = seen.live.filter(({ object }) => isDeleteHook(object, phase))
  const known = new Set(running.map(({ key }) => keyText(key)))
  const missing = seen.hooks.filter(({ object, key }) => isDeleteHook(object, phase) && !known.has(keyText(key)))
  if (missing.length > 0) return { do: 'create-hooks', hooks: missing, because: `${phase} hooks have not run yet` }
  const failed = running.filter(({ object }) => seen.healthOf(object)?.status === 'Degraded')
  if (failed.length > 0) {
    const names = failed.map(({ key, object }) => withReason(plainName(key), seen.healthOf(object)?.message))
    return { do: 'fail', hooks: failed, because: `${phase} hooks failed: ${names.join(', ')}` }
  }
  const busy = running.filter(({ object }) => seen.healthOf(object)?.status === 'Progressing')
  const [first] = busy
  if (first)
    return {
      do: 'wait',
      because: `waiting for completion of ${phase} hook ${withReason(plainName(first.key), seen.healthOf(first.object)?.message)}`,
    }
  return { do: 'remove-finalizers', finalizers: [finalizer], because: `${phase} hooks are done` }
}

const withReason = (name: string, message: string | undefined): string => (message ? `${name}: ${message}` : name)

function cascade(seen: DeletionSeen, finalizers: readonly string[]): DeletionStep {
  const doomed = seen.live.filter((one) => isDoomed(seen.app, one))
  const going = seen.live.find(({ object }) => object.metadata.deletionTimestamp !== undefined)
  if (going) {
    const held = going.object.metadata.finalizers ?? []
    const because = held.length > 0 ? `its finalizers have not been removed: ${held.join(', ')}` : undefined
    return { do: 'wait', because: `waiting for deletion of ${withReason(plainName(going.key), because)}` }
  }
  if (doomed.length === 0) {
    return {
      do: 'remove-finalizers',
      finalizers: finalizers.filter((one) => cascading.includes(one)),
      because: 'everything is deleted',
    }
  }
  const unconfirmed = seen.isConfirmed ? undefined : doomed.find(({ object }) => needsWord(seen.app, object))
  if (unconfirmed) return { do: 'wait', because: `waiting for deletion confirmation of ${plainName(unconfirmed.key)}` }
  const last = Math.max(...doomed.map(({ object }) => waveOf(object)))
  const propagation =
    finalizers.find((one) => cascading.includes(one)) === BACKGROUND_FINALIZER ? 'Background' : 'Foreground'
  return {
    do: 'delete',
    objects: doomed.filter(({ object }) => waveOf(object) === last),
    propagation,
    because: `the Application is deleted, wave ${last} first`,
  }
}

function deleteOption({ spec }: Application, object: KubeObject): string | undefined {
  return optionOf(object, 'Delete') ?? optionIn(spec.syncPolicy?.syncOptions ?? [], 'Delete')
}

const needsWord = (app: Application, object: KubeObject): boolean => deleteOption(app, object) === 'confirm'

/** Definitions outlive their Application, since others may have objects of that kind; and what asks to stay stays. */
function isDoomed(app: Application, { key, object }: DeletionSeen['live'][number]): boolean {
  if (isDefinition(object) || isDeleteHook(object, 'PreDelete') || isDeleteHook(object, 'PostDelete')) return false
  const isItself =
    key.group === ARGO_GROUP &&
    key.kind === 'Application' &&
    key.name === app.metadata.name &&
    key.namespace === (app.metadata.namespace ?? '')
  if (isItself || deleteOption(app, object) === 'false') return false
  return annotationOf(object, 'helm.sh/resource-policy') !== 'keep' && !hasOption(object, 'Delete=false')
}

function cleanUp(seen: DeletionSeen, phase: DeletePhase, finalizer: string): DeletionStep {
  const hooks = seen.live.filter(({ object }) => isDeleteHook(object, phase))
  const isFailed = hooks.some(({ object }) => seen.healthOf(object)?.status === 'Degraded')
  const wanted = isFailed ? 'HookFailed' : 'HookSucceeded'
  const spent = hooks.filter(({ object }) => deletePoliciesOf(object).includes(wanted))
  const objects = spent.filter(({ object }) => object.metadata.deletionTimestamp === undefined)
  if (objects.length > 0)
    return { do: 'delete', objects, propagation: 'Background', because: `${phase} hooks are done` }
  const [left] = spent
  if (left) return { do: 'wait', because: `waiting for deletion of ${phase} hook ${plainName(left.key)}` }
  return { do: 'remove-finalizers', finalizers: [finalizer], because: `${phase} hooks are cleaned up` }
}
