import { type Condition, setCondition } from '../../../kube/condition.ts'
import type { Kind } from '../../../kube/gvk.ts'
import type { Json } from '../../../lib/json.ts'
import { type Controller, retryAfter, type TurnContext } from '../../../runtime/controller.ts'
import type { Informer } from '../../../runtime/informer.ts'
import { again, done, retry, type Turn } from '../../../runtime/work-queue.ts'
import { type ExternalWorld, isOwnChange } from '../external-world.ts'
import { type KindMetrics, kindMetrics } from '../metrics.ts'
import { onObject } from '../providers/dependency.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import { isOurs } from './choose-store.ts'
import { problemsOfStore } from './validate-store.ts'

const EVERY_MS = 300_000
const FINALIZER = 'secretstore.externalsecrets.io/finalizer'

/** How a store stands. */
interface Verdict {
  readonly condition: Condition
  readonly capabilities?: string
  /** Only another store changes that. */
  readonly isFinal?: boolean
}

const invalid = (message: string): Verdict => ({
  condition: { type: 'Ready', status: 'False', reason: 'InvalidProviderConfig', message },
})

/** Looks at stores: whether what they name is there and lets us in. */
export function storeController(world: ExternalWorld, kind: Kind, informer: Informer<SecretStore>): Controller {
  const { ports, secrets, configMaps, accounts, namespaces, storeDependents } = world
  const events = ports.events('secretstore-controller')
  const metrics = kindMetrics(kind.kind.toLowerCase(), ports.metrics)
  const mine = (dependency: string): readonly string[] =>
    [...storeDependents.of(dependency)].flatMap((id) =>
      id.startsWith(`${kind.kind} `) ? id.slice(kind.kind.length + 1) : [],
    )
  const objects = (of: string, source: Informer) => ({
    informer: source,
    keys: ({
      metadata: { namespace = '', name = '' },
    }: Parameters<NonNullable<Controller['watches'][number]['keys']>>[0]) => mine(onObject(of, namespace, name)),
  })
  return {
    name: kind.kind.toLowerCase(),
    concurrency: 4,
    retryDelay: { firstMs: 1_000, longestMs: 60_000 },
    watches: [
      { informer, keys: (object, { key, previous }) => (isOwnChange(object, previous) ? [key] : []) },
      objects('Secret', secrets),
      objects('ConfigMap', configMaps),
      objects('ServiceAccount', accounts),
      { informer: namespaces, keys: () => [] },
    ],
    reconcile: (key, context) => look(key, { world, kind, informer, events, metrics }, context),
  }
}

interface Ports {
  readonly world: ExternalWorld
  readonly kind: Kind
  readonly informer: Informer<SecretStore>
  readonly events: ReturnType<ExternalWorld['ports']['events']>
  readonly metrics: KindMetrics
}

async function look(key: string, ports: Ports, context: TurnContext): Promise<Turn> {
  const { world, kind, informer, metrics } = ports
  const store = informer.cache.get(key)
  const id = `${kind.kind} ${key}`
  const { namespace = '', name = '', finalizers = [], resourceVersion = '' } = store?.metadata ?? {}
  if (!store || !isOurs(store)) {
    world.storeDependents.set(id, new Set())
    const slash = key.indexOf('/')
    metrics.forget(key.slice(0, slash), key.slice(slash + 1))
    return done
  }
  const at = { resource: kind, name, ...(kind.scope === 'Namespaced' ? { namespace } : {}) }
  if (store.metadata.deletionTimestamp !== undefined) {
    if (!finalizers.includes(FINALIZER)) return done
    const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } }
    const patched = await world.ports.client.patch(at, { type: 'merge', body })
    return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
  }
  const dependencies = new Set<string>()
  metrics.synced(namespace, name)
  const verdict = await judge(store, world, (dependency) => void dependencies.add(dependency), context.signal)
  world.storeDependents.set(id, dependencies)
  metrics.stands(namespace, name, verdict.condition)
  if (verdict.condition.status === 'False') metrics.failed(namespace, name)
  const refused = await tell(store, verdict, ports, at)
  if (refused) return refused
  if (verdict.isFinal === true) return done
  if (verdict.condition.status === 'False') return retry(verdict.condition.message ?? '')
  return again(store.parsed.spec.refreshMs ?? EVERY_MS, 'stores are looked at again and again')
}

async function judge(
  store: SecretStore,
  world: ExternalWorld,
  track: (dependency: string) => void,
  signal: AbortSignal,
): Promise<Verdict> {
  const provider = world.providers.of(store)
  if (!provider.ok) return { ...invalid(provider.error.message), isFinal: true }
  const [problem] = problemsOfStore(store).errors
  if (problem !== undefined) return { ...invalid(`unable to validate store: ${problem}`), isFinal: true }
  const opened = await world.providers.open({ store, namespace: store.metadata.namespace ?? '', track, signal })
  if (!opened.ok) return invalid(`unable to create client: ${opened.error.message}`)
  const valid = await opened.value.validate()
  if (!valid.ok) return invalid(`unable to validate store: ${valid.error.message}`)
  const condition: Condition =
    valid.value === 'unknown' && provider.value.name === 'fake'
      ? { type: 'Ready', status: 'True', reason: 'ValidationUnknown', message: 'could not determine validation status' }
      : { type: 'Ready', status: 'True', reason: 'Valid', message: 'store validated' }
  return { condition, capabilities: provider.value.capabilities }
}

async function tell(
  store: SecretStore,
  { condition, capabilities = store.parsed.status.capabilities }: Verdict,
  { world, events, informer }: Ports,
  at: Parameters<ExternalWorld['ports']['client']['patch']>[0],
): Promise<Turn | undefined> {
  const { status } = store.parsed
  const conditions = setCondition(status.conditions, condition, world.ports.clock.now())
  if (conditions === status.conditions && capabilities === status.capabilities) return undefined
  const isBad = condition.status === 'False'
  events.note(store, {
    type: isBad ? 'Warning' : 'Normal',
    reason: condition.reason ?? '',
    message: condition.message ?? '',
  })
  const body = { status: { conditions, ...(capabilities === '' ? {} : { capabilities }) } } as unknown as Json // of texts
  const patched = await world.ports.client.patch({ ...at, subresource: 'status' }, { type: 'merge', body })
  if (!patched.ok) return patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
  await informer.caughtUp(patched.value, AbortSignal.timeout(10_000))
  return undefined
}
