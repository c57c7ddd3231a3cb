import type { AdmissionPlugin, AdmissionRequest, Verdict } from '../../../kube/admission.ts'
import type { GroupVersionKind } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Schema } from '../../../kube/schema/schema.ts'
import { failure, type StatusCause } from '../../../kube/status.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { Authorizer } from '../../auth/attributes.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { isExempt, type Webhook } from '../webhooks/configuration.ts'
import { nameOf } from '../denials.ts'
import {
  type BindingSpec,
  bindingSpecOf,
  type FindResource,
  matchesRequest,
  paramsOf,
  type PolicySpec,
  policySpecOf,
  type Validation,
} from './configuration.ts'
import { type Bindings, bindingsOf, Evaluation } from './expressions.ts'

/** What policies are evaluated with. */
export interface PolicyPorts {
  readonly reader: ClusterReader
  readonly authorizer: Authorizer
  readonly find: FindResource
  /** The schema of a kind: what tells how an apply configuration merges. */
  readonly schemaOf?: (kind: GroupVersionKind) => Schema | undefined
}

const GROUP = 'admissionregistration.k8s.io'

/** Something a policy has against a write. */
interface Finding {
  readonly message: string
  readonly reason: string
}

/** What one binding found, and what is to be done about it. */
interface Judgement {
  readonly policy: string
  readonly binding: string
  readonly actions: readonly string[]
  readonly findings: readonly Finding[]
}

/** Judges writes by the ValidatingAdmissionPolicies that are bound. */
export function validatingAdmissionPolicies(ports: PolicyPorts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (request) =>
      !isExempt(request) && ports.reader.list(GROUP, 'validatingadmissionpolicybindings').length > 0,
    validate: (request) => Promise.resolve(judge(request, ports)),
  }
}

function judge(request: AdmissionRequest, ports: PolicyPorts): Verdict {
  const policies = ports.reader.list(GROUP, 'validatingadmissionpolicies')
  const bindings = ports.reader.list(GROUP, 'validatingadmissionpolicybindings')
  const auditAnnotations: Record<string, string> = {}
  let known: Bindings | undefined
  const values = (): Bindings => (known ??= requestBindings(request, ports))
  const judgements = policies.flatMap((policy) => {
    const spec = policySpecOf(policy)
    const bound = bindings.filter((binding) => bindingSpecOf(binding).policyName === policy.metadata.name)
    if (bound.length === 0 || !matchesRequest(spec.matchConstraints, request, ports.reader)) return []
    return bound
      .filter((binding) => matchesRequest(bindingSpecOf(binding).matchResources, request, ports.reader))
      .map((binding) => judgeBinding({ policy, binding, request, values: values(), auditAnnotations }, ports))
  })
  return verdictOf(request, judgements, auditAnnotations)
}

/** The values that a request gives to the expressions of policies. */
export function requestBindings(request: AdmissionRequest, { reader, authorizer }: PolicyPorts): Bindings {
  const namespaceObject =
    request.namespace === undefined ? undefined : reader.get('', 'namespaces', { name: request.namespace })
  return bindingsOf({ request, namespaceObject, authorizer })
}

interface Case {
  readonly policy: KubeObject
  readonly binding: KubeObject
  readonly request: AdmissionRequest
  readonly values: Bindings
  readonly auditAnnotations: Record<string, string>
}

function judgeBinding({ policy, binding, request, values, auditAnnotations }: Case, ports: PolicyPorts): Judgement {
  const spec = policySpecOf(policy)
  const bindingSpec: BindingSpec = bindingSpecOf(binding)
  const base = {
    policy: policy.metadata.name ?? '',
    binding: binding.metadata.name ?? '',
    actions: bindingSpec.validationActions ?? ['Deny'],
  }
  const failed = (because: string): readonly Finding[] =>
    spec.failurePolicy === 'Ignore' ? [] : [{ message: `failed to configure policy: ${because}`, reason: 'Invalid' }]
  const chosen = paramsOf(spec, bindingSpec.paramRef, request, ports)
  if (!chosen.ok) return { ...base, findings: failed(chosen.because) }
  const findings = chosen.params.flatMap((params) => {
    const evaluation = new Evaluation({ ...values, params }, spec.variables)
    const concerned = conditionsHold(spec.matchConditions ?? [], evaluation)
    if (!concerned.ok) return failed(concerned.error.map(({ message }) => message).join('; '))
    if (!concerned.value) return []
    annotate(spec, base.policy, evaluation, auditAnnotations)
    return (spec.validations ?? []).flatMap((validation) => findingOf(validation, spec, evaluation))
  })
  return { ...base, findings }
}

/** All must hold; one that does not hold outweighs one that cannot be evaluated. */
export function conditionsHold(
  conditions: readonly { readonly name: string; readonly expression: string }[],
  evaluation: Evaluation,
): Result<boolean> {
  const errors: string[] = []
  for (const { name, expression } of conditions) {
    const result = evaluation.evaluate(expression)
    if (result.ok && result.value !== true) return succeed(false)
    if (!result.ok) errors.push(`match condition '${name}': ${result.because}`)
  }
  return errors.length > 0 ? fail({ code: 'match-condition-failed', message: errors.join('; ') }) : succeed(true)
}

function findingOf(validation: Validation, spec: PolicySpec, evaluation: Evaluation): readonly Finding[] {
  const result = evaluation.evaluate(validation.expression)
  if (!result.ok) {
    return spec.failurePolicy === 'Ignore'
      ? []
      : [
          {
            message: `expression '${validation.expression.trim()}' resulted in error: ${result.because}`,
            reason: 'Invalid',
          },
        ]
  }
  if (result.value === true) return []
  return [{ message: messageOf(validation, evaluation), reason: validation.reason ?? 'Invalid' }]
}

/** A message expression that fails, or says nothing fit to print, leaves the fixed message. */
function messageOf({ expression, message, messageExpression }: Validation, evaluation: Evaluation): string {
  const computed = messageExpression === undefined ? undefined : evaluation.evaluate(messageExpression)
  if (
    computed?.ok &&
    typeof computed.value === 'string' &&
    computed.value.trim() !== '' &&
    !computed.value.includes('\n')
  )
    return computed.value
  return message && message !== '' ? message : `failed expression: ${expression.trim()}`
}

function annotate(
  { auditAnnotations = [] }: PolicySpec,
  policy: string,
  evaluation: Evaluation,
  into: Record<string, string>,
): void {
  for (const { key, valueExpression } of auditAnnotations) {
    const result = evaluation.evaluate(valueExpression)
    if (result.ok && typeof result.value === 'string') into[`${policy}/${key}`] = result.value
  }
}

const codes: Readonly<Record<string, number>> = {
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
}

function verdictOf(
  request: AdmissionRequest,
  judgements: readonly Judgement[],
  auditAnnotations: Record<string, string>,
): Verdict {
  const warnings: string[] = []
  const denied: (Finding & { readonly text: string })[] = []
  const audited: unknown[] = []
  for (const { policy, binding, actions, findings } of judgements) {
    for (const finding of findings) {
      if (actions.includes('Warn'))
        warnings.push(
          `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${finding.message}`,
        )
      if (actions.includes('Audit'))
        audited.push({ message: finding.message, policy, binding, validationActions: actions })
      if (actions.includes('Deny'))
        denied.push({
          ...finding,
          text: `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${finding.message}`,
        })
    }
  }
  if (audited.length > 0)
    auditAnnotations['validation.policy.admission.k8s.io/validation_failure'] = JSON.stringify(audited)
  const [first] = denied
  if (!first) return { allowed: true, warnings, auditAnnotations }
  const { resource } = request
  const causes: readonly StatusCause[] = denied.map(({ text, reason }) => ({ reason, message: text }))
  const what = `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} ${JSON.stringify(nameOf(request))} is forbidden`
  const status = failure('Forbidden', `${what}: ${denied.map(({ text }) => text).join('; ')}`, {
    name: nameOf(request),
    kind: resource.plural,
    ...(resource.group === '' ? {} : { group: resource.group }),
    causes,
  })
  const reason =
    first.reason === 'Invalid' ||
    first.reason === 'Forbidden' ||
    first.reason === 'Unauthorized' ||
    first.reason === 'RequestEntityTooLarge'
      ? first.reason
      : 'Invalid'
  return { allowed: false, warnings, status: { ...status, reason, code: codes[reason] ?? 422 } }
}

/** Evaluates the match conditions of webhooks in the same language. */
export function webhookConditions(
  ports: PolicyPorts,
): (webhook: Webhook, request: AdmissionRequest) => Result<boolean> {
  return (webhook, request) =>
    webhook.matchConditions.length === 0
      ? succeed(true)
      : conditionsHold(webhook.matchConditions, new Evaluation({ ...requestBindings(request, ports), params: null }))
}
