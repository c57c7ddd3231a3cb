import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { nodes, pods } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { planPodGarbage } from './plan.ts'

const pod = (
  name: string,
  phase: string,
  more: { nodeName?: string; deleted?: boolean; at?: string } = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    creationTimestamp: more.at ?? '2026-01-01T00:00:00Z',
    ...(more.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: more.nodeName ? { nodeName: more.nodeName } : {},
  status: { phase },
})

describe('of Pods', () => {
  test.each([
    {
      name: 'the oldest finished ones above the limit go',
      seen: [pod('new', 'Failed', { at: '2026-01-02T00:00:00Z' }), pod('old', 'Succeeded'), pod('runs', 'Running')],
      want: [['old', false]],
    },
    {
      name: 'those of a gone node fail and go',
      seen: [pod('a', 'Running', { nodeName: 'gone' })],
      want: [['a', true]],
    },
    { name: 'finished ones of a gone node go', seen: [pod('a', 'Failed', { nodeName: 'gone' })], want: [['a', false]] },
    { name: 'those of a living node stay', seen: [pod('a', 'Running', { nodeName: 'here' })], want: [] },
    { name: 'deleted ones without a node go', seen: [pod('a', 'Pending', { deleted: true })], want: [['a', true]] },
    {
      name: 'deleted ones with a node are the node’s',
      seen: [pod('a', 'Running', { deleted: true, nodeName: 'here' })],
      want: [],
    },
    {
      name: 'deleted ones of a node that is out of service go',
      seen: [pod('a', 'Running', { deleted: true, nodeName: 'out' }), pod('b', 'Running', { nodeName: 'out' })],
      want: [['a', true]],
    },
  ])('$name', ({ seen, want }) => {
    const plan = planPodGarbage({
      pods: seen,
      isGoneNode: (name) => name === 'gone',
      isOutOfService: (name) => name === 'out',
      kept: 1,
    })
    expect(plan.map(({ pod: { metadata }, fails }) => [metadata.name, fails])).toEqual(want)
  })
})

let open: World | undefined
afterEach(() => open?.stop())

test('the Pods of a node that has been gone for a while go, not those of a node that comes back', async () => {
  const here = (open = await world({ controllers: 'service-account,pod-garbage-collector' }))
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  for (const name of ['stays', 'goes']) await here.create(nodes, { metadata: { name } })
  for (const name of ['stays', 'goes'])
    await here.create(pods, { metadata: { name, namespace: 'default' }, spec: { ...spec, nodeName: name } })
  await here.clock.advance(60_000)
  for (const name of ['stays', 'goes']) await here.client.delete({ resource: nodes, name })
  await here.clock.advance(20_000)
  await here.create(nodes, { metadata: { name: 'stays' } })
  expect(await here.names(pods, 'default')).toEqual(['goes', 'stays'])
  await here.clock.advance(60_000)
  expect(await here.names(pods, 'default')).toEqual(['stays'])
})
