import { failure, type Status } from '../../kube/status.ts'
import { emitYaml } from '../../lib/yaml.ts'
import { setOwn } from '../../lib/json.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'

/** Tells whether a policy is of the CEL family. */
export const isCel = ({ policy }: PolicyResponse): boolean => policy.apiVersion.startsWith('policies.kyverno.io/')

/** A refusal in the words in which a webhook's refusal reaches a client. */
export function denial(webhook: string, because: string): Status {
  const refused = failure('BadRequest', `admission webhook ${JSON.stringify(webhook)} denied the request: ${because}`)
  // A webhook that gives no reason leaves it open, and clients print the message alone.
  return { ...refused, reason: '' as Status['reason'] }
}

/** Tells whether a rule's answer stops the request. */
export function isBlocking(rule: RuleResponse, failurePolicy: 'Fail' | 'Ignore'): boolean {
  if (rule.isExistingViolation === true) return false
  if (rule.verdict === 'fail') return rule.action === 'Enforce'
  return rule.verdict === 'error' && rule.action !== 'Audit' && failurePolicy === 'Fail'
}

/** What is told of policies that stop a request: the resource, then policy, rule and message. */
export function blockedMessage(request: PolicyRequest, responses: readonly PolicyResponse[]): string {
  const failures: Record<string, Record<string, string>> = {}
  for (const { policy, rules } of responses) {
    const reasons: Record<string, string> = {}
    for (const { rule, verdict, message, isExistingViolation } of rules) {
      if ((verdict === 'fail' || verdict === 'error') && isExistingViolation !== true) setOwn(reasons, rule, message)
    }
    if (Object.keys(reasons).length > 0) setOwn(failures, policy.name, reasons)
  }
  const { kind, namespace, name, object } = request
  const shown = name || object?.metadata.name || object?.metadata.generateName || ''
  const place = `${kind.kind}/${kind.kind === 'Namespace' ? '' : (namespace ?? '')}/${shown}`
  return `\n\nresource ${place} was blocked due to the following policies \n\n${emitYaml(failures)}`
}

/** Conditions that have no value are refused in the API server's own words: it would ask them before any webhook. */
export function undecidable(request: PolicyRequest, rules: readonly RuleResponse[]): Status {
  const { kind, resource, name, object } = request
  const plural = resource?.plural ?? kind.kind.toLowerCase()
  const shown = name || object?.metadata.name || object?.metadata.generateName || ''
  const what = `${plural}${kind.group === '' ? '' : `.${kind.group}`} ${JSON.stringify(shown)}`
  const messages = rules.map(({ message }) => message)
  const because = messages.length === 1 ? messages.join('') : `[${messages.join(', ')}]`
  return failure('Forbidden', `${what} is forbidden: ${because}`, { name: shown, kind: plural })
}

/** What a CEL policy says of a request that it stops. */
export function celMessages(
  { policy, rules }: PolicyResponse,
  isTold: (rule: RuleResponse) => boolean,
): readonly string[] {
  return rules
    .filter(isTold)
    .map(({ verdict, message }) => `Policy ${policy.name} ${verdict === 'error' ? 'error' : 'failed'}: ${message}`)
}

/** What whoever asked is warned of, although the request goes through. */
export function warningsOf(responses: readonly PolicyResponse[]): readonly string[] {
  return responses.flatMap((response) => {
    const { policy, rules } = response
    if (isCel(response)) {
      return celMessages(
        response,
        ({ isWarned, verdict }) => isWarned === true && (verdict === 'fail' || verdict === 'error'),
      )
    }
    return rules
      .filter(({ isWarned, verdict }) => isWarned === true && verdict !== 'skip')
      .map(({ rule, message }) => `policy ${policy.name}.${rule}: ${message}`)
  })
}
