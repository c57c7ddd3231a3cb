import { expect, test } from 'vitest'
import type { KubeObject } from '../kube/object.ts'
import { wantedKeys } from './wanted-keys.ts'

const store: KubeObject = {
  apiVersion: 'external-secrets.io/v1',
  kind: 'ClusterSecretStore',
  metadata: { name: 'platform' },
  spec: { provider: { vault: { server: 'http://vault', path: 'secret', version: 'v2' } } },
}
const secret = (spec: object): KubeObject => ({
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { secretStoreRef: { kind: 'ClusterSecretStore', name: 'platform' }, ...spec },
})

test('data and extracts name keys, by the store that is meant', () => {
  const data = [{ secretKey: 'a', remoteRef: { key: 'teams/shop', property: 'password' } }]
  const dataFrom = [{ extract: { key: 'secret/data/all' } }, { find: { name: { regexp: '.*' } } }]
  expect(wantedKeys([secret({ data, dataFrom }), store])).toEqual([
    {
      by: 'ExternalSecret shop/web',
      key: 'teams/shop',
      property: 'password',
      place: { mount: 'secret', path: 'teams/shop', version: 'v2' },
    },
    {
      by: 'ExternalSecret shop/web',
      key: 'secret/data/all',
      property: '',
      place: { mount: 'secret', path: 'all', version: 'v2' },
    },
  ])
})

test.each([
  ['a store that is not there', { secretStoreRef: { name: 'own' } }, [], 'SecretStore shop/own is not there'],
  ['no store', { secretStoreRef: {} }, [store], 'it names no store'],
  [
    'a store of another provider',
    {},
    [{ ...store, spec: { provider: { fake: {} } } }],
    'ClusterSecretStore platform is not of this store: its provider is fake',
  ],
])('%s is said', (_, spec, others, because) => {
  const wanted = wantedKeys([secret({ data: [{ secretKey: 'a', remoteRef: { key: 'k' } }], ...spec }), ...others])
  expect(wanted).toEqual([{ by: 'ExternalSecret shop/web', key: 'k', property: '', because }])
})

test('what is within a ClusterExternalSecret asks as well', () => {
  const inner = secret({ data: [{ secretKey: 'a', remoteRef: { key: 'k' } }] })
  const outer: KubeObject = {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ClusterExternalSecret',
    metadata: { name: 'all' },
    spec: { externalSecretSpec: inner['spec'] },
  }
  expect(wantedKeys([outer, store])[0]).toMatchObject({ by: 'ClusterExternalSecret all', place: { path: 'k' } })
})
