import type { Client, ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import type { Clock } from '../../lib/clock.ts'
import { parseCron } from '../../lib/cron.ts'
import { isObject } from '../../lib/json.ts'
import type { Log } from '../../lib/log.ts'
import type { Controller } from '../../runtime/controller.ts'
import type { EventRecorder } from '../../runtime/event-recorder.ts'
import type { Informers } from '../../runtime/informers.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import { scannableKinds } from '../background/scanned-kinds.ts'
import { scanRequest } from '../background/scanner.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import { cleanupKinds, type PolicyKind, policyKinds } from '../catalog/policy-kinds.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import { evaluateFully, type FetchFacts } from '../facts/evaluate-fully.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'

export interface CleanupPorts {
  /** In the name of the cleanup account. */
  readonly client: Client
  /** Where the status of policies is written. */
  readonly statusClient: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  readonly served: ServedKinds
  readonly catalog: () => Catalog
  readonly world: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly fetch: (signal: AbortSignal) => FetchFacts
  readonly namespaceOf: (name: string) => KubeObject | undefined
  readonly events: EventRecorder
}

const kinds: readonly PolicyKind[] = [...cleanupKinds, ...policyKinds.filter(({ kind }) => kind.includes('Deleting'))]

/** Runs the policies that delete, each on its schedule. */
export const cleanupControllers = (ports: CleanupPorts): readonly Controller[] =>
  kinds.map((kind) => cleanupController(kind, ports))

function cleanupController(kind: PolicyKind, ports: CleanupPorts): Controller {
  const { informers, clock } = ports
  const informer = informers.shared({ collection: { resource: kind } })
  return {
    name: `cleanup-${kind.plural}`,
    watches: [{ informer }],
    async reconcile(key, { signal }) {
      const object = informer.cache.get(key)
      if (!object || object.metadata.deletionTimestamp !== undefined) return done
      const spec = isObject(object['spec']) ? object['spec'] : {}
      const schedule = parseCron(String(spec['schedule']))
      if (!schedule.ok) return done
      const dueMs = schedule.value.next(lastRunMs(object))
      if (dueMs === undefined) return done
      if (dueMs > clock.now()) return again(dueMs - clock.now(), 'its schedule says so')
      const policy = ports
        .catalog()
        .cleanup.policies.find(({ source }) => source.metadata.uid === object.metadata.uid && source.kind === kind.kind)
      if (policy) await cleanUp(policy, spec, ports, signal)
      await noteRun(object, kind, key, ports)
      const nextMs = schedule.value.next(clock.now())
      return nextMs === undefined ? done : again(nextMs - clock.now(), 'its schedule says so')
    },
  }
}

/** When a policy ran last; a new one waits for its first time from when it was made. */
function lastRunMs({ metadata, status }: KubeObject): number {
  const { lastExecutionTime } = (status ?? {}) as { readonly lastExecutionTime?: string }
  return Date.parse(lastExecutionTime ?? metadata.creationTimestamp ?? '') || 0
}

async function noteRun(object: KubeObject, kind: PolicyKind, key: string, ports: CleanupPorts): Promise<void> {
  const status = {
    ...(isObject(object['status']) ? object['status'] : {}),
    lastExecutionTime: formatTime(ports.clock.now()),
  }
  const { namespace, name } = partsOf(key)
  const target = { resource: kind, ...(namespace === undefined ? {} : { namespace }), name, subresource: 'status' }
  const written = await ports.statusClient.patch(target, { type: 'merge', body: { status } as never })
  if (!written.ok && written.error.reason !== 'NotFound') {
    ports.log.warn('the time of a cleanup cannot be written', { policy: name, because: written.error.message })
  }
}

type Propagation = 'Foreground' | 'Background' | 'Orphan'
const propagations: readonly unknown[] = ['Foreground', 'Background', 'Orphan'] satisfies readonly Propagation[]
const isPropagation = (value: unknown): value is Propagation => propagations.includes(value)

async function cleanUp(
  policy: CompiledPolicy,
  spec: Readonly<Record<string, unknown>>,
  ports: CleanupPorts,
  signal: AbortSignal,
): Promise<void> {
  const { client, served, catalog, world, fetch, namespaceOf } = ports
  const { namespace: home } = policy.identity
  const propagation = spec['deletionPropagationPolicy']
  const options = isPropagation(propagation) ? { propagationPolicy: propagation } : {}
  for (const info of scannableKinds([policy], await served.all())) {
    const listed = await client.list({ resource: info, ...(home === undefined ? {} : { namespace: home }) }, { signal })
    if (!listed.ok)
      ports.log.warn('a cleanup policy may not list', { policy: policy.identity.name, because: listed.error.message })
    for (const object of listed.ok ? listed.value.items : []) {
      const { namespace } = object.metadata
      const typed = { ...object, apiVersion: object.apiVersion, kind: object.kind }
      const request = scanRequest(typed, info, namespace === undefined ? undefined : namespaceOf(namespace))
      const answer = await evaluateFully(policy, 'delete', request, { world: world(catalog()), fetch: fetch(signal) })
      if (answer.rules.some(({ verdict }) => verdict === 'pass')) await remove(policy, object, info, options, ports)
    }
  }
}

async function remove(
  { source }: CompiledPolicy,
  object: KubeObject,
  info: ResourceInfo,
  options: { readonly propagationPolicy?: Propagation },
  { client, events }: CleanupPorts,
): Promise<void> {
  const { namespace, name = '', uid } = object.metadata
  const target = { resource: info, ...(namespace === undefined ? {} : { namespace }), name }
  const gone = await client.delete(target, { ...options, ...(uid === undefined ? {} : { preconditions: { uid } }) })
  const what = `the target resource ${object.kind}/${namespace ?? ''}/${name}`
  if (gone.ok)
    events.note(source, { type: 'Normal', reason: 'PolicyApplied', message: `successfully cleaned up ${what}` })
  else if (gone.error.reason !== 'NotFound') {
    events.note(source, {
      type: 'Warning',
      reason: 'PolicyError',
      message: `failed to clean up ${what}: ${gone.error.message}`,
    })
  }
}
