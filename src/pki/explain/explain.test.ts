import { afterEach, expect, test } from 'vitest'
import {
  certificates,
  clusterIssuers,
  issuers,
  parseCertificate,
  parseIssuer,
  parseRequest,
  certificateRequests,
  secrets,
} from '../objects.ts'
import { certificate, type PkiWorld, pkiWorld, withAuthority } from '../pki.testkit.ts'
import { renewNow } from './renew.ts'
import { rootsOf } from './roots.ts'
import { explainWhy, type Known } from './why.ts'

let world: PkiWorld | undefined
afterEach(() => world?.stop())

async function known(here: PkiWorld, name: string): Promise<Known> {
  const found = await here.get(certificates, name, 'default')
  if (!found) throw new Error('there is no such Certificate')
  const parsed = parseCertificate(found)
  const secret = await here.get(secrets, parsed.spec.secretName, 'default')
  const issuer = await here.get(issuers, parsed.spec.issuerRef.name, 'default')
  const caName = issuer && parseIssuer(issuer).spec.ca?.secretName
  const authority = caName ? await here.get(secrets, caName, 'default') : undefined
  const requests = await here.list(certificateRequests, 'default')
  return {
    certificate: parsed,
    ...(secret ? { secret } : {}),
    ...(issuer ? { issuer: parseIssuer(issuer) } : {}),
    ...(authority ? { authority } : {}),
    requests: requests.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name).map(parseRequest),
    nowMs: here.clock.now(),
  }
}
const said = (all: Known): string =>
  explainWhy(all)
    .map(({ about, text, next }) => `${about}: ${text}${next ? ` -> ${next}` : ''}`)
    .join('\n')

test('a Certificate is explained from what a user sees down to its authority; an authority with a new key is found out', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(certificates, certificate('web'))
  await here.ready('web')
  expect(said(await known(here, 'web'))).toMatch(
    /^ready: yes: Secret web-tls, valid until 2026-04-01T00:00:0\dZ \(\d+ days\), renewed at 2026-03-02T00:00:0\dZ\nissuer: Issuer\/ca is ready, its authority is valid until 2035-.* days\)\nchain: the authority of the issuer has signed it$/,
  )
  const root = await here.get(certificates, 'root', 'default')
  const status = root && renewNow(parseCertificate(root), here.clock.now())
  await here.client.update(
    { resource: certificates, namespace: 'default', name: 'root', subresource: 'status' },
    { ...root, status },
  )
  await here.ready('root', 'default', 2)
  expect(said(await known(here, 'web'))).toContain(
    'chain: the authority of the issuer has a new key since it was issued -> idp pki renew web gives it',
  )
  await here.create(certificates, certificate('lost', { issuerRef: { name: 'nobody' } }))
  await here.until('the request', () => here.get(certificateRequests, 'lost-1', 'default'))
  await here.until('the state', async () =>
    (await here.get(certificates, 'lost', 'default'))?.['status'] ? true : undefined,
  )
  const lost = said(await known(here, 'lost'))
  expect(lost).toContain('ready: no: Issuing certificate as Secret does not exist (DoesNotExist)')
  expect(lost).toContain(
    'issuer: there is no Issuer/nobody in namespace default -> create it, or correct spec.issuerRef',
  )
})

test('roots are found above issuers, each once', async () => {
  const here = (world = await pkiWorld())
  const pem = await withAuthority(here)
  await here.create(certificates, certificate('middle', { isCA: true, commonName: 'middle', dnsNames: [] }))
  await here.ready('middle')
  await here.create(issuers, {
    metadata: { name: 'below', namespace: 'default' },
    spec: { ca: { secretName: 'middle-tls' } },
  })
  await here.create(clusterIssuers, { metadata: { name: 'none' }, spec: { ca: { secretName: 'nowhere' } } })
  const all = [...(await here.list(clusterIssuers)), ...(await here.list(issuers, 'default'))].map(parseIssuer)
  const known = new Map(
    (await here.list(secrets)).map((secret) => [`${secret.metadata.namespace}/${secret.metadata.name}`, secret]),
  )
  const roots = rootsOf(all, (key) => known.get(key))
  expect(roots).toMatchObject([{ name: 'root', pem, issuers: ['Issuer/default/below', 'Issuer/default/ca'] }])
  expect(roots[0]?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
})

test('what is being issued is not asked for again', () => {
  const status = { conditions: [{ type: 'Issuing', status: 'True' }] } as const
  const issuing = {
    apiVersion: '',
    kind: '',
    metadata: {},
    spec: { secretName: 's', issuerRef: { name: 'i' } },
    status,
  }
  expect(renewNow(issuing, 0)).toBeUndefined()
  expect(renewNow({ ...issuing, status: {} }, 0)).toMatchObject({
    conditions: [{ type: 'Issuing', status: 'True', reason: 'ManuallyTriggered' }],
  })
})
