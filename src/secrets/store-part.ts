import { join } from 'node:path'
import type { UserInfo } from '../kube/admission.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import type { Codec } from '../store/codec.ts'
import type { OpenStore } from '../store/own-stores.ts'
import type { ToldChangeFeed } from './change-feed.ts'
import { answerHttp } from './http/answer-http.ts'
import { allowListMethod } from './http/list-method.ts'
import type { HttpRequest } from './http/read-request.ts'
import { openSecretStore, type SecretStore } from './store/secret-store.ts'
import { storeMetrics } from './store/store-metrics.ts'
import { clusterTokenReviewer } from './token-reviewer.ts'

/** The Service that the store is, as people who install Vault call it. */
export const STORE_SERVICE = {
  namespace: 'vault-system',
  name: 'vault',
  ports: [{ name: 'http', port: 8200 }],
} as const

/** Below this path of the API server, who may administer the cluster asks the store without a token of it. */
export const STORE_PAGES = '/idp/secret-store/'

interface StorePartParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly stateFolder: string
  readonly openStore: OpenStore
  readonly changes: ToldChangeFeed
}

/** The store of a platform: open while its part runs. */
export interface PlatformStore {
  readonly part: (ports: ControllerPorts) => ControllerPart
  /** Resolves once the store can be asked, or once it is clear that it cannot. */
  readonly opened: Promise<void>
  /** The store, once it is open. */
  readonly current: () => SecretStore | undefined
  readonly receive: (request: PageRequest) => Promise<PageAnswer>
}

interface PageRequest {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly user: UserInfo
  readonly body: Uint8Array
}

interface PageAnswer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

/** Bytes as they are: what is in them is the store's. */
const bytes: Codec<Uint8Array> = { encode: (value) => value, decode: (value) => value }

/** The store of a platform, beside the cluster's objects and behind a Service of its own. */
export function platformStore(parts: StorePartParts): PlatformStore {
  const { clock, ids, log, metrics, stateFolder, openStore, changes } = parts
  let current: SecretStore | undefined
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return {
    opened,
    current: () => current,
    part: ({ client, surfaces }) => ({
      pending: () => [],
      async run(signal) {
        // On a cluster elsewhere nobody could reach it: ExternalSecrets there name a store of that cluster.
        if (!surfaces) return
        const store = await openSecretStore({
          store: await openStore('secret-store', bytes),
          keyFile: join(stateFolder, 'secret-store.key'),
          auditFolder: join(stateFolder, 'audit'),
          reviewToken: clusterTokenReviewer(client),
          changes,
          metrics: storeMetrics(metrics),
          clock,
          ids,
          log,
        })
        current = store
        try {
          await surfaces.open({
            ...STORE_SERVICE,
            labels: { 'app.kubernetes.io/name': 'vault' },
            answer: answerHttp(
              (request) => store.handle(request),
              (error) => log.error('a request to the secret store failed', error),
            ),
            prepare: allowListMethod,
          })
          open()
          await untilAborted(signal)
        } finally {
          open()
          current = undefined
          await store.close()
        }
      },
    }),
    receive: (request) => receive(current, request),
  }
}

async function receive(store: SecretStore | undefined, { user, ...request }: PageRequest): Promise<PageAnswer> {
  if (!store) return { status: 503, body: '{"errors":["the secret store is not open yet"]}', contentType: JSON_TYPE }
  const query = new URLSearchParams(
    [...request.query].flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
  )
  const asked: HttpRequest = {
    method: request.method,
    url: `/${request.path.slice(STORE_PAGES.length)}?${query.toString()}`,
    headers: request.headers,
    body: request.body,
    remoteAddress: '127.0.0.1',
  }
  const { status, body, json } = await store.handleAs(`cluster-${user.username}`, asked)
  return { status, body: json ?? (body ? JSON.stringify(body) : ''), contentType: JSON_TYPE }
}

const JSON_TYPE = 'application/json'

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
