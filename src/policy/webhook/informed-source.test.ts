import { setMaxListeners } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { valueOf } from '../../apiserver/apiserver.testkit.ts'
import { silentLog } from '../../lib/log.ts'
import { Informers } from '../../runtime/informers.ts'
import type { PolicySource } from '../catalog/policy-source.ts'
import { type PolicyWorld, policyWorld } from '../policy-world.testkit.ts'
import { informedSource } from './informed-source.ts'

let world: PolicyWorld
let source: PolicySource
let running: Promise<void>
const stopping = new AbortController()
setMaxListeners(0, stopping.signal)

beforeEach(async () => {
  world = await policyWorld()
  const { client, clock } = world
  const informers = new Informers({ client, clock, log: silentLog, watchSeconds: 0 })
  running = informers.run(stopping.signal)
  source = await informedSource({ client, informers, clock, log: silentLog }, stopping.signal)
})
afterEach(async () => {
  stopping.abort(new Error('over'))
  await running
  await world.stop()
})

test('shows the cluster at once, with the same list until something changes, and watches what is asked for later', async () => {
  expect(source.get('', 'namespaces', { name: 'default' })?.metadata.name).toBe('default')
  const before = source.list('', 'namespaces')
  expect(source.list('', 'namespaces')).toBe(before)
  valueOf(await world.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n'))
  await world.until(async () => source.get('', 'namespaces', { name: 'team' }) !== undefined)
  expect(source.list('', 'namespaces')).not.toBe(before)

  expect(source.list('', 'secrets', 'team')).toEqual([])
  valueOf(await world.apply('apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: team}\n'))
  await world.until(async () => source.list('', 'secrets', 'team').length === 1)
  expect(source.get('', 'secrets', { namespace: 'team', name: 'a' })?.metadata.name).toBe('a')
  expect(source.list('example.org', 'things')).toEqual([])
})
