import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { parseApiVersion } from '../../src/kube/gvk.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { clientOf } from './client-of.ts'

const HOST = 'vault.story.localhost'
const CONTROLLERS = 'secrets,certificates,gateway'

let folder: string
let api: RunningApi
let client: RemoteClient
let root: string
let port: number

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await systemClock.sleep(50)
  }
}

const target = ({ apiVersion, kind, metadata }: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>) => ({
  resource: {
    ...parseApiVersion(apiVersion),
    plural: kind.endsWith('s') ? `${kind.toLowerCase()}es` : `${kind.toLowerCase()}s`,
  },
  name: metadata.name ?? '',
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
})

const object = (apiVersion: string, kind: string, name: string, spec: object, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...(kind === 'Namespace' ? {} : { spec }),
})

const GATEWAY_API = 'gateway.networking.k8s.io/v1'
const CERT_MANAGER = 'cert-manager.io/v1'
const privateKey = { algorithm: 'ECDSA' }

const objects = (): readonly KubeObject[] => [
  object('v1', 'Namespace', 'edge', {}),
  object('v1', 'Namespace', 'cert-manager', {}),
  object(CERT_MANAGER, 'ClusterIssuer', 'self', { selfSigned: {} }),
  object(
    CERT_MANAGER,
    'Certificate',
    'root',
    {
      isCA: true,
      commonName: 'story root',
      secretName: 'root',
      privateKey,
      issuerRef: { name: 'self', kind: 'ClusterIssuer' },
    },
    'cert-manager',
  ),
  object(CERT_MANAGER, 'ClusterIssuer', 'ca', { ca: { secretName: 'root' } }),
  object(
    CERT_MANAGER,
    'Certificate',
    'wildcard',
    {
      dnsNames: ['*.story.localhost'],
      secretName: 'wildcard',
      privateKey,
      issuerRef: { name: 'ca', kind: 'ClusterIssuer' },
    },
    'edge',
  ),
  object(GATEWAY_API, 'GatewayClass', 'idp', { controllerName: 'idp-blueprint.io/gateway' }),
  object(
    GATEWAY_API,
    'Gateway',
    'edge',
    {
      gatewayClassName: 'idp',
      listeners: [
        {
          name: 'https',
          protocol: 'HTTPS',
          port,
          hostname: '*.story.localhost',
          tls: { certificateRefs: [{ name: 'wildcard' }] },
          allowedRoutes: { namespaces: { from: 'All' } },
        },
      ],
    },
    'edge',
  ),
  object(
    GATEWAY_API,
    'HTTPRoute',
    'vault',
    {
      parentRefs: [{ name: 'edge', namespace: 'edge' }],
      hostnames: [HOST],
      rules: [{ backendRefs: [{ name: 'vault', port: 8200 }] }],
    },
    'vault-system',
  ),
]

interface Seen {
  readonly body: string
  readonly serial: string
}

/** Asks the secret store through the gateway, with nothing trusted but our own root. */
async function ask(): Promise<Seen | undefined> {
  const path = '/v1/sys/seal-status'
  const call = request({
    port,
    host: '127.0.0.1',
    path,
    servername: HOST,
    ca: root,
    headers: { host: HOST },
    agent: false,
  })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return response.statusCode === 200 ? { body: Buffer.concat(chunks).toString(), serial } : undefined
}

async function secretText(namespace: string, name: string, key: string): Promise<string | undefined> {
  const got = await client.get({ resource: { group: '', version: 'v1', plural: 'secrets' }, namespace, name })
  const data = got.ok ? (got.value['data'] as Record<string, string> | undefined) : undefined
  return data?.[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString()
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-gateway-'))
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  port = (probe.address() as AddressInfo).port
  probe.close()
  api = await startApi({ folder, controllers: CONTROLLERS })
  client = clientOf(api.kubeconfig)
}, 30_000)
afterAll(async () => {
  await client.close()
  await api.remove()
  rmSync(folder, { recursive: true, force: true })
})

test('a part of the platform is reached by its name over TLS, by who trusts our root', async () => {
  for (const one of objects()) {
    const written = await client.patch(
      target(one),
      { type: 'apply', body: one },
      { fieldManager: 'story', force: true },
    )
    if (!written.ok) throw new Error(`${one.kind} ${one.metadata.name}: ${written.error.message}`)
  }
  root = await until(() => secretText('cert-manager', 'root', 'tls.crt'))
  expect((await until(ask)).body).toContain('"sealed"')
  const file = join(folder, 'root.pem')
  writeFileSync(file, root)
  const openssl = spawnSync(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      HOST,
      '-verify_hostname',
      HOST,
      '-CAfile',
      file,
      '-verify_return_error',
    ],
    { input: '' },
  )
  // Where there is no openssl, there is nothing to compare with.
  expect(openssl.error ? 'Verify return code: 0' : openssl.stdout.toString()).toContain('Verify return code: 0')
}, 40_000)

test('a certificate that is made anew is shown to the next client, and after a crash all of it is there again', async () => {
  const before = await until(ask)
  const secrets = { group: '', version: 'v1', plural: 'secrets' }
  expect((await client.delete({ resource: secrets, namespace: 'edge', name: 'wildcard' })).ok).toBe(true)
  const renewed = await until(async () => {
    const seen = await ask()
    return seen?.serial === before.serial ? undefined : seen
  })
  await client.close()
  await api.kill()
  api = await startApi({ folder, controllers: CONTROLLERS })
  client = clientOf(api.kubeconfig)
  expect((await until(ask)).serial).toBe(renewed.serial)
}, 60_000)
