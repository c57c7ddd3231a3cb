import { setMaxListeners } from 'node:events'
import type { Client, ResourceInfo, Target } from '../../kube/client.ts'
import { apiVersionOf, gvkOf, type GroupVersionKind, parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { type CacheChange, Informer } from '../../runtime/informer.ts'
import { keyText, type ResourceKey } from '../compare/comparison.ts'
import type { KindFacts } from '../compare/normal-form.ts'
import type { ResourceFilter } from '../compare/resource-filter.ts'
import { keyOf, type Tracking } from '../compare/tracking.ts'
import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import { type KindTable, kindTable } from './kind-table.ts'
import { isPartial, withoutBulk } from './partial-object.ts'
import { instanceOf } from './app-key.ts'

/** What of an installation's settings decides what is kept of a cluster. */
export interface LiveSettings {
  readonly tracking: Tracking
  readonly filter: ResourceFilter
}

/** An object has become different, and the Applications that it belongs to now or belonged to before. */
export interface LiveChange {
  readonly type: CacheChange['type']
  readonly key: ResourceKey
  readonly object: KubeObject
  readonly previous?: KubeObject
  readonly instances: readonly string[]
}

export interface LiveClusterOptions {
  readonly client: Client
  /** How rules and projects call the cluster. */
  readonly server: string
  readonly clock: Clock
  readonly log: Log
  readonly settings: LiveSettings
  /** 0 for a server in this process, whose watches never end. */
  readonly watchSeconds?: number
}

interface Watched {
  readonly resource: ResourceInfo
  readonly informer: Informer
  readonly stopping: AbortController
  readonly running: Promise<void>
}

const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/**
 * What lives in a cluster, kept current by one watch a kind: found by key, by the Application it is tracked for, and by its
 * owner. New kinds are followed as they are defined. Nothing is ever polled.
 */
export class LiveCluster {
  readonly #options: LiveClusterOptions
  readonly #watched = new Map<string, Watched>()
  readonly #instances = new Map<string, Map<string, KubeObject>>()
  readonly #children = new Map<string, Map<string, KubeObject>>()
  readonly #listeners = new Set<(change: LiveChange) => void>()
  #settings: LiveSettings
  #kinds: KindTable = kindTable([])
  #version: string | undefined
  /** The types of custom resources that were asked for, by group/version/kind. */
  readonly #types = new Map<string, KindFacts | undefined>()
  #signal: AbortSignal | undefined
  #discovering: Promise<void> | undefined
  #nextDiscovery: Promise<void> | undefined
  #trouble: string | undefined

  constructor(options: LiveClusterOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  get client(): Client {
    return this.#options.client
  }

  get server(): string {
    return this.#options.server
  }

  get kinds(): KindTable {
    return this.#kinds
  }

  /** The version of the server, as charts see it; undefined while it is not known. */
  get version(): string | undefined {
    return this.#version
  }

  /** Why what is known may be old or incomplete; undefined while all is well. */
  get trouble(): string | undefined {
    if (this.#trouble !== undefined) return this.#trouble
    for (const { informer, resource } of this.#watched.values()) {
      if (!informer.isSynced && informer.trouble !== undefined)
        return `cannot list ${resource.plural}: ${informer.trouble}`
    }
    return undefined
  }

  /** Keeps everything current until the signal is aborted. */
  async run(outer: AbortSignal): Promise<void> {
    this.#signal = outer
    // Every watch listens to it.
    setMaxListeners(0, outer)
    const { client, clock, log, watchSeconds } = this.#options
    const crds = new Informer({
      client,
      clock,
      log,
      collection: { resource: definitions },
      parse: ({ apiVersion, kind, metadata, ['spec']: spec }) => ({
        apiVersion,
        kind,
        metadata: withoutBulk({ apiVersion, kind, metadata }).metadata,
        spec: namesOnly(spec),
      }),
      ...(watchSeconds === undefined ? {} : { watchSeconds }),
    })
    crds.listen(({ object }) => {
      this.#forgetTypes(object)
      void this.discover().catch((error: unknown) => log.error('cannot discover what is served', error))
    })
    await this.#discoverPatiently(outer)
    await crds.run(outer)
    await Promise.all([...this.#watched.values()].map(({ running }) => running))
  }

  #forgetTypes({ spec }: KubeObject): void {
    const group = textOf(spec, 'group')
    for (const name of this.#types.keys()) if (name.startsWith(`${group}/`)) this.#types.delete(name)
  }

  async #discoverPatiently(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    for (let delayMs = 200; !signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
      await this.discover().catch((error: unknown) => {
        this.#trouble = `cannot discover what is served: ${error instanceof Error ? error.message : String(error)}`
      })
      if (this.#trouble === undefined) return
      await clock.sleep(delayMs, { signal }).catch(() => {})
    }
  }

  /** Asks the cluster what it serves and follows that; all who ask while one answer is awaited share the next one. */
  discover(): Promise<void> {
    if (this.#nextDiscovery) return this.#nextDiscovery
    const before = this.#discovering ?? Promise.resolve()
    const next = before
      .catch(() => {})
      .then(() => {
        this.#nextDiscovery = undefined
        this.#discovering = this.#discoverNow()
        return this.#discovering
      })
    this.#nextDiscovery = next
    return next
  }

  async #discoverNow(): Promise<void> {
    const found = await this.#options.client.discover(this.#signal ? { signal: this.#signal } : {})
    if (!found.ok) {
      this.#trouble = `cannot discover what is served: ${found.error.message}`
      return
    }
    this.#trouble = undefined
    this.#kinds = kindTable(found.value)
    const version = await this.#options.client.version?.(this.#signal ? { signal: this.#signal } : {})
    if (version?.ok && version.value !== '') this.#version = version.value
    this.#follow()
  }

  /** Resolves once everything that is watched has been read. */
  async synced(signal: AbortSignal): Promise<void> {
    while (this.#kinds.watchable().length === 0) {
      await this.discover()
      if (this.#kinds.watchable().length === 0) await this.#options.clock.sleep(100, { signal })
    }
    await Promise.all([...this.#watched.values()].map(({ informer }) => informer.synced(signal)))
  }

  get isSynced(): boolean {
    return this.#watched.size > 0 && [...this.#watched.values()].every(({ informer }) => informer.isSynced)
  }

  /** Uses other settings from now on. */
  configure(settings: LiveSettings): void {
    this.#settings = settings
    this.#follow()
    this.#instances.clear()
    for (const { informer } of this.#watched.values()) for (const object of informer.cache.list()) this.#index(object)
  }

  #follow(): void {
    const signal = this.#signal
    if (!signal) return
    const wanted = new Map<string, ResourceInfo>()
    for (const resource of this.#kinds.watchable()) {
      if (!this.#settings.filter.isExcluded(resource.group, resource.kind, this.#options.server))
        wanted.set(`${resource.group}/${resource.kind}`, resource)
    }
    for (const [name, { resource, informer, stopping }] of this.#watched) {
      if (wanted.get(name)?.version === resource.version) continue
      this.#watched.delete(name)
      stopping.abort(new Error(`${name} is no longer watched`))
      for (const object of informer.cache.list()) this.#changed(resource, { type: 'removed', key: '', object })
    }
    for (const [name, resource] of wanted)
      if (!this.#watched.has(name)) this.#watched.set(name, this.#watch(resource, signal))
  }

  #watch(resource: ResourceInfo, signal: AbortSignal): Watched {
    const { client, clock, log, watchSeconds } = this.#options
    const { group, version, plural, kind } = resource
    const informer = new Informer({
      client,
      clock,
      log,
      collection: { resource: { group, version, plural } },
      parse: (object) => this.#kept(object.kind ? object : { ...object, apiVersion: apiVersionOf(resource), kind }),
      ...(watchSeconds === undefined ? {} : { watchSeconds }),
    })
    const stopping = new AbortController()
    informer.listen((change) => {
      if (!stopping.signal.aborted) this.#changed(resource, change)
    })
    const both = new AbortController()
    const stop = (): void => both.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    stopping.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', stop)
      both.abort(stopping.signal.reason)
    })
    return { resource, informer, stopping, running: informer.run(both.signal) }
  }

  /** Of what nobody tracks, only what trees and health need. */
  #kept(object: KubeObject): KubeObject {
    return instanceOf(object, this.#settings.tracking) === undefined ? withoutBulk(object) : object
  }

  #changed(resource: ResourceInfo, { type, object, previous }: CacheChange): void {
    if (previous) this.#unindex(previous)
    if (type === 'removed') this.#unindex(object)
    else this.#index(object)
    if (this.#listeners.size === 0) return
    const { tracking } = this.#settings
    const instances = new Set<string>()
    for (const one of [object, previous]) {
      const instance = one && instanceOf(one, tracking)
      if (instance !== undefined) instances.add(instance)
    }
    const { namespace = '', name = '' } = object.metadata
    const change: LiveChange = {
      type,
      key: { group: resource.group, kind: resource.kind, namespace, name },
      object,
      ...(previous ? { previous } : {}),
      instances: [...instances],
    }
    for (const listener of this.#listeners) listener(change)
  }

  #index(object: KubeObject): void {
    const key = keyText(keyOf(object))
    const instance = instanceOf(object, this.#settings.tracking)
    if (instance !== undefined) put(this.#instances, instance, key, object)
    for (const { uid } of object.metadata.ownerReferences ?? []) put(this.#children, uid, key, object)
  }

  #unindex(object: KubeObject): void {
    const key = keyText(keyOf(object))
    const instance = instanceOf(object, this.#settings.tracking)
    if (instance !== undefined) take(this.#instances, instance, key)
    for (const { uid } of object.metadata.ownerReferences ?? []) take(this.#children, uid, key)
  }

  /** Reads the types of custom resources, so that `typeOf` knows them. */
  async describe(kinds: Iterable<GroupVersionKind>, signal: AbortSignal): Promise<void> {
    for (const { group, version, kind } of kinds) {
      const name = `${group}/${version}/${kind}`
      const resource = this.#kinds.resourceOf(group, version, kind)
      if (!resource || this.#types.has(name)) continue
      const target = { resource: definitions, name: `${resource.plural}.${group}` }
      const found = await this.#options.client.get(target, { signal })
      if (found.ok) this.#types.set(name, typeIn(found.value, version))
    }
  }

  /** The type of a custom resource that was described; undefined for everything else. */
  typeOf({ group, version, kind }: GroupVersionKind): KindFacts | undefined {
    return this.#types.get(`${group}/${version}/${kind}`)
  }

  /** Tells every change from now on. */
  listen(listener: (change: LiveChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The live object of a key, perhaps without its bulk; see `whole`. */
  get({ group, kind, namespace, name }: ResourceKey): KubeObject | undefined {
    return this.#watched.get(`${group}/${kind}`)?.informer.cache.get(`${namespace}/${name}`)
  }

  /** The live object of a key with all its fields, from the cluster when the cache has dropped some or does not watch its kind. */
  async whole(key: ResourceKey, version: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    const known = this.get(key)
    if (known && !isPartial(known) && gvkOf(known).version === version) return known
    if (!known && this.#watched.get(`${key.group}/${key.kind}`)?.informer.isSynced) return undefined
    const target = this.targetOf(key, version)
    if (!target) return undefined
    const found = await this.#options.client.get(target, { signal })
    return found.ok ? found.value : undefined
  }

  /** Where the API has an object; undefined when its kind is not served. */
  targetOf({ group, kind, namespace, name }: ResourceKey, version?: string): Target | undefined {
    const resource =
      (version === undefined ? undefined : this.#kinds.resourceOf(group, version, kind)) ??
      this.#kinds.preferred(group, kind)
    if (!resource) return undefined
    return {
      resource: { group, version: resource.version, plural: resource.plural },
      ...(resource.namespaced ? { namespace } : {}),
      name,
    }
  }

  /** The Application that an object is marked for, by its instance name. */
  instanceOf(object: KubeObject): string | undefined {
    return instanceOf(object, this.#settings.tracking)
  }

  /** Everything that is tracked for an Application. */
  managed(instance: string): readonly KubeObject[] {
    return [...(this.#instances.get(instance)?.values() ?? [])]
  }

  /** What an object owns. */
  children(uid: string): readonly KubeObject[] {
    return [...(this.#children.get(uid)?.values() ?? [])]
  }

  /** Everything that is watched. */
  everything(): readonly KubeObject[] {
    return [...this.#watched.values()].flatMap(({ informer }) => informer.cache.list())
  }

  /** Everything in a namespace that is watched. */
  inNamespace(namespace: string): readonly KubeObject[] {
    return [...this.#watched.values()].flatMap(({ resource, informer }) =>
      resource.namespaced ? informer.cache.list(namespace) : [],
    )
  }

  /** Resolves once a write has come back, so that the next look does not see what was before it. */
  async caughtUp(written: KubeObject, signal: AbortSignal): Promise<void> {
    const { group } = parseApiVersion(written.apiVersion)
    await this.#watched.get(`${group}/${written.kind}`)?.informer.caughtUp(written, signal)
  }
}

function put(index: Map<string, Map<string, KubeObject>>, at: string, key: string, object: KubeObject): void {
  const known = index.get(at)
  if (known) known.set(key, object)
  else index.set(at, new Map([[key, object]]))
}

function take(index: Map<string, Map<string, KubeObject>>, at: string, key: string): void {
  const known = index.get(at)
  known?.delete(key)
  if (known?.size === 0) index.delete(at)
}

/** The type that a definition gives a version. */
function typeIn(definition: KubeObject, version: string): KindFacts | undefined {
  const versions = objectsOf(fieldsOf(definition, 'spec'), 'versions') ?? []
  const served = versions.find((one) => textOf(one, 'name') === version)
  const source = fieldsOf(fieldsOf(served, 'schema'), 'openAPIV3Schema')
  return served ? { schema: readStructural(source), isBuiltin: false } : undefined
}

function namesOnly(spec: unknown): unknown {
  const { group, names } = (spec ?? {}) as { readonly group?: unknown; readonly names?: unknown } // only passed on
  return { group, names }
}
