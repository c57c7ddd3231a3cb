import type { KubeObject } from '../../kube/object.ts'
import { isControlledBy } from '../../kube/owner.ts'
import { compileSelector, type LabelSelector, type LabelSelectorObject, matchesLabels } from '../../kube/selector.ts'
import { isFinished } from '../../kube/pod.ts'

/** Which objects an owner controls, which it should take over, and which it should let go. */
export interface Claims {
  readonly own: readonly KubeObject[]
  readonly adopt: readonly KubeObject[]
  readonly release: readonly KubeObject[]
}

/** The compiled selector of an owner; one that cannot be read selects nothing. */
export function selectorOf(raw: LabelSelectorObject | undefined): LabelSelector | undefined {
  const compiled = raw && compileSelector(raw)
  return compiled?.ok ? compiled.value : undefined
}

/** Decides by uid and labels. An owner that is going takes nothing over and lets nothing go. */
export function claimsOf(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: { readonly controlled: readonly KubeObject[]; readonly orphans: readonly KubeObject[] },
): Claims {
  const isGoing = owner.metadata.deletionTimestamp !== undefined
  const matches = (object: KubeObject): boolean =>
    selector !== undefined && selector.length > 0 && matchesLabels(selector, object.metadata.labels)
  const mine = candidates.controlled.filter((object) => isControlledBy(object, owner))
  const own = mine.filter((object) => matches(object) || isGoing)
  const release = isGoing ? [] : mine.filter((object) => !matches(object))
  const adopt = isGoing
    ? []
    : candidates.orphans.filter(
        (object) =>
          object.metadata.namespace === owner.metadata.namespace &&
          object.metadata.deletionTimestamp === undefined &&
          !isFinished(object) &&
          matches(object),
      )
  return { own, adopt, release }
}
