import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import { emitYaml, parseYaml } from '../../lib/yaml.ts'
import { type Certificate, certificates, issuers } from '../objects.ts'
import { type PkiWorld, pkiWorld } from '../pki.testkit.ts'
import { withAnnotations } from './annotations.ts'
import { gateways, ingresses } from './controller.ts'
import { planShim } from './plan.ts'

const folder = join(import.meta.dirname, 'testdata')

/** Each file holds the object, the Certificates that are there already, and what is done. */
describe('the certificates of', () => {
  test.each(readdirSync(folder).map((name) => name.replace(/\.yaml$/, '')))('%s', (name) => {
    const path = join(folder, `${name}.yaml`)
    const read = parseYaml(readFileSync(path, 'utf8'))
    if (!read.ok) throw new Error(read.error[0]?.message)
    const known = read.value as {
      object: KubeObject
      certificates?: readonly Certificate[]
      steps?: unknown
    }
    const steps = planShim({ object: known.object, certificates: known.certificates ?? [] }).map((step) =>
      step.do === 'update' ? { do: step.do, because: step.because, certificate: step.certificate } : step,
    )
    if (process.env['UPDATE_GOLDEN'] && !process.env['CI']) writeFileSync(path, emitYaml({ ...known, steps }))
    expect(steps).toEqual(known.steps)
  })
})

describe('an annotation', () => {
  const base = { secretName: 's', issuerRef: { name: 'i' }, dnsNames: ['a.test'] }
  const read = (name: string, value: string) => {
    const spec = withAnnotations(base, { [`cert-manager.io/${name}`]: value })
    if (!spec.ok) return spec.error[0]?.message
    return Object.fromEntries(Object.entries(spec.value).filter(([key, is]) => base[key as 'secretName'] !== is))
  }
  test.each<readonly [string, string, object | string]>([
    ['common-name', 'x', { commonName: 'x' }],
    ['common-name', 'x'.repeat(65), '"cert-manager.io/common-name": common name may not be more than 64 bytes'],
    ['alt-names', 'b.test,c.test', { dnsNames: ['a.test', 'b.test', 'c.test'] }],
    ['ip-sans', '10.0.0.1, ::1', { ipAddresses: ['10.0.0.1', '::1'] }],
    ['ip-sans', 'x', '"x" is not a valid IP address'],
    ['email-sans', 'a@b.test', { emailAddresses: ['a@b.test'] }],
    ['email-sans', 'Ann <a@b.test>', 'is not a valid email address'],
    ['subject-organizations', 'a,"b, c"', { subject: { organizations: ['a', 'b, c'] } }],
    ['subject-organizations', 'a,"b', 'a quoted value does not end'],
    ['subject-serialnumber', '7', { subject: { serialNumber: '7' } }],
    ['duration', '48h', { duration: '48h' }],
    ['duration', '10m', 'duration must be greater than or equal to 1h0m0s'],
    ['duration', 'x', 'cannot read "x" as a duration'],
    ['renew-before', '1m', 'renewBefore must be greater than or equal to 5m0s'],
    ['renew-before-percentage', '20', { renewBeforePercentage: 20 }],
    ['renew-before-percentage', '2.5', 'is not a whole number'],
    ['usages', 'server auth, client auth', { usages: ['server auth', 'client auth'] }],
    ['usages', 'server auth,everything', 'invalid key usage name "everything"'],
    ['revision-history-limit', '3', { revisionHistoryLimit: 3 }],
    ['revision-history-limit', '0', 'must be a positive number'],
    ['private-key-algorithm', 'Ed25519', { privateKey: { algorithm: 'Ed25519' } }],
    ['private-key-algorithm', 'DSA', 'invalid private key algorithm "DSA"'],
    ['private-key-encoding', 'PKCS8', { privateKey: { encoding: 'PKCS8' } }],
    ['private-key-size', '4096', { privateKey: { size: 4096 } }],
    ['private-key-size', '256', 'invalid private key size for RSA algorithm "256"'],
    ['private-key-rotation-policy', 'Never', { privateKey: { rotationPolicy: 'Never' } }],
    ['private-key-rotation-policy', 'Sometimes', 'invalid private key rotation policy'],
    ['secret-template', '{"labels":{"a":"b"}}', { secretTemplate: { labels: { a: 'b' } } }],
    ['secret-template', '{"labels":{"a":1}}', 'labels and annotations are texts'],
    ['secret-template', '{"data":{}}', 'unknown field "data"'],
    ['secret-template', '[', 'error parsing secret template JSON'],
    ['secret-template', '{"annotations":{"cert-manager.io/x":"y"}}', 'must not have cert-manager.io/ annotations'],
  ])('%s: %s', (name, value, want) => {
    const found = read(name, value)
    const isAsWanted =
      typeof found === 'string' && typeof want === 'string' ? found.includes(want) : isEqual(found, want)
    expect({ found, isAsWanted }).toMatchObject({ isAsWanted: true })
  })
})

let world: PkiWorld | undefined
afterEach(() => world?.stop())

test('an Ingress and a Gateway get their certificates, and lose those that they name no more', async () => {
  const here = (world = await pkiWorld({ projects: ['cert-manager', 'gateway-api'] }))
  await here.create(issuers, { metadata: { name: 'own', namespace: 'default' }, spec: { selfSigned: {} } })
  const annotations = { 'cert-manager.io/issuer': 'own', 'cert-manager.io/private-key-algorithm': 'ECDSA' }
  const tls = (...names: readonly string[]) => names.map((name) => ({ secretName: name, hosts: [`${name}.test`] }))
  await here.create(ingresses, {
    metadata: { name: 'i', namespace: 'default', annotations },
    spec: { tls: tls('a', 'b'), defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  })
  const listener = {
    name: 'https',
    port: 443,
    protocol: 'HTTPS',
    hostname: 'g.test',
    tls: { certificateRefs: [{ name: 'g' }] },
  }
  await here.create(gateways, {
    metadata: { name: 'g', namespace: 'default', annotations },
    spec: { gatewayClassName: 'c', listeners: [listener] },
  })
  await here.ready('a')
  await here.ready('b')
  const ofGateway = await here.ready('g')
  expect(ofGateway.metadata.ownerReferences).toMatchObject([{ kind: 'Gateway', name: 'g', controller: true }])
  await here.patch(ingresses, 'i', { spec: { tls: tls('a') } }, 'default')
  await here.until('the certificate is gone', async () =>
    (await here.get(certificates, 'b', 'default')) ? undefined : true,
  )
  await here.patch(gateways, 'g', { metadata: { annotations: { 'cert-manager.io/common-name': 'edge' } } }, 'default')
  const changed = await here.ready('g', 'default', 2)
  expect(changed['spec']).toMatchObject({ commonName: 'edge', dnsNames: ['g.test'] })
})
