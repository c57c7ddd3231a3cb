import { setOwn } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { policyKey, type PolicyResponse, type RuleResponse } from '../engine/rule-response.ts'

export type ReportVerdict = 'pass' | 'fail' | 'warn' | 'error' | 'skip'

/** One row of a report: what one rule says of one resource. */
export interface ReportResult {
  readonly source: string
  /** `name`, or `namespace/name` of a policy that lives in a namespace. */
  readonly policy: string
  readonly rule?: string
  readonly message?: string
  readonly result: ReportVerdict
  readonly scored: boolean
  readonly category?: string
  readonly severity?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly timestamp: { readonly seconds: number; readonly nanos: number }
}

const sources: readonly (readonly [RegExp, string])[] = [
  [/ImageValidatingPolicy$/, 'KyvernoImageValidatingPolicy'],
  [/ValidatingPolicy$/, 'KyvernoValidatingPolicy'],
  [/MutatingPolicy$/, 'KyvernoMutatingPolicy'],
  [/GeneratingPolicy$/, 'KyvernoGeneratingPolicy'],
  [/DeletingPolicy$/, 'KyvernoDeletingPolicy'],
]
const severities = new Set(['critical', 'high', 'medium', 'low', 'info'])

/** What rows of a kind of policy name as their source. */
export const sourceOf = (kind: string): string => sources.find(([pattern]) => pattern.test(kind))?.[1] ?? 'kyverno'

/** What a policy's author says of all its results, and how they come about. */
export interface ReportedPolicy {
  readonly source: KubeObject
  readonly isBackground: boolean
  readonly isAdmission: boolean
}

/** The rows of one policy's answer. */
export function reportResults(
  response: PolicyResponse,
  policy: ReportedPolicy,
  nowMs: number,
): readonly ReportResult[] {
  return response.rules.map((rule) => resultOf(response, rule, policy, nowMs))
}

function resultOf(response: PolicyResponse, rule: RuleResponse, policy: ReportedPolicy, nowMs: number): ReportResult {
  const annotations = policy.source.metadata.annotations ?? {}
  const isScored = annotations['policies.kyverno.io/scored'] !== 'false'
  const category = annotations['policies.kyverno.io/category']
  const severity = annotations['policies.kyverno.io/severity']
  const properties = propertiesOf(response, rule, policy)
  const message = messageOf(rule, properties)
  return {
    source: sourceOf(response.policy.kind),
    policy: policyKey(response.policy),
    ...(rule.rule === '' ? {} : { rule: rule.rule }),
    ...(message === '' ? {} : { message }),
    result: rule.verdict === 'fail' && !isScored ? 'warn' : rule.verdict,
    scored: isScored,
    ...(category === undefined ? {} : { category }),
    ...(severity !== undefined && severities.has(severity) ? { severity } : {}),
    properties,
    timestamp: { seconds: Math.floor(nowMs / 1_000), nanos: 0 },
  }
}

/** A policy may word its own results, for each outcome or for all. */
function messageOf({ verdict, message }: RuleResponse, properties: Readonly<Record<string, string>>): string {
  return properties['message'] || properties[`${verdict}Message`] || message
}

const placeOf = ({ apiVersion, kind, metadata }: KubeObject): string => {
  const slash = apiVersion.indexOf('/')
  const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
  const namespace = metadata.namespace ? ` Namespace=${metadata.namespace}` : ''
  return `${group}/${version}, Kind=${kind} Name=${metadata.name ?? ''}${namespace}`
}

function propertiesOf(
  { policy: { kind } }: PolicyResponse,
  rule: RuleResponse,
  { isBackground, isAdmission }: ReportedPolicy,
): Readonly<Record<string, string>> {
  const properties: Record<string, string> = {}
  for (const [key, value] of Object.entries({ ...rule.properties, ...rule.auditAnnotations }))
    setOwn(properties, key, value)
  if (rule.generated && rule.generated.length > 0) {
    setOwn(properties, 'generated-resources', rule.generated.map(({ resource }) => placeOf(resource)).join('; '))
  }
  if (rule.patchedTarget) setOwn(properties, 'patched-target', placeOf(rule.patchedTarget.after))
  const isGenerating = kind.endsWith('GeneratingPolicy')
  const process =
    isGenerating || !isBackground ? (isAdmission || isGenerating ? 'admission review' : '') : 'background scan'
  setOwn(properties, 'process', process)
  if (rule.exceptions && rule.exceptions.length > 0) {
    const names = rule.exceptions.map((name) => name.slice(name.indexOf('/') + 1))
    setOwn(properties, 'exceptions', names.join(','))
  }
  return properties
}
