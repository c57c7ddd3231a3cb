import { type Condition, isTrue, setCondition } from '../../kube/condition.ts'
import type { Certificate } from '../objects.ts'

/** The status of a Certificate that a person asks to issue anew; undefined where that is under way already. */
export function renewNow({ status = {}, metadata }: Certificate, nowMs: number): Certificate['status'] | undefined {
  if (isTrue(status.conditions, 'Issuing')) return undefined
  const condition: Condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'Certificate re-issuance manually triggered',
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  }
  return { ...status, conditions: setCondition(status.conditions, condition, nowMs) }
}
