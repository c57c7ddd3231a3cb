import { afterEach } from 'vitest'
import type { Client, Collection, Target, WatchEvent, WatchOptions } from './client.ts'
import type { ResourceId } from './gvk.ts'
import type { KubeObject } from './object.ts'
import type { ApiResult, Status } from './status.ts'

/** A cluster with the usual namespaces and kinds, and a client that may do everything in it. */
export interface ClientUnderTest {
  readonly client: Client
  /** Lets the server forget all history up to now. */
  readonly forgetHistory: () => Promise<void>
  /** Lets the server's time pass. */
  readonly pass: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
}

export const configMaps: ResourceId = { group: '', version: 'v1', plural: 'configmaps' }
export const maps: Collection = { resource: configMaps, namespace: 'default' }
export const deployments: Collection = {
  resource: { group: 'apps', version: 'v1', plural: 'deployments' },
  namespace: 'default',
}
export const named = (name: string, collection: Collection = maps): Target => ({ ...collection, name })

export function configMap(name: string, data: Record<string, string> = {}, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...metadata }, data }
}

export function deployment(name: string): KubeObject {
  const labels = { app: name }
  const containers = [
    { name: 'web', image: 'web:1', env: [{ name: 'A', value: '1' }] },
    { name: 'side', image: 'side:1' },
  ]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  }
}

export function good<T>(result: ApiResult<T>): T {
  if (!result.ok) throw new Error(`refused: ${result.error.reason}: ${result.error.message}`)
  return result.value
}

export function bad(result: ApiResult<unknown>): Status {
  if (result.ok) throw new Error('it was not refused')
  return result.error
}

export const namesIn = (list: { readonly items: readonly KubeObject[] }): readonly (string | undefined)[] =>
  list.items.map(({ metadata }) => metadata.name)

/** What a watch tells, collected until enough has come. */
export interface Following {
  readonly events: WatchEvent[]
  /** `ADDED a`: type and name. */
  readonly lines: () => readonly string[]
  readonly until: (count: number) => Promise<void>
  readonly stop: () => Promise<void>
  readonly ended: Promise<void>
}

export function follow(client: Client, options: WatchOptions, collection: Collection = maps): Following {
  const stopping = new AbortController()
  const events: WatchEvent[] = []
  let wake: () => void = () => {}
  const run = async (): Promise<void> => {
    for await (const event of client.watch(collection, { ...options, signal: stopping.signal })) {
      events.push(event)
      wake()
    }
  }
  const ended = run()
  return {
    events,
    lines: () =>
      events.map(({ type, object }) => `${type} ${type === 'ERROR' ? '' : (object.metadata.name ?? '')}`.trim()),
    async until(count) {
      while (events.length < count) await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended])
    },
    async stop() {
      stopping.abort()
      await ended
    },
    ended,
  }
}

/** Everything that carries the label `made=here`. */
export const here = { labelSelector: 'made=here' } as const

export interface Clusters {
  readonly start: () => Promise<ClientUnderTest>
  /** A cluster with ConfigMaps of these names, each labelled with its name and `made=here`. */
  readonly withMaps: (
    ...names: readonly string[]
  ) => Promise<ClientUnderTest & { readonly made: readonly KubeObject[] }>
}

/** Makes clusters for the tests of a suite and closes them after each. */
export function clustersOf(make: () => Promise<ClientUnderTest>): Clusters {
  const open: ClientUnderTest[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  const start = async (): Promise<ClientUnderTest> => {
    const made = await make()
    open.push(made)
    return made
  }
  return {
    start,
    async withMaps(...names) {
      const started = await start()
      const made: KubeObject[] = []
      for (const one of names) {
        const object = configMap(one, { n: '1' }, { labels: { name: one, made: 'here' } })
        made.push(good(await started.client.create(maps, object)))
      }
      return { ...started, made }
    },
  }
}
