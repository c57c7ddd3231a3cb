import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { PolicySet } from '../engine/policy-set.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import { policyKey } from '../engine/rule-response.ts'
import {
  copiesOf,
  type DownstreamIndex,
  MANAGED_BY,
  POLICY_LABEL,
  POLICY_NAMESPACE_LABEL,
  RULE_LABEL,
  SOURCE_LABEL,
  type Trigger,
  triggerFromLabels,
} from './downstream.ts'
import { synchronizedRules } from './policy-facets.ts'
import type { Work } from './update-request.ts'

/** Tells whether an object was generated, or is copied: then what becomes of it concerns policies. */
export function isFollowed(object: KubeObject | undefined): boolean {
  const labels = object?.metadata.labels
  if (!labels) return false
  return labels[SOURCE_LABEL] !== undefined || (labels[MANAGED_BY] === 'kyverno' && labels[POLICY_LABEL] !== undefined)
}

/** What the change of a generated object, or of one that is copied, leaves to do. */
export async function planFollowing(
  { oldObject, object, operation, kind }: PolicyRequest,
  set: PolicySet,
  downstream: DownstreamIndex,
  signal: AbortSignal,
): Promise<readonly Work[]> {
  if (!oldObject || operation === 'CREATE') return []
  const labels = oldObject.metadata.labels ?? {}
  if (labels[MANAGED_BY] === 'kyverno' && labels[POLICY_LABEL] !== undefined) return restoring(labels, set, false)
  const { uid } = oldObject.metadata
  if (labels[SOURCE_LABEL] === undefined || uid === undefined) return []
  const copies = await downstream.find(copiesOf(uid), signal)
  const isGone = object === undefined
  const works = copies.flatMap((copy) => restoring(copy.object.metadata.labels ?? {}, set, isGone))
  // One object may be both source and trigger: then it has been seen to as a trigger.
  const self = apiVersionOf(kind)
  return works.filter(({ trigger }) => !(trigger.uid === uid && trigger.apiVersion === self))
}

/** Work that makes what a generated object's labels tell of be as its policy wants it. */
function restoring(
  labels: Readonly<Record<string, string>>,
  set: PolicySet,
  deleteDownstream: boolean,
): readonly Work[] {
  const trigger = triggerFromLabels(labels)
  if (!trigger) return []
  const namespace = labels[POLICY_NAMESPACE_LABEL]
  const key = policyKey({
    apiVersion: '',
    kind: '',
    name: labels[POLICY_LABEL] ?? '',
    ...(namespace ? { namespace } : {}),
  })
  const rule = labels[RULE_LABEL] ?? ''
  return set.policies.flatMap(({ phases, identity, source }): readonly Work[] => {
    if (!phases.has('generate') || policyKey(identity).slice(-63) !== key.slice(-63)) return []
    if (![...synchronizedRules(source)].some((name) => name.slice(0, 63) === rule)) return []
    const named: Trigger = { ...trigger, name: '' }
    return [{ type: 'generate', policy: identity, trigger: named, deleteDownstream }]
  })
}
