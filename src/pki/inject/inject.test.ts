import { afterEach, expect, test } from 'vitest'
import type { ResourceId } from '../../kube/gvk.ts'
import { certificates, issuers, secrets } from '../objects.ts'
import { certificate, type PkiWorld, pkiWorld, textOf } from '../pki.testkit.ts'
import { planInjection, sourceOf } from './plan.ts'

const webhooks: ResourceId = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
}
const mutating: ResourceId = { ...webhooks, plural: 'mutatingwebhookconfigurations' }
const apiServices: ResourceId = { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices' }

const hook = (name: string) => ({
  name,
  clientConfig: { service: { name: 's', namespace: 'default', path: '/x' } },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  rules: [{ apiGroups: ['none.test'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }],
})

let world: PkiWorld | undefined
afterEach(() => world?.stop())

test('authorities are injected from certificates, from Secrets that allow it, and from the API server, and follow them', async () => {
  const here = (world = await pkiWorld())
  await here.create(issuers, { metadata: { name: 'own', namespace: 'default' }, spec: { selfSigned: {} } })
  const from = (annotations: Record<string, string>) => ({ annotations })
  await here.create(webhooks, {
    metadata: { name: 'a', ...from({ 'cert-manager.io/inject-ca-from': 'default/hook' }) },
    webhooks: [hook('a.x.test'), hook('b.x.test')],
  })
  await here.create(mutating, {
    metadata: { name: 'b', ...from({ 'cert-manager.io/inject-ca-from-secret': 'default/bundle' }) },
    webhooks: [hook('a.x.test')],
  })
  await here.create(webhooks, {
    metadata: { name: 'c', ...from({ 'cert-manager.io/inject-apiserver-ca': 'true' }) },
    webhooks: [hook('a.x.test')],
  })
  await here.create(certificates, certificate('hook', { issuerRef: { name: 'own' } }))
  await here.ready('hook')
  const bundlesOf = async (resource: ResourceId, name: string) => {
    const found = (await here.get(resource, name))?.['webhooks'] as { clientConfig: { caBundle?: string } }[]
    return found.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString())
  }
  const injected = (resource: ResourceId, name: string, ca: string) =>
    here.until(`${name} trusts it`, async () =>
      (await bundlesOf(resource, name)).every((text) => text === ca) ? true : undefined,
    )
  await injected(webhooks, 'a', textOf(await here.get(secrets, 'hook-tls', 'default'), 'ca.crt'))
  const data = { 'ca.crt': Buffer.from('authority').toString('base64') }
  await here.create(secrets, { metadata: { name: 'bundle', namespace: 'default' }, data })
  await here.clock.advance(1_000)
  expect(await bundlesOf(mutating, 'b')).toEqual([''])
  await here.patch(
    secrets,
    'bundle',
    { metadata: { annotations: { 'cert-manager.io/allow-direct-injection': 'true' } } },
    'default',
  )
  await injected(mutating, 'b', 'authority')
  await here.create(
    { group: '', version: 'v1', plural: 'configmaps' },
    { metadata: { name: 'kube-root-ca.crt', namespace: 'kube-system' }, data: { 'ca.crt': 'root' } },
  )
  await injected(webhooks, 'c', 'root')
  await here.patch(certificates, 'hook', { spec: { dnsNames: ['new.test'] } }, 'default')
  await here.ready('hook', 'default', 2)
  await injected(webhooks, 'a', textOf(await here.get(secrets, 'hook-tls', 'default'), 'ca.crt'))
  await here.create(apiServices, {
    metadata: { name: 'v1.x.test', ...from({ 'cert-manager.io/inject-ca-from': 'default/hook' }) },
    spec: {
      group: 'x.test',
      version: 'v1',
      groupPriorityMinimum: 1,
      versionPriority: 1,
      service: { name: 's', namespace: 'default' },
    },
  })
  await here.until(
    'the API service trusts it',
    async () => ((await here.get(apiServices, 'v1.x.test'))?.['spec'] as { caBundle?: string } | undefined)?.caBundle,
  )
})

const object = (annotations: Record<string, string>, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'CustomResourceDefinition',
  metadata: { annotations },
  ...more,
})

test.each([
  [{ 'cert-manager.io/inject-ca-from': 'a/b' }, { from: 'certificate', key: 'a/b' }],
  [{ 'cert-manager.io/inject-ca-from': 'b' }, { from: 'nowhere' }],
  [{ 'cert-manager.io/inject-ca-from': 'a/b/c' }, { from: 'nowhere' }],
  [{ 'cert-manager.io/inject-ca-from-secret': '/b' }, { from: 'nowhere' }],
  [{ 'cert-manager.io/inject-apiserver-ca': 'true' }, { from: 'api-server' }],
])('the source of %j', (annotations, want) => expect(sourceOf(object(annotations))).toMatchObject(want))

test('nothing is asked for without an annotation, or by one that says no', () => {
  expect(sourceOf(object({}))).toBeUndefined()
  expect(sourceOf(object({ 'cert-manager.io/inject-apiserver-ca': 'yes' }))).toBeUndefined()
})

test('a definition trusts somebody only where a webhook converts it', () => {
  const seen = (conversion: object) =>
    planInjection({ object: object({}, { spec: { conversion } }), source: { from: 'api-server' }, apiServerCa: 'x' })
  expect(seen({ strategy: 'None' })).toMatchObject({ do: 'nothing' })
  expect(seen({ strategy: 'Webhook', webhook: { clientConfig: { url: 'https://x' } } })).toMatchObject({
    do: 'patch',
    patch: [{ op: 'add', path: '/spec/conversion/webhook/clientConfig/caBundle', value: 'eA==' }],
  })
  expect(
    seen({ strategy: 'Webhook', webhook: { clientConfig: { url: 'https://x', caBundle: 'eA==' } } }),
  ).toMatchObject({ do: 'nothing', because: 'it is there already' })
})
