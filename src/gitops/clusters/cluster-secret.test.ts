import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { IN_CLUSTER_SERVER, parseClusterSecret } from './cluster-secret.ts'

const secret = (data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'c', namespace: 'argocd', labels: { env: 'prod' } },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})

const config = (value: object): string => JSON.stringify(value)

test('a cluster is reached as its Secret says', () => {
  const found = parseClusterSecret(
    secret({
      name: 'prod',
      server: 'https://prod.example.com/',
      project: 'shop',
      namespaces: 'a, b',
      config: config({
        bearerToken: 'top secret',
        tlsClientConfig: { caData: Buffer.from('CA').toString('base64'), serverName: 'prod' },
      }),
    }),
  )
  expect(found).toMatchObject({
    ok: true,
    value: {
      name: 'prod',
      server: 'https://prod.example.com',
      project: 'shop',
      namespaces: ['a', 'b'],
      labels: { env: 'prod' },
      access: { credentials: { by: 'token', token: 'top secret' }, tls: { ca: 'CA', serverName: 'prod' } },
    },
  })
})

test('a Secret for the own cluster gives it a name, and no other way to it', () => {
  const found = parseClusterSecret(secret({ name: 'home', server: IN_CLUSTER_SERVER, config: '{}' }))
  expect(found.ok && [found.value.name, found.value.access]).toEqual(['home', undefined])
})

test.each([
  { name: 'without a server', data: { name: 'x' }, because: 'it has no server' },
  {
    name: 'whose config is no JSON',
    data: { server: 'https://a', config: '{"bearerToken": "top secret"' },
    because: 'its config is not JSON',
  },
  {
    name: 'with awsAuthConfig',
    data: { server: 'https://a', config: config({ awsAuthConfig: {} }) },
    because: 'awsAuthConfig is not supported',
  },
  {
    name: 'with a server that is no URL',
    data: { server: 'nowhere', config: config({ bearerToken: 'top secret' }) },
    because: 'not a URL',
  },
])('a Secret $name is refused, without its credentials', ({ data, because }) => {
  const found = parseClusterSecret(secret(data))
  const message = found.ok ? '' : (found.error[0]?.message ?? '')
  expect(message).toContain(because)
  expect(message).not.toContain('top secret')
})
