import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Log } from '../../lib/log.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import { policyKey, type PolicyResponse, type RuleResponse } from '../engine/rule-response.ts'
import { evaluateFully, type FetchFacts } from '../facts/evaluate-fully.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { applyGenerated } from './apply-generated.ts'
import { applyPatched } from './apply-patched.ts'
import { type DownstreamIndex, type Downstream, ofPolicy, RULE_LABEL, type Trigger } from './downstream.ts'
import { isAmong, synchronizedRules } from './policy-facets.ts'
import { requestOfWork, type Work } from './update-request.ts'

export interface WorkerPorts {
  /** In the name of the background's own account: what it may not do is not done. */
  readonly client: Client
  readonly served: ServedKinds
  readonly downstream: DownstreamIndex
  readonly catalog: () => Catalog
  readonly world: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly fetch: (signal: AbortSignal) => FetchFacts
  readonly namespaceOf: (name: string) => KubeObject | undefined
  readonly log: Log
}

/** What became of a piece of work. */
export interface Done {
  /** The write that set it off is not stored yet, or never will be. */
  readonly isEarly?: boolean
  /** Why it, or a part of it, could not be done. */
  readonly failures: readonly string[]
  readonly request?: PolicyRequest
  readonly response?: PolicyResponse
  readonly policy?: CompiledPolicy
  /** What was made or changed. */
  readonly made: readonly KubeObject[]
}

const nothing: Done = { failures: [], made: [] }

/** Does what an UpdateRequest asks for. Doing it twice changes nothing. */
export async function doWork(work: Work, ports: WorkerPorts, signal: AbortSignal, attempt = 1): Promise<Done> {
  const catalog = ports.catalog()
  const policy = catalog.set.policies.find(
    ({ identity }) => identity.kind === work.policy.kind && policyKey(identity) === policyKey(work.policy),
  )
  if (!policy) return nothing
  if (work.deleteDownstream) {
    const failures = await removeAll(await followers(work, policy, ports, signal), ports, signal)
    return { failures, made: [] }
  }
  const current = await readTrigger(work.trigger, ports, signal)
  if (isEarly(work, current, attempt)) return { ...nothing, isEarly: true }
  const { namespace } = work.trigger
  const namespaceObject = namespace === undefined ? undefined : ports.namespaceOf(namespace)
  const request = { ...requestOfWork(work, current), ...(namespaceObject ? { namespaceObject } : {}) }
  const answer = await evaluateFully(policy, work.type === 'generate' ? 'generate' : 'mutate-existing', request, {
    world: ports.world(catalog),
    fetch: ports.fetch(signal),
  })
  const response = { ...answer, rules: answer.rules.filter(({ rule }) => isAmong(work.rules, rule)) }
  const done = { request, response, policy }
  if (work.type === 'mutate') return { ...done, ...(await mutate(response.rules, ports, signal)) }
  return { ...done, ...(await generate(work, policy, response.rules, ports, signal)) }
}

/** Admission tells of a write before it is stored; until then the trigger is not there, or as it was. */
function isEarly({ request }: Work, current: KubeObject | undefined, attempt: number): boolean {
  if (request?.operation === 'DELETE') return false
  if (!current) return true
  // A write that changes nothing is never stored, and counts all the same.
  if (attempt > 2) return false
  const before = request?.operation === 'UPDATE' ? request.oldObject?.metadata.resourceVersion : undefined
  return before !== undefined && current.metadata.resourceVersion === before
}

async function readTrigger(
  { apiVersion, kind, namespace, name, uid }: Trigger,
  { client, served }: WorkerPorts,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const info = await served.find(apiVersion, kind)
  if (!info) return undefined
  const place = info.namespaced && namespace !== undefined ? { namespace } : {}
  if (name !== '') {
    const found = await client.get({ resource: info, ...place, name }, { signal })
    return found.ok ? found.value : undefined
  }
  const listed = await client.list({ resource: info, ...place }, { signal })
  return listed.ok ? listed.value.items.find((item) => item.metadata.uid === uid) : undefined
}

async function mutate(
  rules: readonly RuleResponse[],
  ports: WorkerPorts,
  signal: AbortSignal,
): Promise<Pick<Done, 'failures' | 'made'>> {
  const failures: string[] = []
  const made: KubeObject[] = []
  for (const { rule, verdict, message, patchedTarget } of rules) {
    if (verdict === 'error' || verdict === 'fail') failures.push(`rule ${rule}: ${message}`)
    if (verdict !== 'pass' || !patchedTarget) continue
    const because = await applyPatched(patchedTarget, ports, signal)
    if (because === undefined) made.push(patchedTarget.after)
    else failures.push(`rule ${rule}: ${because}`)
  }
  return { failures, made }
}

async function generate(
  work: Work,
  policy: CompiledPolicy,
  rules: readonly RuleResponse[],
  ports: WorkerPorts,
  signal: AbortSignal,
): Promise<Pick<Done, 'failures' | 'made'>> {
  const failures: string[] = []
  const made: KubeObject[] = []
  const wanted = new Set<string>()
  for (const { rule, verdict, message, generated = [] } of rules) {
    if (verdict === 'error') failures.push(`rule ${rule}: ${message}`)
    for (const one of generated) {
      const outcome = await applyGenerated(one, { policy: policy.identity, rule, trigger: work.trigger }, ports, signal)
      if (outcome.did === 'fail') {
        failures.push(`rule ${rule}: ${outcome.because}`)
        continue
      }
      wanted.add(placeOf(outcome.object))
      if (outcome.did !== 'nothing') made.push(outcome.object)
    }
  }
  if (failures.length > 0) return { failures, made }
  const left = (await followers(work, policy, ports, signal)).filter(
    ({ object }) => !wanted.has(placeOf(object)) && isAmong(work.rules, object.metadata.labels?.[RULE_LABEL] ?? ''),
  )
  return { failures: await removeAll(left, ports, signal), made }
}

const placeOf = ({ kind, metadata: { namespace = '', name = '' } }: KubeObject): string =>
  `${kind} ${namespace}/${name}`

/** What was generated because of a trigger by rules whose objects follow it. */
async function followers(
  { trigger }: Work,
  { identity, source }: CompiledPolicy,
  { downstream }: WorkerPorts,
  signal: AbortSignal,
): Promise<readonly Downstream[]> {
  const rules = synchronizedRules(source)
  if (rules.size === 0 || trigger.uid === undefined) return []
  const found = await downstream.find(ofPolicy(identity, { triggerUid: trigger.uid }), signal)
  const names = new Set([...rules].map((name) => name.slice(0, 63)))
  return found.filter(({ object }) => names.has(object.metadata.labels?.[RULE_LABEL] ?? ''))
}

/** Deletes generated objects; answers which could not be. */
export async function removeAll(
  all: readonly Downstream[],
  { client }: { readonly client: Client },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const failures: string[] = []
  for (const { object, info } of all) {
    const { namespace, name = '', uid } = object.metadata
    const place = namespace === undefined ? {} : { namespace }
    const gone = await client.delete(
      { resource: info, ...place, name },
      { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) },
    )
    if (!gone.ok && gone.error.reason !== 'NotFound' && gone.error.reason !== 'Conflict')
      failures.push(gone.error.message)
  }
  return failures
}
