import { setCondition } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { formatTime } from '../../../kube/time.ts'
import { type Fields, textMapOf, textOf } from '../../../lib/fields.ts'
import type { Json } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import { retryAfter, type TurnContext } from '../../../runtime/controller.ts'
import type { EventRecorder } from '../../../runtime/event-recorder.ts'
import type { Informer } from '../../../runtime/informer.ts'
import { again, done, retry, type Turn } from '../../../runtime/work-queue.ts'
import { conceal } from '../conceal.ts'
import type { SecretData } from '../data/decode.ts'
import { failed, type Fetched, within } from '../data/trouble.ts'
import { versionOf } from '../external-secret/hashes.ts'
import { renderTarget } from '../external-secret/render-target.ts'
import { dataOfSecret } from '../external-secret/target-secret.ts'
import { type ExternalWorld, openStores } from '../external-world.ts'
import { PushSecretKind } from '../kinds.ts'
import type { KindMetrics } from '../metrics.ts'
import { type Dependents, onObject, onSecretsOf } from '../providers/dependency.ts'
import type { PushedSecret, SecretsClient } from '../providers/provider.ts'
import type { StoreRef } from '../spec/external-secret.ts'
import { isOurs } from '../stores/choose-store.ts'
import { meansStore, type NamedStore, planPush, pushesFor, specProblem } from './plan.ts'
import { entryRef, type PushEntry, type PushSecret, type Synced } from './push-secret.ts'

export interface PushPorts {
  readonly world: ExternalWorld
  readonly pushSecrets: Informer<PushSecret>
  readonly events: EventRecorder
  readonly metrics: KindMetrics
  readonly dependents: Dependents
  readonly stale: Set<string>
}

const FINALIZER = 'pushsecret.externalsecrets.io/finalizer'

/** What one turn came to. */
type Outcome =
  | { readonly ok: true; readonly synced: Synced }
  | {
      readonly ok: false
      readonly message: string
      readonly synced?: Synced
      readonly reason?: string
      readonly isFinal?: boolean
    }

/** Pushes what one PushSecret says to the stores that it names. */
export async function turnPushSecret(key: string, ports: PushPorts, context: TurnContext): Promise<Turn> {
  const push = ports.pushSecrets.cache.get(key)
  if (!push) {
    forget(key, ports)
    return done
  }
  const { world, metrics, stale } = ports
  const { spec } = push.parsed
  const { finalizers = [], deletionTimestamp } = push.metadata
  const hasFinalizer = finalizers.includes(FINALIZER)
  if (deletionTimestamp !== undefined) return hasFinalizer ? letGo(push, ports, context) : done
  const needsFinalizer = spec.deletionPolicy === 'Delete'
  if (needsFinalizer !== hasFinalizer) {
    const kept = finalizers.filter((one) => one !== FINALIZER)
    return setFinalizers(push, needsFinalizer ? [...kept, FINALIZER] : kept, ports, context)
  }
  const nowMs = world.ports.clock.now()
  const plan = planPush(push, { nowMs, isStale: stale.has(key) })
  if (plan.do === 'rest') {
    if (plan.untilMs === undefined) return done
    track(push, ports)
    return again(plan.untilMs - nowMs, 'refreshInterval')
  }
  stale.delete(key)
  metrics.synced(push.metadata.namespace ?? '', push.metadata.name ?? '')
  const outcome = await pushAll(push, ports, context)
  const told = await tell(push, outcome, nowMs, ports, context)
  if (told) return told
  if (outcome.ok) return spec.refreshIntervalMs > 0 ? again(spec.refreshIntervalMs, 'refreshInterval') : done
  if (outcome.isFinal === true) return done
  stale.add(key)
  return retry(outcome.message)
}

function forget(key: string, { dependents, stale, metrics }: PushPorts): void {
  dependents.set(key, new Set())
  stale.delete(key)
  const slash = key.indexOf('/')
  metrics.forget(key.slice(0, slash), key.slice(slash + 1))
}

/** The Secrets that it is made from: when they change, it is pushed again. */
function track(push: PushSecret, { dependents }: PushPorts, more: readonly string[] = []): void {
  const { namespace = '', name = '' } = push.metadata
  const { secretName } = push.parsed.spec
  const source = secretName === '' ? onSecretsOf(namespace) : onObject('Secret', namespace, secretName)
  dependents.set(`${namespace}/${name}`, new Set([source, ...more]))
}

async function pushAll(push: PushSecret, ports: PushPorts, { signal }: TurnContext): Promise<Outcome> {
  const { world } = ports
  const { spec, status } = push.parsed
  const { namespace = '' } = push.metadata
  const problem = specProblem(spec)
  if (problem !== undefined) return { ok: false, message: problem, isFinal: true }
  const dependencies = new Set<string>()
  const open = openStores(world, namespace, (dependency) => void dependencies.add(dependency), signal)
  try {
    const stores = storesOf(push, world)
    for (const ref of stores) await open(ref)
    const sources = await sourcesOf(push, ports, signal)
    if (!sources.ok) {
      const isGone = sources.error.why === 'missing' && spec.deletionPolicy === 'Delete' && status.synced.size > 0
      if (!isGone) return { ok: false, message: `could not get source secret: ${sources.error.message}` }
      const left = await removeLeft(status.synced, new Map(), open)
      if (left) return { ok: false, message: `failed to cleanup provider secrets: ${left}` }
      const message = 'source secret deleted; provider secrets cleaned up'
      return { ok: false, message, synced: new Map(), reason: 'SourceDeleted', isFinal: true }
    }
    if (stores.length === 0) return { ok: false, message: 'none of secretStoreRefs leads to a store' }
    const synced = new Map<string, Map<string, PushEntry>>()
    for (const store of stores) {
      const pushed = synced.get(`${store.kind}/${store.name}`) ?? new Map<string, PushEntry>()
      synced.set(`${store.kind}/${store.name}`, pushed)
      const client = await open(store)
      if (!client.ok)
        return {
          ok: false,
          message: `set secret failed: ${client.error.message}`,
          synced: merged(status.synced, synced),
        }
      for (const source of sources.value) {
        const done = await pushTo(push, store, source, client.value, { ports, pushed })
        if (!done.ok) {
          const message = conceal(`set secret failed: ${done.error.message}`, source.data)
          return { ok: false, message, synced: merged(status.synced, synced) }
        }
      }
    }
    if (spec.deletionPolicy === 'Delete') {
      const left = await removeLeft(status.synced, synced, open)
      if (left)
        return {
          ok: false,
          message: `Failed to Delete Secrets from Provider: ${left}`,
          synced: merged(status.synced, synced),
        }
    }
    return { ok: true, synced }
  } finally {
    track(push, ports, [...dependencies])
  }
}

/** Those that were there before and those that are there now. */
function merged(before: Synced, now: Synced): Synced {
  const all = new Map([...before].map(([store, entries]) => [store, new Map(entries)]))
  for (const [store, entries] of now) all.set(store, new Map([...(all.get(store) ?? []), ...entries]))
  return all
}

interface PushTo {
  readonly ports: PushPorts
  readonly pushed: Map<string, PushEntry>
}

async function pushTo(
  push: PushSecret,
  store: NamedStore,
  source: PushedSecret,
  client: SecretsClient,
  { ports, pushed }: PushTo,
): Promise<Fetched<undefined>> {
  const { spec } = push.parsed
  const { templates } = ports.world
  const pushes = pushesFor(spec, store, source.data, (template, key) =>
    templates.renderWith('transform', template, new Map([['value', key]])),
  )
  if (!pushes.ok) return pushes
  for (const { entry, data } of pushes.value) {
    const item = { ...entry, metadata: entry.metadata }
    if (spec.updatePolicy === 'IfNotExists') {
      const exists = await client.exists(item)
      if (!exists.ok) return within('could not verify if secret exists in store', exists.error)
      if (exists.value) {
        pushed.set(entryRef(entry), entry)
        continue
      }
    }
    const done = await client.push(item, { ...source, data })
    if (!done.ok)
      return within(`could not write remote ref ${entry.secretKey} to target secretstore ${store.name}`, done.error)
    pushed.set(entryRef(entry), entry)
  }
  return succeed(undefined)
}

function storesOf({ parsed: { spec }, metadata }: PushSecret, world: ExternalWorld): readonly NamedStore[] {
  const all = [...world.stores.cache.list(metadata.namespace ?? ''), ...world.clusterStores.cache.list()].filter(
    (store) => isOurs(store) && store.metadata.deletionTimestamp === undefined,
  )
  const named = all.map(({ kind, metadata: { name = '', labels = {} } }) => ({ kind, name, labels }))
  const found = named.filter((store) => spec.stores.some((ref) => meansStore(ref, store)))
  // A store that is named and not there is told when it is opened.
  const absent = spec.stores.filter(
    ({ kind, name }) => name !== '' && !named.some((store) => store.kind === kind && store.name === name),
  )
  return [...found, ...absent.map(({ kind, name }) => ({ kind, name, labels: {} }))]
}

async function sourcesOf(
  push: PushSecret,
  { world }: PushPorts,
  signal: AbortSignal,
): Promise<Fetched<readonly PushedSecret[]>> {
  const { spec } = push.parsed
  const { namespace = '' } = push.metadata
  if (spec.generator) {
    const made = await world.generate(spec.generator, namespace, signal)
    return made.ok
      ? templated(push, [{ data: made.value, type: '', labels: new Map(), annotations: new Map() }], world)
      : made
  }
  if (spec.secretName !== '') {
    const secret = world.view.get('Secret', namespace, spec.secretName)
    if (!secret) return { ok: false, error: { why: 'missing', message: `the Secret ${spec.secretName} is not there` } }
    return templated(push, [asPushed(secret)], world)
  }
  const selector = spec.secretSelector ? compileSelector(spec.secretSelector) : undefined
  if (!selector) return failed('no secret or generator selector is set')
  if (!selector.ok) return failed(selector.error[0]?.message ?? '')
  const found = world.view
    .secrets(namespace)
    .filter(({ metadata }) => matchesLabels(selector.value, metadata.labels ?? {}))
  return templated(push, found.map(asPushed), world)
}

const asPushed = (secret: KubeObject): PushedSecret => ({
  data: dataOfSecret(secret),
  type: textOf(secret, 'type'),
  labels: textMapOf(secret.metadata, 'labels'),
  annotations: textMapOf(secret.metadata, 'annotations'),
})

/** The sources with what the template makes of each. */
function templated(
  push: PushSecret,
  sources: readonly PushedSecret[],
  world: ExternalWorld,
): Fetched<readonly PushedSecret[]> {
  const { template } = push.parsed.spec
  if (!template) return succeed(sources)
  const made: PushedSecret[] = []
  for (const source of sources) {
    const rendered = renderTarget(template, source.data, world.templates, (kind, name) =>
      textsOf(world.view.get(kind, push.metadata.namespace ?? '', name)),
    )
    if (!rendered.ok) return rendered
    const { data, labels, annotations } = rendered.value
    made.push({
      type: template.type,
      data: new Map([...source.data, ...data]),
      labels: new Map([...source.labels, ...labels]),
      annotations: new Map([...source.annotations, ...annotations]),
    })
  }
  return succeed(made)
}

function textsOf(object: KubeObject | undefined): SecretData | undefined {
  if (!object) return undefined
  return object.kind === 'Secret' ? dataOfSecret(object) : textMapOf(object, 'data')
}

/** Removes from the stores what was pushed before and is not any more; answers why that did not work. */
async function removeLeft(
  before: Synced,
  now: Synced,
  open: (ref: StoreRef) => Promise<Fetched<SecretsClient>>,
): Promise<string | undefined> {
  for (const [store, entries] of before) {
    const left = [...entries].filter(([ref]) => !now.get(store)?.has(ref))
    if (left.length === 0) continue
    const [kind = '', name = ''] = store.split('/')
    const client = await open({ kind, name })
    if (!client.ok) return `could not get secrets client for store ${store}: ${client.error.message}`
    for (const [, entry] of left) {
      const gone = await client.value.remove(entry)
      if (!gone.ok) return gone.error.message
    }
  }
  return undefined
}

/** A PushSecret that is being deleted takes back what it pushed, where it said so. */
async function letGo(push: PushSecret, ports: PushPorts, context: TurnContext): Promise<Turn> {
  const { world } = ports
  const dependencies = new Set<string>()
  const open = openStores(world, push.metadata.namespace ?? '', (one) => void dependencies.add(one), context.signal)
  const left = await removeLeft(push.parsed.status.synced, new Map(), open)
  track(push, ports, [...dependencies])
  if (left) {
    const message = `Failed to Delete Secrets from Provider: ${left}`
    return (await tell(push, { ok: false, message }, world.ports.clock.now(), ports, context)) ?? retry(message)
  }
  const finalizers = (push.metadata.finalizers ?? []).filter((one) => one !== FINALIZER)
  return setFinalizers(push, finalizers, ports, context)
}

async function setFinalizers(
  { metadata }: PushSecret,
  finalizers: readonly string[],
  { world }: PushPorts,
  { signal }: TurnContext,
): Promise<Turn> {
  const { namespace = '', name = '', resourceVersion = '' } = metadata
  const target = { resource: PushSecretKind, namespace, name }
  const patched = await world.ports.client.patch(
    target,
    { type: 'merge', body: { metadata: { resourceVersion, finalizers } } },
    { signal },
  )
  return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
}

async function tell(
  push: PushSecret,
  outcome: Outcome,
  nowMs: number,
  { world, pushSecrets, events, metrics }: PushPorts,
  { signal }: TurnContext,
): Promise<Turn | undefined> {
  const { namespace = '', name = '' } = push.metadata
  const { spec, status } = push.parsed
  const kept = spec.updatePolicy === 'IfNotExists' ? '. Existing secrets in providers unchanged.' : ''
  const condition = outcome.ok
    ? ({ type: 'Ready', status: 'True', reason: 'Synced', message: `PushSecret synced successfully${kept}` } as const)
    : ({ type: 'Ready', status: 'False', reason: outcome.reason ?? 'Errored', message: outcome.message } as const)
  metrics.stands(namespace, name, condition)
  if (outcome.ok) metrics.refreshed(namespace, name, nowMs)
  else metrics.failed(namespace, name)
  const conditions = setCondition(status.conditions, condition, nowMs)
  if (conditions !== status.conditions) {
    events.note(push, { type: outcome.ok ? 'Normal' : 'Warning', reason: condition.reason, message: condition.message })
  }
  const body = {
    status: {
      ...(conditions === status.conditions ? {} : { conditions }),
      ...(outcome.synced ? { syncedPushSecrets: syncedPatch(status.synced, outcome.synced) } : {}),
      ...(outcome.ok ? { refreshTime: formatTime(nowMs), syncedResourceVersion: versionOf(push.metadata) } : {}),
    },
  } as unknown as Json // of texts, conditions and entries as they were read
  if (Object.keys((body as Fields)['status'] as Fields).length === 0) return undefined
  const target = { resource: PushSecretKind, namespace, name, subresource: 'status' }
  const patched = await world.ports.client.patch(target, { type: 'merge', body }, { signal })
  if (!patched.ok) return patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
  await pushSecrets.caughtUp(patched.value, signal)
  return undefined
}

/** What was pushed as a merge patch: what is there no more is taken out. */
function syncedPatch(before: Synced, now: Synced): Record<string, unknown> {
  const stores = new Set([...before.keys(), ...now.keys()])
  return Object.fromEntries(
    [...stores].map((store) => {
      const entries = now.get(store)
      if (!entries) return [store, null]
      const gone = [...(before.get(store)?.keys() ?? [])]
        .filter((ref) => !entries.has(ref))
        .map((ref) => [ref, null] as const)
      return [store, Object.fromEntries([...gone, ...[...entries].map(([ref, { source }]) => [ref, source] as const)])]
    }),
  )
}
