import type { UserInfo } from '../kube/admission.ts'
import type { Client, Collection } from '../kube/client.ts'
import type { ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import type { ApiResult, Status } from '../kube/status.ts'
import { movableClock, type MovableClock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import { deepFreeze } from '../lib/json.ts'
import { silentLog } from '../lib/log.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Expectation, Store } from '../store/store.ts'
import { MASTERS } from './auth/attributes.ts'
import { type ApiServer, type ApiServerParts, makeApiServer } from './server.ts'

/** A server over a store in memory, at a time that stands still, with somebody who may do everything. */
export interface TestServer {
  readonly server: ApiServer
  readonly client: Client
  readonly clock: MovableClock
}

export const admin: UserInfo = { username: 'admin', groups: [MASTERS] }

export async function testServer(parts: Partial<ApiServerParts> = {}): Promise<TestServer> {
  const clock = movableClock()
  const server = makeApiServer({ store: frozen(memoryStore()), clock, ids: seededIds(), log: silentLog, ...parts })
  await server.start()
  return { server, client: server.client(admin), clock }
}

/** A store that freezes what it keeps, so that whoever changes a shared object is found out. */
function frozen(store: Store<KubeObject>): Store<KubeObject> {
  const kept = (value: (revision: number) => KubeObject) => (revision: number) => deepFreeze(value(revision))
  return new Proxy(store, {
    get(target, name) {
      if (name === 'put' || name === 'delete') {
        return (key: string, value: (revision: number) => KubeObject, expect: Expectation) =>
          target[name](key, kept(value), expect)
      }
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

/** The value of an outcome that must be good. */
export function valueOf<T>(result: ApiResult<T>): T {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.message}`)
  return result.value
}

/** The refusal of an outcome that must be bad. */
export function refusalOf(result: ApiResult<unknown>): Status {
  if (result.ok) throw new Error(`this should have been refused: ${JSON.stringify(result.value)}`)
  return result.error
}

export const configMaps: ResourceId = { group: '', version: 'v1', plural: 'configmaps' }
export const inDefault: Collection = { resource: configMaps, namespace: 'default' }

export function configMap(name: string, data: Record<string, string> = {}, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...metadata }, data }
}
