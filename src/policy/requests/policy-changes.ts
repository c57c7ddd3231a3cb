import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual } from '../../lib/json.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { CacheChange } from '../../runtime/informer.ts'
import type { Informers } from '../../runtime/informers.ts'
import { done, type PendingKey, retry, type Turn, WorkQueue } from '../../runtime/work-queue.ts'
import { scannableKinds } from '../background/scanned-kinds.ts'
import { scanRequest } from '../background/scanner.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import { policyKinds } from '../catalog/policy-kinds.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import { noFacts } from '../engine/fact.ts'
import type { PolicyIdentity } from '../engine/rule-response.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { type DownstreamIndex, ofPolicy, RULE_LABEL, triggerFromLabels, triggerOf } from './downstream.ts'
import { mayMatch } from './plan-work.ts'
import { generatingRules, synchronizedRules, rulesForExisting, vanishingRules, wantsExisting } from './policy-facets.ts'
import type { Work } from './update-request.ts'
import { removeAll } from './worker.ts'

export interface PolicyChangesPorts {
  /** In the name of the background's account. */
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  readonly served: ServedKinds
  readonly downstream: DownstreamIndex
  readonly catalog: () => Catalog
  readonly world: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly namespaceOf: (name: string) => KubeObject | undefined
  readonly submit: (work: Work) => Promise<void>
}

const identityOf = ({ apiVersion, kind, metadata: { namespace, name = '' } }: KubeObject): PolicyIdentity => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
})

/** When a policy comes, changes or goes: what it generated follows, and what is there already may trigger it. */
export class PolicyChanges {
  readonly #ports: PolicyChangesPorts
  readonly #queue: WorkQueue
  /** The first form of each policy that has not been seen to yet. */
  readonly #before = new Map<string, KubeObject | undefined>()
  readonly #now = new Map<string, KubeObject | undefined>()

  constructor(ports: PolicyChangesPorts) {
    this.#ports = ports
    this.#queue = new WorkQueue({
      clock: ports.clock,
      work: (key, signal) => this.#turn(key, signal).catch((error: unknown) => retry(describeError(error))),
    })
  }

  pending(): readonly PendingKey[] {
    return this.#queue.pending()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#ports
    const leave = policyKinds
      .filter(({ kind }) => /^(Cluster)?Policy$|Generating|Mutating/.test(kind))
      .map((resource) =>
        informers.shared({ collection: { resource } }).listen((change) => this.#note(resource.kind, change)),
      )
    await this.#queue.run(signal)
    for (const stop of leave) stop()
  }

  #note(kind: string, { type, key, object, previous }: CacheChange): void {
    if (type === 'changed' && previous && isEqual(object['spec'], previous['spec'])) return
    const name = `${kind} ${key}`
    if (!this.#before.has(name)) this.#before.set(name, type === 'removed' ? object : previous)
    this.#now.set(name, type === 'removed' ? undefined : object)
    this.#queue.add(name)
  }

  async #turn(key: string, signal: AbortSignal): Promise<Turn> {
    const [before, now] = [this.#before.get(key), this.#now.get(key)]
    this.#before.delete(key)
    this.#now.delete(key)
    try {
      if (before) await this.#cleanUp(before, now, signal)
      if (now) await this.#takeUp(now, before !== undefined, signal)
    } catch (error) {
      if (!this.#before.has(key)) this.#before.set(key, before)
      if (!this.#now.has(key)) this.#now.set(key, now)
      throw error
    }
    return done
  }

  /** What rules that are gone have generated goes with them, where it follows its policy. */
  async #cleanUp(before: KubeObject, now: KubeObject | undefined, signal: AbortSignal): Promise<void> {
    const remaining = now ? generatingRules(now) : new Set<string>()
    const gone = [...vanishingRules(before)].filter((rule) => !remaining.has(rule))
    for (const rule of gone) {
      const left = await this.#ports.downstream.find(ofPolicy(identityOf(before), { rule }), signal)
      const failures = await removeAll(left, this.#ports, signal)
      if (failures.length > 0) throw new Error(failures.join('; '))
    }
  }

  async #takeUp(now: KubeObject, isChange: boolean, signal: AbortSignal): Promise<void> {
    const { catalog, downstream, submit } = this.#ports
    const current = catalog()
    const identity = identityOf(now)
    const policy = current.set.policies.find(
      (one) =>
        one.identity.kind === identity.kind &&
        one.identity.name === identity.name &&
        one.identity.namespace === identity.namespace,
    )
    if (!policy) return
    const works = new Map<string, Work>()
    if (isChange && policy.phases.has('generate')) {
      const rules = new Set([...synchronizedRules(now)].map((name) => name.slice(0, 63)))
      for (const { object } of rules.size > 0 ? await downstream.find(ofPolicy(identity), signal) : []) {
        const labels = object.metadata.labels ?? {}
        const trigger = triggerFromLabels(labels)
        if (!trigger || !rules.has(labels[RULE_LABEL] ?? '')) continue
        works.set(trigger.uid ?? '', {
          type: 'generate',
          policy: identity,
          trigger: { ...trigger, name: '' },
          deleteDownstream: false,
        })
      }
    }
    if (wantsExisting(now))
      for (const work of await this.#existing(policy, current, signal))
        works.set(`existing ${work.type} ${work.trigger.uid ?? ''}`, work)
    for (const work of works.values()) await submit(work)
  }

  /** What is there already and triggers a policy. */
  async #existing(policy: CompiledPolicy, catalog: Catalog, signal: AbortSignal): Promise<readonly Work[]> {
    const { client, served, world, namespaceOf } = this.#ports
    const { identity, phases } = policy
    const works: Work[] = []
    const rules = rulesForExisting(policy.source)
    for (const info of scannableKinds([policy], await served.all(true))) {
      const place = identity.namespace === undefined ? {} : { namespace: identity.namespace }
      const listed = await client.list({ resource: info, ...place }, { signal })
      for (const object of listed.ok ? listed.value.items : []) {
        const { namespace } = object.metadata
        const request = scanRequest(object, info, namespace === undefined ? undefined : namespaceOf(namespace))
        const known = { ...world(catalog), facts: noFacts }
        const base = {
          policy: identity,
          trigger: triggerOf(object),
          deleteDownstream: false,
          ...(rules ? { rules } : {}),
        }
        if (phases.has('generate') && mayMatch(policy, 'generate', request, known))
          works.push({ ...base, type: 'generate' })
        if (phases.has('mutate-existing') && mayMatch(policy, 'mutate-existing', request, known))
          works.push({ ...base, type: 'mutate' })
      }
    }
    return works
  }
}
