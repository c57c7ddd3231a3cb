import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { configMaps, namespaces, secrets, serviceAccounts } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { planNamespaceAccounts, planTokenSecret, TOKEN_TYPE } from './plan.ts'

const object = (kind: string, name: string, more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'team', ...metadata },
  ...more,
})

const team: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }
const account = object('ServiceAccount', 'default', {}, { uid: 'u1' })
const rootCaMap = object('ConfigMap', 'kube-root-ca.crt', { data: { 'ca.crt': 'PEM' } })

describe('a namespace', () => {
  test.each([
    { name: 'lacks everything', seen: {}, want: ['create-account', 'create-root-ca'] },
    { name: 'lacks its account', seen: { rootCaMap }, want: ['create-account'] },
    { name: 'has everything', seen: { account, rootCaMap }, want: [] },
    {
      name: 'gets its certificate back',
      seen: { account, rootCaMap: { ...rootCaMap, data: { 'ca.crt': 'other' } } },
      want: ['update-root-ca'],
    },
    { name: 'knows no authority', seen: { rootCa: undefined }, want: ['create-account'] },
    {
      name: 'is going away',
      seen: { namespace: { ...team, metadata: { ...team.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } } },
      want: [],
    },
  ])('that $name', ({ seen, want }) => {
    const nothing = { namespace: team, account: undefined, rootCaMap: undefined, rootCa: 'PEM' }
    expect(planNamespaceAccounts({ ...nothing, ...seen }).map((action) => action.do)).toEqual(want)
  })
})

const secret = (annotations: Record<string, string>, data: object = {}, type: string = TOKEN_TYPE): KubeObject =>
  object('Secret', 's', { type, data }, { annotations })
const named = { 'kubernetes.io/service-account.name': 'default' }
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const whole = { token: base64('t'), 'ca.crt': base64('PEM'), namespace: base64('team') }

describe('a Secret', () => {
  test.each([
    { name: 'of another type is left alone', seen: { secret: secret(named, {}, 'Opaque') }, want: { do: 'nothing' } },
    { name: 'that names nobody is left alone', seen: { secret: secret({}) }, want: { do: 'nothing' } },
    { name: 'goes with its account', seen: { secret: secret(named), account: undefined }, want: { do: 'delete' } },
    {
      name: 'of an earlier namesake goes',
      seen: { secret: secret({ ...named, 'kubernetes.io/service-account.uid': 'u0' }) },
      want: { do: 'delete' },
    },
    { name: 'gets a token', seen: { secret: secret(named) }, want: { do: 'fill', needsToken: true } },
    {
      name: 'keeps its token when the certificate is replaced',
      seen: {
        secret: secret({ ...named, 'kubernetes.io/service-account.uid': 'u1' }, { ...whole, 'ca.crt': base64('old') }),
      },
      want: { do: 'fill', needsToken: false, data: { 'ca.crt': base64('PEM') } },
    },
    {
      name: 'that is whole is left alone',
      seen: { secret: secret({ ...named, 'kubernetes.io/service-account.uid': 'u1' }, whole) },
      want: { do: 'nothing' },
    },
  ])('$name', ({ seen, want }) => expect(planTokenSecret({ account, rootCa: 'PEM', ...seen })).toMatchObject(want))
})

let open: World | undefined
afterEach(() => open?.stop())

test('every namespace gets its account and its certificate, again when they are taken away', async () => {
  const here = (open = await world({ controllers: 'service-account', ports: { rootCa: 'PEM' } }))
  await here.create(namespaces, { metadata: { name: 'team' } })
  await here.clock.advance(100)
  for (const name of ['default', 'kube-system', 'team']) {
    expect(await here.names(serviceAccounts, name)).toEqual(['default'])
    expect(await here.get(configMaps, 'kube-root-ca.crt', name)).toMatchObject({ data: { 'ca.crt': 'PEM' } })
  }
  await here.client.delete({ resource: serviceAccounts, namespace: 'team', name: 'default' })
  await here.client.delete({ resource: configMaps, namespace: 'team', name: 'kube-root-ca.crt' })
  await here.clock.advance(100)
  expect(await here.names(serviceAccounts, 'team')).toEqual(['default'])
  expect(await here.names(configMaps, 'team')).toEqual(['kube-root-ca.crt'])
})

test('a token Secret is filled once, and goes with its account', async () => {
  let issued = 0
  const issueToken = ({ account: { name } }: { account: { name: string } }): string => `token ${++issued} of ${name}`
  const here = (open = await world({ controllers: 'service-account-token', ports: { rootCa: 'PEM', issueToken } }))
  await here.create(serviceAccounts, { metadata: { name: 'robot', namespace: 'default' } })
  const annotations = { 'kubernetes.io/service-account.name': 'robot' }
  await here.create(secrets, { metadata: { name: 'robot-token', namespace: 'default', annotations }, type: TOKEN_TYPE })
  await here.clock.advance(1_000)
  await here.start()
  expect(await here.get(secrets, 'robot-token', 'default')).toMatchObject({
    data: { token: base64('token 1 of robot'), 'ca.crt': base64('PEM'), namespace: base64('default') },
  })
  await here.client.delete({ resource: serviceAccounts, namespace: 'default', name: 'robot' })
  await here.clock.advance(1_000)
  expect(await here.names(secrets, 'default')).toEqual([])
})
