import { type Condition, conditionOf, setCondition } from '../../kube/condition.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, objectsOf } from '../../lib/fields.ts'
import { isEqual } from '../../lib/json.ts'
import { classFindings, supportedFeatures } from './classes.ts'
import { CONTROLLER, type Finding, type ParentRef } from './objects.ts'

/** What the status of an object becomes. Made late, when it is known what could be bound and what time it is. */
export interface StatusPlan {
  readonly resource: ResourceId
  readonly object: KubeObject
  readonly status: Readonly<Record<string, unknown>>
}

/** Findings as conditions that go on from those before: the time of a change moves only where there is one. */
export function conditionsFrom(
  findings: readonly Finding[],
  before: readonly Condition[],
  generation: number | undefined,
  nowMs: number,
): readonly Condition[] {
  return findings.map((finding) => {
    const known = conditionOf(before, finding.type)
    const next = { ...finding, ...(generation === undefined ? {} : { observedGeneration: generation }) }
    return setCondition(known ? [known] : [], next, nowMs)[0] ?? next
  })
}

/** The conditions that an object's status has, at a place where they are a list. */
export const conditionsIn = (holder: unknown): readonly Condition[] =>
  (objectsOf(holder, 'conditions') ?? []) as unknown as readonly Condition[] // their schema makes them so

/** What was found about a route for one of its parents. */
export interface ParentFindings {
  readonly parentRef: ParentRef
  readonly findings: readonly Finding[]
}

/** The status of a route: entries of other controllers as they are, ours as found. Undefined where nothing changes. */
export function routeStatus(
  object: KubeObject,
  parents: readonly ParentFindings[],
  nowMs: number,
): StatusPlan['status'] | undefined {
  const entries = objectsOf(fieldsOf(object, 'status'), 'parents') ?? []
  const others = entries.filter((entry) => entry['controllerName'] !== CONTROLLER)
  const ours = parents.map(({ parentRef, findings }) => {
    const before = entries.find(
      (entry) => entry['controllerName'] === CONTROLLER && isEqual(entry['parentRef'], parentRef),
    )
    return {
      parentRef,
      controllerName: CONTROLLER,
      conditions: conditionsFrom(findings, conditionsIn(before), object.metadata.generation, nowMs),
    }
  })
  const wanted = [...others, ...ours].slice(0, 32)
  return isEqual(wanted, entries) ? undefined : { parents: wanted }
}

/** What was found about a policy for one of the Gateways that it matters to. */
export interface AncestorFindings {
  readonly ancestorRef: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
}

/** The status of a policy, as `routeStatus` is of a route. */
export function policyStatus(
  object: KubeObject,
  ancestors: readonly AncestorFindings[],
  nowMs: number,
): StatusPlan['status'] | undefined {
  const entries = objectsOf(fieldsOf(object, 'status'), 'ancestors') ?? []
  const others = entries.filter((entry) => entry['controllerName'] !== CONTROLLER)
  const ours = ancestors.map(({ ancestorRef, findings }) => {
    const before = entries.find(
      (entry) => entry['controllerName'] === CONTROLLER && isEqual(entry['ancestorRef'], ancestorRef),
    )
    return {
      ancestorRef,
      controllerName: CONTROLLER,
      conditions: conditionsFrom(findings, conditionsIn(before), object.metadata.generation, nowMs),
    }
  })
  const wanted = [...others, ...ours].slice(0, 16)
  return isEqual(wanted, entries) ? undefined : { ancestors: wanted }
}

/** The status of a GatewayClass of ours, with what Gateways of it may ask for. */
export function classStatus(object: KubeObject, nowMs: number): StatusPlan['status'] | undefined {
  const before = fieldsOf(object, 'status')
  const status = {
    ...before,
    conditions: conditionsFrom(classFindings(object), conditionsIn(before), object.metadata.generation, nowMs),
    supportedFeatures: supportedFeatures.map((name) => ({ name })),
  }
  return isEqual(status, before) ? undefined : status
}
