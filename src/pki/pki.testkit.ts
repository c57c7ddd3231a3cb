import { admin } from '../apiserver/apiserver.testkit.ts'
import { makeCluster } from '../apiserver/cluster.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../apiserver/auth/service-account-tokens.ts'
import type { ApiServer } from '../apiserver/server.ts'
import type { Client } from '../kube/client.ts'
import { apiVersionOf, type ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { packedCrds } from '../kube/schema/packed-crds.ts'
import { movableClock, type MovableClock } from '../lib/clock.ts'
import { readData } from '../lib/data-file.ts'
import { systemIds } from '../lib/ids.ts'
import { type LogRecord, logTo } from '../lib/log.ts'
import { makeControllers, type RunningControllers } from '../runtime/running-controllers.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { certificates, issuers, secrets, secretText } from './objects.ts'
import { makePki, type PkiParts } from './pki.ts'

/** A cluster in memory where certificates are kept, at a time that stands still until it is moved. */
export interface PkiWorld {
  readonly client: Client
  readonly server: ApiServer
  readonly clock: MovableClock
  readonly controllers: RunningControllers
  readonly logged: readonly LogRecord[]
  create(resource: ResourceId, object: Partial<KubeObject> & Pick<KubeObject, 'metadata'>): Promise<KubeObject>
  get(resource: ResourceId, name: string, namespace?: string): Promise<KubeObject | undefined>
  list(resource: ResourceId, namespace?: string): Promise<readonly KubeObject[]>
  patch(resource: ResourceId, name: string, body: object, namespace?: string): Promise<void>
  /** Asks again and again, a little later on the clock each time, until the answer is not undefined. */
  until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T>
  /** The Certificate once it is ready and nothing is under way. */
  ready(name: string, namespace?: string, revision?: number): Promise<KubeObject>
  stop(): Promise<void>
}

let keys: TokenKeys | undefined
const definitions: ResourceId = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** Builds a cluster and starts what keeps certificates. */
export async function pkiWorld(
  options: {
    readonly parts?: PkiParts
    readonly store?: Store<KubeObject>
    readonly startMs?: number
    readonly projects?: readonly ('cert-manager' | 'gateway-api')[]
  } = {},
): Promise<PkiWorld> {
  const clock = movableClock(options.startMs)
  const logged: LogRecord[] = []
  const log = logTo(
    (record) => logged.push(record),
    () => clock.now(),
  )
  const ids = systemIds
  const asked: { server?: ApiServer } = {}
  const pki = makePki({
    clientAs: (user) => {
      if (!asked.server) throw new Error('asked too early')
      return asked.server.client(user)
    },
    ...options.parts,
  })
  const tokenKeys = (keys ??= readTokenKeys([newSigningKey()]))
  const cluster = makeCluster({
    store: options.store ?? memoryStore(),
    clock,
    ids,
    log,
    tokenKeys,
    admission: () => pki.admission,
  })
  const { server } = cluster
  asked.server = server
  await server.start()
  const client = server.client(admin)
  const at = (resource: ResourceId, namespace?: string) => ({
    resource,
    ...(namespace === undefined ? {} : { namespace }),
  })
  const create: PkiWorld['create'] = async (resource, object) => {
    const info = server.registry().find(resource.group, resource.version, resource.plural)
    const typed = { apiVersion: apiVersionOf(resource), kind: info?.kind ?? '', ...object }
    const made = await client.create(at(resource, object.metadata.namespace), typed)
    if (!made.ok) throw new Error(`cannot create ${resource.plural}: ${made.error.message}`)
    return made.value
  }
  const get: PkiWorld['get'] = async (resource, name, namespace) => {
    const read = await client.get({ ...at(resource, namespace), name })
    return read.ok ? read.value : undefined
  }
  for (const project of options.projects ?? ['cert-manager']) {
    for (const definition of packedCrds(readData, project)) {
      const made = await client.create({ resource: definitions }, definition)
      if (!made.ok && made.error.reason !== 'AlreadyExists') throw new Error(made.error.message)
    }
  }
  await clock.advance(0)
  if (!(await get({ group: '', version: 'v1', plural: 'namespaces' }, 'cert-manager')))
    await create({ group: '', version: 'v1', plural: 'namespaces' }, { metadata: { name: 'cert-manager' } })
  const controllers = makeControllers([{ name: 'certificates', does: '', make: pki.controllers }], {
    client,
    clock,
    ids,
    log,
  })
  const stopping = new AbortController()
  const running = controllers.run(stopping.signal)
  const until: PkiWorld['until'] = async (what, ask) => {
    // Keys are made in threads while time stands still: it moves now and then, for what is tried again.
    for (let turn = 0; turn < 400_000; turn++) {
      const answer = turn % 20 === 0 ? await ask() : undefined
      if (answer !== undefined) return answer
      await clock.advance(turn % 100 === 99 ? 1 : 0)
    }
    throw new Error(`this never came to be: ${what}; pending: ${JSON.stringify(controllers.pending())}`)
  }
  return {
    client,
    server,
    clock,
    controllers,
    logged,
    create,
    get,
    until,
    async list(resource, namespace) {
      const listed = await client.list(at(resource, namespace))
      return listed.ok ? listed.value.items : []
    },
    async patch(resource, name, body, namespace) {
      const done = await client.patch(
        { ...at(resource, namespace), name },
        { type: 'merge', body: body as Record<string, never> },
      )
      if (!done.ok) throw new Error(done.error.message)
    },
    ready: (name, namespace = 'default', revision) =>
      until(`${name} is ready`, async () => {
        const certificate = await get(certificates, name, namespace)
        const status = (certificate?.['status'] ?? {}) as {
          revision?: number
          nextPrivateKeySecretName?: string
          conditions?: { type: string; status: string }[]
        }
        const isReady = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
        const isIssuing = status.conditions?.some(({ type, status: is }) => type === 'Issuing' && is === 'True')
        const isDone = isReady && !isIssuing && status.nextPrivateKeySecretName === undefined
        return isDone && (revision === undefined || status.revision === revision) ? certificate : undefined
      }),
    async stop() {
      stopping.abort()
      await clock.advance(0)
      await running
    },
  }
}

/** A Certificate that asks for little; its key is fast to make. */
export const certificate = (
  name: string,
  spec: object = {},
  metadata: object = {},
): Pick<KubeObject, 'metadata'> & { spec: object } => ({
  metadata: { name, namespace: 'default', ...metadata },
  spec: {
    secretName: `${name}-tls`,
    dnsNames: [`${name}.test`],
    privateKey: { algorithm: 'ECDSA' },
    issuerRef: { name: 'ca', kind: 'Issuer' },
    ...spec,
  },
})

/** Makes an authority in a world: a self-signed one, its Certificate, and the issuer `ca` that signs with it. */
export async function withAuthority(world: PkiWorld, spec: object = {}): Promise<string> {
  await world.create(issuers, { metadata: { name: 'own', namespace: 'default' }, spec: { selfSigned: {} } })
  await world.create(
    certificates,
    certificate('root', {
      isCA: true,
      commonName: 'root',
      dnsNames: [],
      duration: '87600h',
      issuerRef: { name: 'own' },
      ...spec,
    }),
  )
  await world.create(issuers, {
    metadata: { name: 'ca', namespace: 'default' },
    spec: { ca: { secretName: 'root-tls' } },
  })
  await world.ready('root')
  return textOf(await world.get(secrets, 'root-tls', 'default'), 'tls.crt')
}

/** A value of a Secret that must be there. */
export function textOf(secret: KubeObject | undefined, key: string): string {
  const text = secretText(secret, key)
  if (text === undefined) throw new Error(`there is no ${key} in ${secret?.metadata.name ?? 'the Secret'}`)
  return text
}
