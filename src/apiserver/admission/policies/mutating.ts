import type { AdmissionPlugin, AdmissionRequest, Mutation } from '../../../kube/admission.ts'
import { gvkOf } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { applyMutation } from '../../../lang/cel/kubernetes/apply-mutation.ts'
import { isEqual } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { forbidden } from '../denials.ts'
import { isExempt } from '../webhooks/configuration.ts'
import {
  bindingSpecOf,
  matchesRequest,
  type MutationSpec,
  paramsOf,
  type PolicySpec,
  policySpecOf,
} from './configuration.ts'
import { Evaluation } from './expressions.ts'
import { conditionsHold, type PolicyPorts, requestBindings } from './plugin.ts'

const GROUP = 'admissionregistration.k8s.io'

/**
 * Changes what is written by the MutatingAdmissionPolicies that are bound, in the order of their names. A policy that asks for
 * it is asked once more when a later one has changed the object.
 */
export function mutatingAdmissionPolicies(ports: PolicyPorts): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionPolicy',
    handles: (request) =>
      request.object !== undefined &&
      !isExempt(request) &&
      ports.reader.list(GROUP, 'mutatingadmissionpolicybindings').length > 0,
    mutate: (request) => Promise.resolve(mutate(request, ports)),
  }
}

/** A policy with one of its bindings. */
interface Bound {
  readonly policy: KubeObject
  readonly binding: KubeObject
}

const byName = (a: KubeObject, b: KubeObject): number => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)

function boundPolicies({ reader }: PolicyPorts): readonly Bound[] {
  const bindings = reader.list(GROUP, 'mutatingadmissionpolicybindings').toSorted(byName)
  return reader
    .list(GROUP, 'mutatingadmissionpolicies')
    .toSorted(byName)
    .flatMap((policy) =>
      bindings
        .filter((binding) => bindingSpecOf(binding).policyName === policy.metadata.name)
        .map((binding) => ({ policy, binding })),
    )
}

function mutate(request: AdmissionRequest, ports: PolicyPorts): Mutation {
  const all = boundPolicies(ports)
  let current = request
  // Which policies had their turn before the object was changed for the last time.
  const before = new Set<Bound>()
  const asked: Bound[] = []
  for (const bound of all) {
    const turn = takeTurn(bound, current, ports)
    if (!turn.ok) return { allowed: false, status: refusal(bound, request, turn.error[0]?.message ?? '') }
    if (turn.value !== current.object) {
      for (const earlier of asked) before.add(earlier)
      current = { ...current, object: turn.value }
    }
    asked.push(bound)
  }
  for (const bound of asked) {
    if (!before.has(bound) || policySpecOf(bound.policy).reinvocationPolicy !== 'IfNeeded') continue
    const turn = takeTurn(bound, current, ports)
    if (!turn.ok) return { allowed: false, status: refusal(bound, request, turn.error[0]?.message ?? '') }
    current = { ...current, object: turn.value }
  }
  return {
    allowed: true,
    ...(current.object && current.object !== request.object ? { object: current.object } : {}),
  }
}

const refusal = (
  { policy, binding }: Bound,
  request: AdmissionRequest,
  because: string,
): ReturnType<typeof forbidden> =>
  forbidden(
    request,
    `policy '${policy.metadata.name ?? ''}' with binding '${binding.metadata.name ?? ''}' denied request: ${because}`,
  )

type ObjectRequest = AdmissionRequest & { readonly object: KubeObject }

/** The object after one policy, the same when it does not concern it. A failure counts unless the policy says otherwise. */
function takeTurn({ policy, binding }: Bound, request: AdmissionRequest, ports: PolicyPorts): Result<KubeObject> {
  const { object } = request
  if (!object) throw new Error('a request without an object reached the mutating policies')
  const spec = policySpecOf(policy)
  const bindingSpec = bindingSpecOf(binding)
  if (!matchesRequest(spec.matchConstraints, request, ports.reader)) return succeed(object)
  if (!matchesRequest(bindingSpec.matchResources, request, ports.reader)) return succeed(object)
  const changed = changedBy(spec, bindingSpec.paramRef, { ...request, object }, ports)
  return changed.ok || spec.failurePolicy !== 'Ignore' ? changed : succeed(object)
}

function changedBy(
  spec: PolicySpec,
  paramRef: Parameters<typeof paramsOf>[1],
  request: ObjectRequest,
  ports: PolicyPorts,
): Result<KubeObject> {
  const chosen = paramsOf(spec, paramRef, request, ports)
  if (!chosen.ok) return fail({ code: 'mutation-invalid', message: `failed to configure policy: ${chosen.because}` })
  let { object } = request
  for (const params of chosen.params) {
    const values = requestBindings({ ...request, object }, ports)
    const evaluation = new Evaluation({ ...values, params }, spec.variables)
    const concerned = conditionsHold(spec.matchConditions ?? [], evaluation)
    if (!concerned.ok) return concerned
    if (!concerned.value) continue
    for (const mutation of spec.mutations ?? []) {
      const changed = applied(mutation, object, evaluation, ports)
      if (!changed.ok) return changed
      object = changed.value
      evaluation.bind('object', object)
    }
  }
  return succeed(isEqual(object, request.object) ? request.object : object)
}

function applied(
  { patchType, applyConfiguration, jsonPatch }: MutationSpec,
  object: KubeObject,
  evaluation: Evaluation,
  ports: PolicyPorts,
): Result<KubeObject> {
  const isPatch = patchType === 'JSONPatch'
  const expression = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? ''
  const result = evaluation.evaluate(expression)
  if (!result.ok)
    return fail({
      code: 'mutation-invalid',
      message: `expression '${expression.trim()}' resulted in error: ${result.because}`,
    })
  if (isPatch) return applyMutation(object, result.value, { kind: 'json-patch' })
  const schema = ports.schemaOf?.(gvkOf(object))
  return applyMutation(object, result.value, { kind: 'apply', allowsAtomic: false, schema })
}
