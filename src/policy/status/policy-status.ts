import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import { mutatingAutogen, validatingAutogen } from './autogen-of.ts'
import { classicAutogenRules } from './classic-autogen.ts'

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** What is known of a policy that has been taken up. */
export interface PolicyState {
  /** Why it does not work; undefined when it does. */
  readonly because?: string
  /** What whoever scans may not read of what the policy is about. */
  readonly missing: readonly string[]
}

/** The status of a policy, or undefined when it says so already. */
export function planPolicyStatus(policy: KubeObject, state: PolicyState, nowMs: number): Fields | undefined {
  const before = fieldsOf(policy['status'])
  const next = policy.apiVersion.startsWith('policies.kyverno.io/')
    ? celStatus(policy, before, state, nowMs)
    : classicStatus(policy, before, state, nowMs)
  return isEqual(before, next) ? undefined : next
}

/** `kyverno.io`: the condition Ready, how many rules of each type, and the rules for Pod controllers. */
function classicStatus(policy: KubeObject, before: Fields, { because }: PolicyState, nowMs: number): Fields {
  const conditions = setCondition(
    listOf(before['conditions']) as unknown as readonly Condition[],
    {
      type: 'Ready',
      status: because === undefined ? 'True' : 'False',
      reason: because === undefined ? 'Succeeded' : 'Failed',
      message: because ?? 'Ready',
    },
    nowMs,
  )
  const generated = fieldsOf(before['validatingadmissionpolicy'])
  return {
    ...before,
    autogen: { rules: classicAutogenRules(policy) },
    conditions,
    rulecount: ruleCount(policy),
    validatingadmissionpolicy: { generated: false, message: '', ...generated },
  }
}

function ruleCount(policy: KubeObject): Fields {
  const rules = [...listOf(fieldsOf(policy['spec'])['rules']), ...classicAutogenRules(policy)]
  const count = (key: string): number =>
    rules.filter((rule) => {
      const value = rule[key]
      return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0
    }).length
  return {
    generate: count('generate'),
    mutate: count('mutate'),
    validate: count('validate'),
    verifyimages: count('verifyImages'),
  }
}

/** `policies.kyverno.io`: the conditions and what was made of the policy for Pod controllers. */
function celStatus(policy: KubeObject, before: Fields, state: PolicyState, nowMs: number): Fields {
  const spec = fieldsOf(policy['spec'])
  const { because, missing } = state
  const evaluation = fieldsOf(spec['evaluation'])
  const isBackground = fieldsOf(evaluation['background'])['enabled'] !== false
  const isAdmission = fieldsOf(evaluation['admission'])['enabled'] !== false
  let conditions = listOf(fieldsOf(before['conditionStatus'])['conditions']) as unknown as readonly Condition[]
  const isConfigured = because === undefined
  if (isAdmission) {
    conditions = setCondition(
      conditions,
      {
        type: 'WebhookConfigured',
        status: isConfigured ? 'True' : 'False',
        reason: isConfigured ? 'Succeeded' : 'Failed',
        message: because ?? 'Webhook configured.',
      },
      nowMs,
    )
  }
  const isReadable = !isBackground || missing.length === 0
  conditions = setCondition(
    conditions,
    {
      type: 'RBACPermissionsGranted',
      status: isReadable ? 'True' : 'False',
      reason: isReadable ? 'Succeeded' : 'Failed',
      message: !isBackground
        ? 'Background scanning disabled; reporting permissions not required.'
        : isReadable
          ? 'Policy is ready for reporting.'
          : `Policy is not ready for reporting, missing permissions: ${missing.join('; ')}.`,
    },
    nowMs,
  )
  const conditionStatus = { conditions, message: '', ready: conditions.every(({ status }) => status === 'True') }
  const autogen = celAutogen(policy, spec)
  return {
    ...before,
    conditionStatus,
    ...(autogen ? { autogen } : {}),
    ...(/Deleting/.test(policy.kind) ? {} : { generated: before['generated'] ?? false }),
  }
}

function celAutogen(policy: KubeObject, spec: Fields): Fields | undefined {
  const forms = /ImageValidating/.test(policy.kind)
    ? []
    : /Validating/.test(policy.kind)
      ? validatingAutogen(spec)
      : /Mutating/.test(policy.kind)
        ? mutatingAutogen(spec)
        : undefined
  if (!forms) return undefined
  const configs = Object.fromEntries(forms.map(({ name, targets, spec: form }) => [name, { spec: form, targets }]))
  return Object.keys(configs).length === 0 ? {} : { configs }
}
