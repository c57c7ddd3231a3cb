import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../kube/client.ts'
import type { ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { movableClock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import { silentLog } from '../lib/log.ts'
import { memoryStore } from '../store/memory-store.ts'
import { admin, refusalOf, valueOf } from './apiserver.testkit.ts'
import { newSigningKey, readTokenKeys } from './auth/service-account-tokens.ts'
import { type Cluster, makeCluster } from './cluster.ts'
import { certificateMaker, type KeyPair } from './pki/certificates.ts'

const id = (plural: string, group = '', version = 'v1'): ResourceId => ({ group, version, plural })
const object = (
  apiVersion: string,
  kind: string,
  name: string,
  more: object = {},
  namespace = 'default',
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}) },
  ...more,
})
const pod = (name: string, cpu: string): KubeObject =>
  object('v1', 'Pod', name, {
    spec: { containers: [{ name: 'c', image: 'app', resources: { requests: { cpu }, limits: { cpu } } }] },
  })

let cluster: Cluster
let client: Client

beforeAll(async () => {
  cluster = makeCluster({
    store: memoryStore(),
    clock: movableClock(),
    ids: seededIds(),
    log: silentLog,
    tokenKeys: readTokenKeys([newSigningKey()]),
  })
  await cluster.server.start()
  client = cluster.server.client(admin)
  valueOf(
    await client.create(
      { resource: id('serviceaccounts'), namespace: 'default' },
      object('v1', 'ServiceAccount', 'default'),
    ),
  )
})

const create = (plural: string, value: KubeObject, group = ''): ReturnType<Client['create']> =>
  client.create(
    { resource: id(plural, group), ...(value.metadata.namespace ? { namespace: value.metadata.namespace } : {}) },
    value,
  )

test('a quota is taken by what passes, told in its status, and refuses what does not fit', async () => {
  valueOf(
    await create(
      'resourcequotas',
      object('v1', 'ResourceQuota', 'small', { spec: { hard: { pods: '2', 'requests.cpu': '1' } } }),
    ),
  )
  valueOf(await create('pods', pod('a', '600m')))
  const quota = valueOf(await client.get({ resource: id('resourcequotas'), namespace: 'default', name: 'small' }))
  expect(quota['status']).toEqual({
    hard: { pods: '2', 'requests.cpu': '1' },
    used: { pods: '1', 'requests.cpu': '600m' },
  })
  expect(refusalOf(await create('pods', pod('b', '600m')))).toMatchObject({
    code: 403,
    message:
      'pods "b" is forbidden: exceeded quota: small, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
  })
  valueOf(await client.delete({ resource: id('resourcequotas'), namespace: 'default', name: 'small' }))
})

test('a policy that is bound refuses with its message from the moment it is there', async () => {
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]
  const policy = object(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicy',
    'owned',
    {
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [
          {
            expression: "has(object.metadata.labels) && 'owner' in object.metadata.labels",
            message: 'say who owns it',
          },
        ],
      },
    },
    '',
  )
  const binding = object(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicyBinding',
    'owned',
    { spec: { policyName: 'owned', validationActions: ['Deny'] } },
    '',
  )
  valueOf(await create('validatingadmissionpolicies', policy, 'admissionregistration.k8s.io'))
  valueOf(await create('validatingadmissionpolicybindings', binding, 'admissionregistration.k8s.io'))
  expect(refusalOf(await create('configmaps', object('v1', 'ConfigMap', 'x')))).toMatchObject({
    code: 422,
    message: expect.stringContaining('say who owns it') as string,
  })
  const owned = object('v1', 'ConfigMap', 'x')
  valueOf(await create('configmaps', { ...owned, metadata: { ...owned.metadata, labels: { owner: 'a' } } }))
  valueOf(
    await client.delete({
      resource: id('validatingadmissionpolicybindings', 'admissionregistration.k8s.io'),
      name: 'owned',
    }),
  )
})

describe('a webhook over TLS', () => {
  const asked: unknown[] = []
  let authority: KeyPair
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: { uid: string; name: string } }
      asked.push(review)
      const patch = Buffer.from(
        JSON.stringify([{ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } }]),
      ).toString('base64')
      const allowed = review.request.name !== 'bad'
      const body = {
        uid: review.request.uid,
        allowed,
        ...(allowed ? { patchType: 'JSONPatch', patch } : { status: { message: 'not that one' } }),
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: body }))
    })
  })
  beforeAll(async () => {
    const maker = await certificateMaker(Date.now())
    authority = await maker.authority('test')
    server.setSecureContext(await maker.serving(authority, { dns: [], ips: ['127.0.0.1'] }))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

  test('changes an object, refuses another, and its absence refuses all', async () => {
    const { port } = server.address() as AddressInfo
    const webhook = {
      name: 'label.example.com',
      clientConfig: {
        url: `https://127.0.0.1:${port}/mutate`,
        caBundle: Buffer.from(authority.cert).toString('base64'),
      },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 5,
    }
    const configuration = object(
      'admissionregistration.k8s.io/v1',
      'MutatingWebhookConfiguration',
      'label',
      { webhooks: [webhook] },
      '',
    )
    valueOf(await create('mutatingwebhookconfigurations', configuration, 'admissionregistration.k8s.io'))
    expect(valueOf(await create('secrets', object('v1', 'Secret', 'good'))).metadata.labels).toEqual({ seen: 'yes' })
    expect(asked).toHaveLength(1)
    expect(refusalOf(await create('secrets', object('v1', 'Secret', 'bad'))).message).toBe(
      'admission webhook "label.example.com" denied the request: not that one',
    )
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    expect(refusalOf(await create('secrets', object('v1', 'Secret', 'late')))).toMatchObject({
      code: 500,
      message: expect.stringContaining('failed calling webhook "label.example.com"') as string,
    })
    server.listen(0, '127.0.0.1')
  })
})

test('a definition with a conversion webhook is converted over TLS, and refuses while nobody answers', async () => {
  const webhook = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { apiVersion, request: asked } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        apiVersion: string
        request: {
          uid: string
          desiredAPIVersion: string
          objects: (KubeObject & { spec: { size?: number; extent?: number } })[]
        }
      }
      const convertedObjects = asked.objects.map((one) => {
        const size = one.spec.size ?? one.spec.extent
        return {
          ...one,
          apiVersion: asked.desiredAPIVersion,
          spec: asked.desiredAPIVersion.endsWith('/v2') ? { extent: size } : { size },
        }
      })
      const answer = { uid: asked.uid, result: { status: 'Success' }, convertedObjects }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion, kind: 'ConversionReview', response: answer }))
    })
  })
  const maker = await certificateMaker(Date.now())
  const authority = await maker.authority('test')
  webhook.setSecureContext(await maker.serving(authority, { dns: [], ips: ['127.0.0.1'] }))
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
  const { port } = webhook.address() as AddressInfo
  const version = (name: string): object => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  })
  const conversion = {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1'],
      clientConfig: {
        url: `https://127.0.0.1:${port}/convert`,
        caBundle: Buffer.from(authority.cert).toString('base64'),
      },
    },
  }
  const spec = {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'boxes', kind: 'Box' },
    versions: [version('v1'), version('v2')],
    conversion,
  }
  const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'boxes.example.com', { spec }, '')
  valueOf(await create('customresourcedefinitions', definition, 'apiextensions.k8s.io'))
  const made = { resource: id('boxes', 'example.com', 'v2'), namespace: 'default', name: 'a' }
  valueOf(await client.create(made, object('example.com/v2', 'Box', 'a', { spec: { extent: 3 } })))
  expect(valueOf(await client.get({ ...made, resource: id('boxes', 'example.com') }))['spec']).toEqual({ size: 3 })
  expect(valueOf(await client.get(made))['spec']).toEqual({ extent: 3 })
  await new Promise<void>((resolve) => {
    webhook.close(() => resolve())
    webhook.closeAllConnections()
  })
  expect(refusalOf(await client.get(made))).toMatchObject({
    code: 500,
    message: expect.stringContaining('conversion webhook for example.com/v1, Kind=Box failed: ') as string,
  })
})

test('who has no rights is refused by name, and has them once they are bound', async () => {
  const ann = cluster.server.client({ username: 'ann', groups: ['system:authenticated'] })
  const ask = (): ReturnType<Client['get']> => ann.get({ resource: id('configmaps'), namespace: 'default', name: 'x' })
  expect(refusalOf(await ask())).toMatchObject({
    code: 403,
    message:
      'configmaps "x" is forbidden: User "ann" cannot get resource "configmaps" in API group "" in the namespace "default"',
  })
  const RBAC = 'rbac.authorization.k8s.io'
  const role = { apiGroup: RBAC, kind: 'ClusterRole', name: 'view' }
  valueOf(
    await create(
      'rolebindings',
      object(`${RBAC}/v1`, 'RoleBinding', 'ann', {
        roleRef: role,
        subjects: [{ kind: 'User', name: 'ann', apiGroup: RBAC }],
      }),
      RBAC,
    ),
  )
  expect((await ask()).ok).toBe(true)
})
