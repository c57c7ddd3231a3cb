import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MASTERS } from '../../src/apiserver/auth/attributes.ts'
import { makeCluster } from '../../src/apiserver/cluster.ts'
import { openState } from '../../src/apiserver/state.ts'
import { installDefinitions } from '../../src/bootstrap/definitions.ts'
import type { Client } from '../../src/kube/client.ts'
import { type Condition, isTrue } from '../../src/kube/condition.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { readData } from '../../src/lib/data-file.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { certificates, issuers } from '../../src/pki/objects.ts'
import { makePki } from '../../src/pki/pki.ts'
import { issueCertificate } from '../../src/pki/x509/certificate.ts'
import { generateKey, signatureAlgorithm } from '../../src/pki/x509/keys.ts'
import { encodeName, nameOf } from '../../src/pki/x509/names.ts'
import { makeRequest, readRequest } from '../../src/pki/x509/request.ts'
import { makeControllers } from '../../src/runtime/running-controllers.ts'
import type { Figure } from '../figure.ts'

const admin = { username: 'bench', groups: [MASTERS] }
const namespace = 'default'

type Report = (figure: Figure) => void
type Key = { readonly algorithm: 'RSA' | 'ECDSA'; readonly size: number }

/** Certificates from an authority: the cryptography alone, then whole Certificates until their Secrets are written. */
export async function planesPki(report: Report): Promise<void> {
  await cryptography(report, { algorithm: 'ECDSA', size: 256 }, 2_000)
  await cryptography(report, { algorithm: 'RSA', size: 2048 }, 40)
  await issued(report, { algorithm: 'ECDSA', size: 256 }, 500)
  await issued(report, { algorithm: 'RSA', size: 2048 }, 40)
}

/** How many a second openssl makes: one process for the key and the request, one to sign. */
function opensslRate({ algorithm, size }: Key, count: number): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-openssl-'))
  const run = (...args: readonly string[]): boolean =>
    spawnSync('openssl', args, { cwd: folder, stdio: 'ignore' }).status === 0
  const key = algorithm === 'RSA' ? ['rsa:2048'] : ['ec', '-pkeyopt', `ec_paramgen_curve:P-${size}`]
  const request = (name: string, ...more: readonly string[]): boolean =>
    run(
      'req',
      '-newkey',
      ...key,
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      ...more,
    )
  try {
    if (!request('ca', '-x509')) return undefined
    const began = performance.now()
    for (let at = 0; at < count; at++) {
      request('leaf')
      run('x509', '-req', '-in', 'leaf.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'cert.pem')
    }
    return (count * 1_000) / (performance.now() - began)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A key, a request for it, its signature checked, and a certificate: eight at a time, as the controllers do. */
async function cryptography(report: Report, key: Key, count: number): Promise<void> {
  const authority = await generateKey({ algorithm: 'ECDSA', size: 256 })
  const signer = { subject: encodeName(nameOf({ commonName: 'bench' })), key: authority }
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const own = await generateKey(key)
      const algorithm = signatureAlgorithm(own)
      if (!algorithm) throw new Error('the key does not sign')
      const text = await makeRequest({ subject: nameOf({ commonName: 'leaf' }), extensions: [], key: own, algorithm })
      const request = readRequest(text)
      if (!request.ok || !request.value.isSigned()) throw new Error('the request cannot be read')
      const { subject, publicKey } = request.value
      const life = { notBeforeMs: 0, notAfterMs: 4e12 }
      const template = { subject, publicKey, ...life, isCa: false, usages: { bits: 5, extended: [] }, further: [] }
      await issueCertificate(template, signer, systemIds.bytes(16))
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: 8 }, worker))
  const value = (count * 1_000) / (performance.now() - began)
  const openssl = opensslRate(key, 20)
  report({
    name: `key, request and certificate, ${key.algorithm} ${key.size}`,
    value,
    unit: 'certificates/s',
    ...(openssl === undefined ? {} : { peers: { 'openssl, a process a step': openssl } }),
  })
}

/** The whole way through a durable API server in this process: Certificate, key, request, approval, signature, Secret, status. */
async function issued(report: Report, key: Key, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-pki-'))
  const opened = await openState(join(folder, 'state'))
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const { store, tokenKeys } = opened.value
  const ports = { clock: systemClock, ids: systemIds, log: silentLog }
  const pki = makePki({ clientAs: (user) => server.client(user) })
  const { server } = makeCluster({ store, tokenKeys, ...ports, admission: () => pki.admission })
  await server.start()
  const client = server.client(admin)
  const stopping = new AbortController()
  const controllers = makeControllers([{ name: 'certificates', does: '', make: pki.controllers }], { client, ...ports })
  const running = controllers.run(stopping.signal)
  try {
    const installed = await installDefinitions(['cert-manager'], { client, clock: systemClock, readData })
    if (!installed.ok) throw new Error(JSON.stringify(installed.error))
    await make(client, issuers, 'Issuer', 'own', { selfSigned: {} })
    await make(client, certificates, 'Certificate', 'root', {
      ...asking('root', key),
      isCA: true,
      issuerRef: { name: 'own' },
    })
    await make(client, issuers, 'Issuer', 'ca', { ca: { secretName: 'root-tls' } })
    await ready(client, new Set(['root']))
    const names = Array.from({ length: count }, (_, at) => `web-${at}`)
    const began = performance.now()
    const all = ready(client, new Set(names))
    await Promise.all(names.map((name) => make(client, certificates, 'Certificate', name, asking(name, key))))
    await all
    const value = (count * 1_000) / (performance.now() - began)
    report({
      name: `Certificates until they are Ready, ${key.algorithm} ${key.size}, durable`,
      value,
      unit: 'certificates/s',
    })
  } finally {
    stopping.abort(new Error('the bench has ended'))
    await running
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const asking = (name: string, privateKey: Key): object => ({
  secretName: `${name}-tls`,
  commonName: `${name}.test`,
  dnsNames: [`${name}.test`],
  issuerRef: { name: 'ca' },
  privateKey,
})

async function make(client: Client, resource: typeof issuers, kind: string, name: string, spec: object): Promise<void> {
  const object = { apiVersion: 'cert-manager.io/v1', kind, metadata: { name, namespace }, spec }
  const made = await client.create({ resource, namespace }, object)
  if (!made.ok) throw new Error(made.error.message)
}

/** Resolves once all of these Certificates are ready. */
async function ready(client: Client, names: Set<string>): Promise<void> {
  const done = new AbortController()
  for await (const event of client.watch(
    { resource: certificates, namespace },
    { resourceVersion: '0', signal: done.signal },
  )) {
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
    const { conditions }: { readonly conditions?: readonly Condition[] } = event.object['status'] ?? {}
    if (isTrue(conditions, 'Ready')) names.delete(event.object.metadata.name ?? '')
    if (names.size === 0) break
  }
  done.abort()
}
