import type { KubeObject } from '../../kube/object.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import { noFacts } from '../engine/fact.ts'
import { type PolicyRequest, subjectOf } from '../engine/policy-request.ts'
import type { PolicySet } from '../engine/policy-set.ts'
import { triggerOf } from './downstream.ts'
import { rulesForBackground, synchronizedRules, triggersOnDelete } from './policy-facets.ts'
import type { Work } from './update-request.ts'

/** What a request that went through leaves the background to do. */
export function planWork(
  request: PolicyRequest,
  set: PolicySet,
  world: Omit<PolicyWorld, 'facts'>,
  backgroundUser: string,
): readonly Work[] {
  const subject = subjectOf(request)
  if (!subject) return []
  const isOurs = request.user.username === backgroundUser
  const about = { world: { ...world, facts: noFacts }, request, subject }
  const works: Work[] = []
  const asked: PolicyRequest = request.operation === 'DELETE' ? { ...request, operation: 'CREATE' } : request
  const generating = new Set([...set.concerned('generate', request), ...set.concerned('generate', asked)])
  for (const policy of generating) {
    const rules = isOurs ? rulesForBackground(policy.source) : undefined
    const work = rules?.length === 0 ? undefined : generateWork(policy, about)
    if (work) works.push(rules ? { ...work, rules } : work)
  }
  for (const policy of set.concerned('mutate-existing', request)) {
    const rules = isOurs ? rulesForBackground(policy.source) : undefined
    if (rules?.length === 0 || !policy.isAdmission) continue
    if (request.operation === 'DELETE' && !triggersOnDelete(policy.source)) continue
    if (!mayMatch(policy, 'mutate-existing', request, about.world)) continue
    works.push({
      type: 'mutate',
      policy: policy.identity,
      trigger: triggerOf(subject),
      deleteDownstream: false,
      request,
      ...(rules ? { rules } : {}),
    })
  }
  return works
}

interface About {
  readonly request: PolicyRequest
  readonly subject: KubeObject
  readonly world: PolicyWorld
}

function generateWork(policy: CompiledPolicy, { request, subject, world }: About): Work | undefined {
  const { source, identity } = policy
  const base = { type: 'generate', policy: identity, trigger: triggerOf(subject), request } as const
  if (request.operation === 'DELETE') {
    if (triggersOnDelete(source)) {
      return mayMatch(policy, 'generate', request, world) ? { ...base, deleteDownstream: false } : undefined
    }
    const before: PolicyRequest = { ...withoutOld(request), operation: 'CREATE', object: subject }
    const isFollowed = synchronizedRules(source).size > 0 && mayMatch(policy, 'generate', before, world)
    return isFollowed ? { ...base, deleteDownstream: true } : undefined
  }
  if (mayMatch(policy, 'generate', request, world)) return { ...base, deleteDownstream: false }
  // A trigger that no longer is one leaves nothing behind.
  const { oldObject } = request
  if (!oldObject || synchronizedRules(source).size === 0) return undefined
  const before: PolicyRequest = { ...withoutOld(request), object: oldObject }
  return mayMatch(policy, 'generate', before, world) ? { ...base, deleteDownstream: true } : undefined
}

function withoutOld({ oldObject: _old, ...request }: PolicyRequest): PolicyRequest {
  return request
}

/** Whether a policy has something to do, as far as can be said without looking anything up. */
export function mayMatch(
  policy: CompiledPolicy,
  phase: 'generate' | 'mutate-existing',
  request: PolicyRequest,
  world: PolicyWorld,
): boolean {
  const { rules, needs } = policy.evaluate(phase, request, world)
  return (
    needs.length > 0 || rules.some(({ verdict }) => verdict !== 'skip') || rules.some(({ exceptions }) => exceptions)
  )
}
