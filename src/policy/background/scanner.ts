import { createHash } from 'node:crypto'
import { isEqual } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseApiVersion, type ResourceId } from '../../kube/gvk.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import type { Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import { nobody, type PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { evaluateFully, type FetchFacts } from '../facts/evaluate-fully.ts'
import { isScanned } from './scanned-kinds.ts'

/** The question that a scan asks of a resource as it is. */
export function scanRequest(
  object: KubeObject,
  resource: ResourceId,
  namespaceObject: KubeObject | undefined,
): PolicyRequest {
  const { namespace, name = '' } = object.metadata
  return {
    source: 'background',
    operation: 'CREATE',
    kind: { ...parseApiVersion(object.apiVersion), kind: object.kind },
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    object,
    user: nobody,
    ...(namespaceObject ? { namespaceObject } : {}),
  }
}

/** What all background policies say of a resource. */
export async function scan(
  request: PolicyRequest,
  catalog: Catalog,
  ports: { readonly world: Omit<PolicyWorld, 'facts'>; readonly fetch: FetchFacts },
): Promise<readonly PolicyResponse[]> {
  const answers: PolicyResponse[] = []
  for (const policy of catalog.set.concerned('validate', request)) {
    if (isScanned(policy)) answers.push(await evaluateFully(policy, 'validate', request, ports))
  }
  for (const policy of catalog.set.concerned('mutate', request)) {
    if (!isScanned(policy) || policy.phases.has('validate')) continue
    const answer = await evaluateFully<PolicyResponse>(policy, 'mutate' satisfies Phase, request, ports)
    answers.push(unapplied(answer, request))
  }
  return answers.filter(({ rules }) => rules.length > 0)
}

/** A resource that a mutation would still change has not been through it. */
function unapplied(answer: PolicyResponse, { object }: PolicyRequest): PolicyResponse {
  const isApplied = answer.object === undefined || isEqual(answer.object, object)
  if (isApplied) return answer
  const rules = answer.rules.map((rule): RuleResponse =>
    rule.verdict === 'pass' && (rule.exceptions ?? []).length === 0
      ? { ...rule, rule: '', verdict: 'fail', message: 'mutation is not applied' }
      : rule,
  )
  return { ...answer, rules }
}

/** What of a resource policies can see: its status and its bookkeeping do not count. */
export function contentHash({ metadata, status: _status, ...rest }: KubeObject): string {
  const { labels, annotations, namespace, name, uid } = metadata
  return createHash('sha1')
    .update(JSON.stringify([labels, annotations, namespace, name, uid, rest]))
    .digest('base64')
}
