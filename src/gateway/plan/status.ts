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
  const found = parents.map(({ parentRef: about, findings }) => ({ about, findings }))
  return entriesStatus(object, { list: 'parents', ref: 'parentRef', most: 32 }, found, nowMs)
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
  const found = ancestors.map(({ ancestorRef: about, findings }) => ({ about, findings }))
  return entriesStatus(object, { list: 'ancestors', ref: 'ancestorRef', most: 16 }, found, nowMs)
}

/** The list of a status that controllers share: the entries of others stay, ours go on from what they said before. */
function entriesStatus(
  object: KubeObject,
  { list, ref, most }: { readonly list: string; readonly ref: string; readonly most: number },
  found: readonly { readonly about: unknown; readonly findings: readonly Finding[] }[],
  nowMs: number,
): StatusPlan['status'] | undefined {
  const entries = objectsOf(fieldsOf(object, 'status'), list) ?? []
  const isOurs = (entry: Readonly<Record<string, unknown>>): boolean => entry['controllerName'] === CONTROLLER
  const ours = found.map(({ about, findings }) => {
    const before = entries.find((entry) => isOurs(entry) && isEqual(entry[ref], about))
    const conditions = conditionsFrom(findings, conditionsIn(before), object.metadata.generation, nowMs)
    return { [ref]: about, controllerName: CONTROLLER, conditions }
  })
  const wanted = [...entries.filter((entry) => !isOurs(entry)), ...ours].slice(0, most)
  return isEqual(wanted, entries) ? undefined : { [list]: wanted }
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
