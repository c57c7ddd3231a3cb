import type { KubeObject } from '../../../kube/object.ts'
import { conditionOf } from '../../../kube/condition.ts'
import { isControlledBy } from '../../../kube/owner.ts'
import type { ApiResult, Status } from '../../../kube/status.ts'
import { isEqual, type Json } from '../../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../../runtime/controller.ts'
import type { EventRecorder } from '../../../runtime/event-recorder.ts'
import { again, done, retry, type Turn } from '../../../runtime/work-queue.ts'
import { conceal } from '../conceal.ts'
import type { SecretData } from '../data/decode.ts'
import { type ExternalWorld, openStores, storeOf } from '../external-world.ts'
import { CLEANUP_FINALIZER, ExternalSecretKind, SecretKind } from '../kinds.ts'
import type { KindMetrics } from '../metrics.ts'
import { onObject } from '../providers/dependency.ts'
import { type ExternalSecret, storesOf, targetName } from '../spec/external-secret.ts'
import { isOurs } from '../stores/choose-store.ts'
import { fetchData } from './fetch.ts'
import { managerOf, ownerHash } from './hashes.ts'
import { nextRefresh, planRefresh } from './refresh.ts'
import { renderTarget } from './render-target.ts'
import { type Outcome, readyCondition, saysSo, statusAfter, statusTarget } from './report.ts'
import { dataOfSecret, isIntact, targetSecret } from './target-secret.ts'

/** What turns on ExternalSecrets work with. */
export interface TurnPorts {
  readonly world: ExternalWorld
  readonly events: EventRecorder
  readonly metrics: KindMetrics
  /** Those that were looked at since this process began. */
  readonly seen: Set<string>
  /** How often each was looked at lately because something has changed. */
  readonly looks: Map<string, { readonly sinceMs: number; readonly count: number }>
}

/** How a write of the Secret went. */
type Written =
  | { readonly do: 'tell'; readonly outcome: Outcome; readonly isFinal?: boolean; readonly wrote: boolean }
  | { readonly do: 'again'; readonly status: Status }

/** Stores whose changes we hear of. */
const HEARD: readonly string[] = ['vault', 'kubernetes', 'fake']

/** Brings the Secret of one ExternalSecret to what its sources hold. */
export async function turnExternalSecret(key: string, ports: TurnPorts, context: TurnContext): Promise<Turn> {
  const { world, metrics } = ports
  const secret = world.externalSecrets.cache.get(key)
  if (!secret) {
    forget(key, ports)
    return done
  }
  if (secret.metadata.deletionTimestamp !== undefined) return letGo(secret, ports, context)
  const namespace = secret.metadata.namespace ?? ''
  const named = storesOf(secret.parsed.spec).map((ref) => storeOf(world, ref, namespace))
  if (named.some((store) => store && !isOurs(store))) {
    trackOnly(secret, ports)
    return done
  }
  if (secret.parsed.spec.target.manifest) return refuseManifest(secret, ports, context)
  const existing = world.secrets.cache.get(`${namespace}/${targetName(secret)}`)
  const isFirst = !ports.seen.has(key)
  ports.seen.add(key)
  const nowMs = world.ports.clock.now()
  const plan = planRefresh(secret, {
    nowMs,
    isStale: isStale(secret, ports, isFirst),
    isTargetIntact: isIntact(existing) || secret.parsed.spec.target.creationPolicy === 'None',
  })
  if (isFirst) tellMetrics(secret, metrics)
  if (plan.do === 'rest') {
    if (isFirst) trackOnly(secret, ports)
    return plan.untilMs === undefined ? done : again(plan.untilMs - nowMs, plan.because)
  }
  if (plan.because === STALE && isRestless(key, ports, nowMs))
    return again(RESTLESS_MS, 'what it is made from changes all the time')
  const waiting = named.find((store) => store && !conditionOf(store.parsed.status.conditions, 'Ready'))
  if (waiting) {
    trackOnly(secret, ports)
    return { do: 'retry', because: `the store ${waiting.metadata.name ?? ''} was not looked at yet`, quietly: true }
  }
  return look(secret, existing, plan.because, ports, context)
}

/** Looks at the sources, writes what follows, and tells of it. */
async function look(
  secret: ExternalSecret,
  existing: KubeObject | undefined,
  because: string,
  ports: TurnPorts,
  context: TurnContext,
): Promise<Turn> {
  const { world, metrics } = ports
  const { namespace = '', name = '' } = secret.metadata
  const key = `${namespace}/${name}`
  const { clock } = world.ports
  const nowMs = clock.now()
  metrics.synced(namespace, name)
  world.stale.delete(key)
  const written = await refresh(secret, existing, ports, context)
  if (written.do === 'again') {
    world.stale.add(key)
    return retryAfter(written.status)
  }
  // A look that found everything as it was is not told: the status of all would be written at every start.
  const isQuiet = written.outcome.ok && !written.wrote && because === STALE && saysSo(secret, written.outcome)
  const told = isQuiet ? undefined : await tell(secret, written.outcome, nowMs, ports, context)
  if (told) return told
  if (!written.outcome.ok) {
    if (written.isFinal === true) return done
    world.stale.add(key)
    return retry(written.outcome.message)
  }
  const next = nextRefresh(secret, isQuiet ? Date.parse(secret.parsed.status.refreshTime) : nowMs)
  return next === undefined ? done : again(Math.max(next - clock.now(), 0), 'refreshInterval')
}

const STALE = 'what it is made from has changed'

const RESTLESS_MS = 10_000
const MOST_LOOKS = 20

/** Two ExternalSecrets that find each other's Secrets would go on for ever: after some looks they have to wait. */
function isRestless(key: string, { looks }: TurnPorts, nowMs: number): boolean {
  const known = looks.get(key)
  const isLate = known === undefined || nowMs - known.sinceMs >= RESTLESS_MS
  if (!isLate && known.count >= MOST_LOOKS) return true
  looks.set(key, isLate ? { sinceMs: nowMs, count: 1 } : { sinceMs: known.sinceMs, count: known.count + 1 })
  return false
}

/** New values come out of a generator at every look, so one is only looked at when it is due. */
function isStale(secret: ExternalSecret, { world }: TurnPorts, isFirst: boolean): boolean {
  const { spec } = secret.parsed
  if (spec.dataFrom.some(({ generator }) => generator)) return false
  const { namespace = '', name = '' } = secret.metadata
  if (world.stale.has(`${namespace}/${name}`)) return true
  // What happened while we were away was not heard.
  return (
    isFirst &&
    storesOf(spec).every((ref) => HEARD.includes(storeOf(world, ref, namespace)?.parsed.spec.provider?.name ?? ''))
  )
}

function forget(key: string, { world, metrics, seen, looks }: TurnPorts): void {
  world.dependents.set(key, new Set())
  world.stale.delete(key)
  seen.delete(key)
  looks.delete(key)
  const slash = key.indexOf('/')
  metrics.forget(key.slice(0, slash), key.slice(slash + 1))
}

/** What it depends on as far as its spec tells, until its sources are read. */
function trackOnly(secret: ExternalSecret, { world }: TurnPorts): void {
  const { namespace = '', name = '' } = secret.metadata
  const stores = storesOf(secret.parsed.spec).map(({ kind, name: store }) =>
    onObject(kind, kind === 'ClusterSecretStore' ? '' : namespace, store),
  )
  world.dependents.set(`${namespace}/${name}`, new Set(stores))
}

function tellMetrics(secret: ExternalSecret, metrics: KindMetrics): void {
  const { namespace = '', name = '' } = secret.metadata
  const { conditions, refreshTime } = secret.parsed.status
  for (const condition of conditions) metrics.stands(namespace, name, condition)
  const atMs = Date.parse(refreshTime)
  if (!Number.isNaN(atMs)) metrics.refreshed(namespace, name, atMs)
}

async function refresh(
  secret: ExternalSecret,
  existing: KubeObject | undefined,
  ports: TurnPorts,
  { log, signal }: TurnContext,
): Promise<Written> {
  const { world, events } = ports
  const { namespace = '', name = '' } = secret.metadata
  const { target } = secret.parsed.spec
  const dependencies = new Set<string>()
  const track = (dependency: string): void => void dependencies.add(dependency)
  const fetched = await fetchData(secret.parsed.spec, {
    store: openStores(world, namespace, track, signal),
    generate: (ref) => world.generate(ref, namespace, signal),
    templates: world.templates,
    missed: (message) => events.note(secret, { type: 'Normal', reason: 'MissingProviderSecret', message }),
  })
  const rendered = fetched.ok
    ? renderTarget(target.template, fetched.value, world.templates, (kind, source) => {
        track(onObject(kind, namespace, source))
        return valuesOf(world.view.get(kind, namespace, source))
      })
    : fetched
  world.dependents.set(`${namespace}/${name}`, dependencies)
  if (!fetched.ok) return failedTo('could not get secret data from provider', fetched.error.message)
  if (fetched.value.size === 0 && target.deletionPolicy === 'Delete') return dropEmpty(secret, existing, ports, log)
  if (fetched.value.size === 0 && target.deletionPolicy === 'Retain') {
    return told({ ok: true, reason: 'SecretSynced', message: 'secret retained due to DeletionPolicy=Retain' })
  }
  if (!rendered.ok) return failedTo('could not update secret', `could not apply template: ${rendered.error.message}`)
  if (target.creationPolicy === 'None') return told({ ok: true, reason: 'SecretSynced', message: 'secret synced' })
  if (target.creationPolicy === 'Merge' && !existing) {
    return told({
      ok: true,
      reason: 'SecretMissing',
      message: 'secret will not be created due to CreationPolicy=Merge',
    })
  }
  if (target.creationPolicy === 'Owner') {
    const left = await dropOrphans(secret, ports)
    if (left) return failedTo('could not delete orphaned secrets', left.message)
  }
  const wanted = targetSecret(secret, existing, fetched.value, rendered.value)
  if (!wanted.ok) {
    return {
      do: 'tell',
      outcome: { ok: false, message: `${wanted.error.message}: ${wanted.error.details}` },
      isFinal: true,
      wrote: false,
    }
  }
  const hidden = [fetched.value, rendered.value.data, rendered.value.labels, rendered.value.annotations]
  return write(secret, existing, wanted.value, { ...ports, hidden, signal })
}

const told = (outcome: Outcome, wrote: boolean = false): Written => ({ do: 'tell', outcome, wrote })
const failedTo = (what: string, because: string): Written => told({ ok: false, message: `${what}: ${because}` })

/** The values of a ConfigMap as they are, of a Secret as they were before base64. */
function valuesOf(object: KubeObject | undefined): SecretData | undefined {
  if (!object) return undefined
  if (object.kind === 'Secret') return dataOfSecret(object)
  return new Map(Object.entries((object['data'] ?? {}) as Readonly<Record<string, string>>)) // as the API has it
}

interface WritePorts extends TurnPorts {
  readonly hidden: readonly SecretData[]
  readonly signal: AbortSignal
}

/** Writes the Secret whole, once. */
async function write(
  secret: ExternalSecret,
  existing: KubeObject | undefined,
  wanted: KubeObject,
  { world, events, hidden, signal }: WritePorts,
): Promise<Written> {
  const { namespace = '', name = '' } = secret.metadata
  const binding = targetName(secret)
  const synced: Outcome = { ok: true, reason: 'SecretSynced', message: 'secret synced', binding }
  if (wanted === existing) return told(synced)
  const { client } = world.ports
  const options = { fieldManager: managerOf(name), signal }
  const at = { resource: SecretKind, namespace }
  const put = async (object: KubeObject): Promise<ApiResult<KubeObject>> =>
    existing ? client.update({ ...at, name: binding }, object, options) : client.create(at, object, options)
  const isFixed = existing?.['immutable'] === true && changesFixed(existing, wanted)
  const written = await put(isFixed ? { ...existing, metadata: wanted.metadata } : wanted)
  if (!written.ok) {
    if (['Conflict', 'AlreadyExists'].includes(written.error.reason))
      return { do: 'again', status: { ...written.error, reason: 'Conflict' } }
    return failedTo('could not update secret', conceal(written.error.message, ...hidden))
  }
  await world.secrets.caughtUp(written.value, signal)
  if (isFixed) {
    const message = 'could not update secret, target is immutable: unable to update secret: secret is immutable'
    return { do: 'tell', outcome: { ok: false, message, binding }, isFinal: true, wrote: true }
  }
  events.note(secret, existing ? UPDATED : CREATED)
  return told(synced, true)
}

const CREATED = { type: 'Normal', reason: 'Created', message: 'secret created' } as const
const UPDATED = { type: 'Normal', reason: 'Updated', message: 'secret updated' } as const

const changesFixed = (existing: KubeObject, wanted: KubeObject): boolean =>
  !isEqual([existing['data'], existing['type']], [wanted['data'], wanted['type']])

/** The secret is gone from the store, and the policy says that so is the Secret. */
async function dropEmpty(
  secret: ExternalSecret,
  existing: KubeObject | undefined,
  { world, events }: TurnPorts,
  log: TurnContext['log'],
): Promise<Written> {
  const { creationPolicy } = secret.parsed.spec.target
  if (creationPolicy !== 'Owner') {
    const message = `could not delete secret: unable to delete secret ${targetName(secret)}: creationPolicy=${creationPolicy} is not Owner`
    return { do: 'tell', outcome: { ok: false, message }, isFinal: true, wrote: false }
  }
  if (existing) {
    const gone = await drop(world, existing)
    if (gone) return failedTo('could not delete secret', gone.message)
    log.info('deleted a Secret that its store no longer has', { secret: targetName(secret) })
    events.note(secret, { type: 'Normal', reason: 'Deleted', message: 'secret deleted due to DeletionPolicy=Delete' })
  }
  const outcome = { ok: true, reason: 'SecretDeleted', message: 'secret deleted due to DeletionPolicy=Delete' } as const
  return told(outcome, existing !== undefined)
}

/** Takes away Secrets that it made under another name. */
async function dropOrphans(secret: ExternalSecret, { world, events }: TurnPorts): Promise<Status | undefined> {
  const { namespace = '', name = '' } = secret.metadata
  for (const orphan of world.secrets.cache.by('owner', ownerHash(namespace, name))) {
    if (orphan.metadata.namespace !== namespace || orphan.metadata.name === targetName(secret)) continue
    const refused = await drop(world, orphan)
    if (refused) return refused
    events.note(secret, { type: 'Normal', reason: 'Deleted', message: 'secret deleted because it was orphaned' })
  }
  return undefined
}

async function drop(world: ExternalWorld, { metadata }: KubeObject): Promise<Status | undefined> {
  const { namespace = '', name = '', uid = '' } = metadata
  const gone = await world.ports.client.delete({ resource: SecretKind, namespace, name }, { preconditions: { uid } })
  return gone.ok || gone.error.reason === 'NotFound' || gone.error.reason === 'Conflict' ? undefined : gone.error
}

/** An ExternalSecret that is being deleted: its Secret goes with its owner; a finalizer of the operator is taken off. */
async function letGo(secret: ExternalSecret, ports: TurnPorts, { signal }: TurnContext): Promise<Turn> {
  const { finalizers = [], namespace = '', name = '', resourceVersion = '' } = secret.metadata
  if (!finalizers.includes(CLEANUP_FINALIZER)) return done
  const existing = ports.world.secrets.cache.get(`${namespace}/${targetName(secret)}`)
  if (secret.parsed.spec.target.deletionPolicy === 'Delete' && existing && isControlledBy(existing, secret)) {
    const refused = await drop(ports.world, existing)
    if (refused) return retryAfter(refused)
  }
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== CLEANUP_FINALIZER) } }
  const patched = await ports.world.ports.client.patch(
    { resource: ExternalSecretKind, namespace, name },
    { type: 'merge', body },
    { signal },
  )
  return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
}

async function refuseManifest(secret: ExternalSecret, ports: TurnPorts, context: TurnContext): Promise<Turn> {
  const { manifest } = secret.parsed.spec.target
  const message = `invalid generic target: ${manifest?.kind ?? ''} is not supported as target.manifest; leave it out to write a Secret`
  const outcome: Outcome = { ok: false, message }
  if (saysSo(secret, outcome)) return done
  return (await tell(secret, outcome, ports.world.ports.clock.now(), ports, context)) ?? done
}

/** Writes what a turn came to; answers a turn where that did not work. */
async function tell(
  secret: ExternalSecret,
  outcome: Outcome,
  nowMs: number,
  { world, events, metrics }: TurnPorts,
  { signal }: TurnContext,
): Promise<Turn | undefined> {
  const { namespace = '', name = '' } = secret.metadata
  metrics.stands(namespace, name, readyCondition(outcome))
  if (outcome.ok) metrics.refreshed(namespace, name, nowMs)
  else {
    metrics.failed(namespace, name)
    events.note(secret, { type: 'Warning', reason: 'UpdateFailed', message: outcome.message })
  }
  const status = statusAfter(secret, outcome, nowMs)
  if (!status) return undefined
  const body = { status } as unknown as Json // of texts and lists of conditions
  const patched = await world.ports.client.patch(statusTarget(secret), { type: 'merge', body }, { signal })
  if (!patched.ok) return patched.error.reason === 'NotFound' ? undefined : retryAfter(patched.error)
  await world.externalSecrets.caughtUp(patched.value, signal)
  return undefined
}
