import type { CounterSeries, Labels, Metrics } from '../lib/metrics.ts'
import type { PolicyRequest } from './engine/policy-request.ts'
import type { PolicyIdentity, PolicyResponse, RuleResponse } from './engine/rule-response.ts'

/** Counts what policies do, under the names that Kyverno's dashboards ask for. */
export interface PolicyMetrics {
  reviewed(responses: readonly PolicyResponse[], request: PolicyRequest, tookMs: number): void
  policies(kind: string, count: number): void
}

const MOST_KNOWN = 10_000

/** Makes the metrics of policies. */
export function policyMetrics(metrics: Metrics): PolicyMetrics {
  const results = metrics.counter('kyverno_policy_results_total', 'Results of rules, by policy and outcome.')
  const reviews = metrics.histogram(
    'kyverno_admission_review_duration_seconds',
    'How long policies looked at a request for admission.',
  )
  const requests = metrics.counter(
    'kyverno_admission_requests_total',
    'Requests for admission that policies looked at.',
  )
  const rules = metrics.gauge('kyverno_policy_rule_info_total', 'Policies that are there, by kind.')
  // Looking a series up by all its labels costs more than counting.
  const known = new Map<string, CounterSeries>()
  const seriesOf = (
    policy: PolicyIdentity,
    { rule, verdict, ruleType, action }: RuleResponse,
    labels: Labels,
    source: PolicyRequest['source'],
  ): CounterSeries => {
    const { resource_kind: kind, resource_namespace: place, resource_request_operation: operation } = labels
    const key = `${policy.namespace ?? ''}/${policy.name}/${rule}/${verdict}/${action ?? ''}/${kind}/${place}/${operation}/${source}`
    const series = known.get(key)
    if (series) return series
    const made = results.with({
      policy_name: policy.name,
      policy_namespace: policy.namespace ?? '-',
      policy_type: policy.namespace === undefined ? 'cluster' : 'namespaced',
      policy_validation_mode: action?.toLowerCase() ?? '-',
      rule_name: rule,
      rule_type: ruleType.toLowerCase(),
      rule_result: verdict,
      rule_execution_cause: source === 'admission' ? 'admission_request' : 'background_scan',
      ...labels,
    })
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, made)
    return made
  }
  return {
    reviewed(responses, { operation, kind, namespace, source }, tookMs) {
      const isAllowed = responses.every((one) =>
        one.rules.every(({ verdict, action }) => verdict !== 'fail' || action !== 'Enforce'),
      )
      const labels = {
        resource_kind: kind.kind,
        resource_namespace: namespace ?? '-',
        resource_request_operation: operation.toLowerCase(),
      }
      if (source === 'admission') {
        requests.with({ ...labels, request_allowed: String(isAllowed) }).add()
        reviews.with({ resource_kind: kind.kind, request_allowed: String(isAllowed) }).observe(tookMs / 1_000)
      }
      for (const { policy, rules: answers } of responses) {
        for (const answer of answers) seriesOf(policy, answer, labels, source).add()
      }
    },
    policies: (kind, count) => rules.with({ policy_type: kind }).set(count),
  }
}
