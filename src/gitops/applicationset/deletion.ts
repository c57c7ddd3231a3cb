import type { KubeObject } from '../../kube/object.ts'
import type { ApplicationSet, ApplicationsSync } from './application-set.ts'
import { rolloutOf } from './rollout-steps.ts'

/** What the deletion of an ApplicationSet waits for, or does. */
export type DeletionPlan =
  /** Lets the Applications live on without an owner. */
  | { readonly do: 'release'; readonly applications: readonly KubeObject[]; readonly because: string }
  | { readonly do: 'delete-one'; readonly application: KubeObject; readonly because: string }
  | { readonly do: 'wait'; readonly because: string }
  /** Takes the finalizer away: the garbage collector does the rest. */
  | { readonly do: 'finish'; readonly because: string }

/** What to do about an ApplicationSet that is being deleted; `owned` are the Applications that still name it as owner. */
export function planDeletion(
  set: ApplicationSet,
  owned: readonly KubeObject[],
  policy: ApplicationsSync,
): DeletionPlan {
  const mayDelete = policy === 'sync' || policy === 'create-delete'
  if (!mayDelete && owned.length > 0) {
    return { do: 'release', applications: owned, because: `the policy ${policy} deletes no Applications` }
  }
  if (mayDelete && set.strategy.deletesInReverse) {
    const next = lastOf(set, owned)
    if (next) {
      const name = next.metadata.name ?? ''
      return next.metadata.deletionTimestamp === undefined
        ? {
            do: 'delete-one',
            application: next,
            because: `Applications go in reverse, and ${name} is of the last step left`,
          }
        : { do: 'wait', because: `the Application ${name} is being deleted` }
    }
  }
  return { do: 'finish', because: 'nothing has to go before it' }
}

/** The Application of the last step that is left; within a step they go by name. Those that no step selects go last. */
function lastOf(set: ApplicationSet, owned: readonly KubeObject[]): KubeObject | undefined {
  const { stepOf } = rolloutOf(set.strategy.steps, owned)
  const stepFor = (application: KubeObject): number => stepOf.get(application.metadata.name ?? '') ?? -1
  return owned.toSorted(
    (a, b) => stepFor(b) - stepFor(a) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
  )[0]
}
