import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { type MovableClock, movableClock } from '../../lib/clock.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { Store } from '../../store/store.ts'
import { answerHttp } from '../http/answer-http.ts'
import { allowListMethod } from '../http/list-method.ts'
import { openSecretStore, type SecretStore, type SecretStoreOptions } from './secret-store.ts'

/** A store whose writes take some turns until they are durable, as those of a disk do. */
export function slowStore(): Store<Uint8Array> {
  const inner = memoryStore<Uint8Array>()
  const later = async <T>(written: Promise<T>): Promise<T> => {
    const outcome = await written
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    return outcome
  }
  return new Proxy<Store<Uint8Array>>(inner, {
    get(target, name) {
      if (name === 'put') return (...args: Parameters<typeof inner.put>) => later(inner.put(...args))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** An answer as a client sees it. */
export interface Seen {
  readonly status: number
  // Tests look into it as a client does that knows what it asked for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
  readonly headers: Headers
}

export interface AskOptions {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A store behind a real listener, and a client of it. */
export interface StoreWorld {
  readonly store: SecretStore
  readonly clock: MovableClock
  readonly url: string
  readonly rootToken: string
  readonly keys: readonly string[]
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Seen>
  close(): Promise<void>
}

/** Opens a store, initialised and unsealed unless told otherwise, that is asked with its root token. */
export async function storeWorld(
  given: Partial<SecretStoreOptions> & { readonly isNew?: boolean } = {},
): Promise<StoreWorld> {
  const clock = movableClock()
  const { isNew = false, ...options } = given
  const store = await openSecretStore({
    store: memoryStore(),
    clock,
    ids: systemIds,
    log: silentLog,
    ...options,
  })
  const handler = answerHttp(
    (request) => store.handle(request),
    () => {},
  )
  const server = createServer(handler).listen(0, '127.0.0.1')
  allowListMethod(server)
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let rootToken = ''
  let keys: readonly string[] = []
  if (!isNew) {
    const made = await store.init({ shares: 3, threshold: 2 })
    if (!made.ok) throw new Error(made.error[0]?.message)
    rootToken = made.value.rootToken
    keys = made.value.keys.map((key) => Buffer.from(key).toString('hex'))
    for (const key of made.value.keys.slice(0, 2)) await store.unseal(key)
  }
  return {
    store,
    clock,
    url,
    rootToken,
    keys,
    async ask(method, path, body, { token = rootToken, headers = {} } = {}) {
      const isPatch = method === 'PATCH'
      const answer = await fetch(`${url}/v1/${path}`, {
        method,
        headers: {
          ...(token === '' ? {} : { 'x-vault-token': token }),
          ...(body === undefined
            ? {}
            : { 'content-type': isPatch ? 'application/merge-patch+json' : 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await store.close()
    },
  }
}
