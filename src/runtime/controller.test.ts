import { expect, test } from 'vitest'
import { configMap, inDefault, testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import type { Client } from '../kube/client.ts'
import { failure } from '../kube/status.ts'
import type { MovableClock } from '../lib/clock.ts'
import { type LogRecord, logTo, silentLog } from '../lib/log.ts'
import { metricsRegistry } from '../lib/metrics.ts'
import { type Controller, ownerKeys, retryAfter, controllerLoop, type TurnContext } from './controller.ts'
import { Informers } from './informers.ts'
import { again, done, type Turn } from './work-queue.ts'

interface Bench {
  readonly client: Client
  readonly clock: MovableClock
  readonly turns: string[]
  readonly logged: LogRecord[]
  readonly pending: () => readonly unknown[]
  readonly metrics: () => string
  readonly stop: () => Promise<void>
}

const fieldSelector = 'metadata.name!=kube-root-ca.crt'

async function start(
  reconcile: (key: string, context: TurnContext, turn: number) => Promise<Turn>,
  more: (informers: Informers) => Partial<Controller> = () => ({}),
): Promise<Bench> {
  const { client, clock } = await testServer()
  valueOf(await client.create(inDefault, configMap('a')))
  const informers = new Informers({ client, clock, log: silentLog })
  const turns: string[] = []
  const logged: LogRecord[] = []
  const metrics = metricsRegistry()
  const controller: Controller = {
    name: 'maps',
    watches: [{ informer: informers.shared({ collection: inDefault, fieldSelector }) }],
    reconcile(key, context) {
      turns.push(`${key} at ${clock.now() - began}`)
      return reconcile(key, context, turns.length)
    },
    ...more(informers),
  }
  const began = clock.now()
  const running = controllerLoop(controller, {
    clock,
    metrics,
    log: logTo(
      (record) => logged.push(record),
      () => clock.now(),
    ),
  })
  const stopping = new AbortController()
  const all = Promise.all([informers.run(stopping.signal), running.run(stopping.signal)])
  await clock.advance(0)
  return {
    client,
    clock,
    turns,
    logged,
    pending: () => running.queue.pending(),
    metrics: () => metrics.text(),
    async stop() {
      stopping.abort()
      await clock.advance(0)
      await all
    },
  }
}

test('every object gets a turn when the controller starts, and another when it changes or goes', async () => {
  const { client, clock, turns, stop, metrics } = await start(() => Promise.resolve(done))
  expect(turns).toEqual(['default/a at 0'])
  valueOf(await client.create(inDefault, configMap('b')))
  await clock.advance(10)
  valueOf(await client.delete({ ...inDefault, name: 'a' }))
  await clock.advance(10)
  expect(turns).toEqual(['default/a at 0', 'default/b at 0', 'default/a at 10'])
  expect(metrics()).toContain('idp_controller_turns_total{controller="maps",outcome="done"} 3')
  await stop()
})

test('what a turn throws is logged and tried again, and can be looked up', async () => {
  const { clock, turns, logged, pending, stop } = await start((_key, _context, turn) =>
    turn < 3 ? Promise.reject(new Error('broken', { cause: new Error('disk') })) : Promise.resolve(done),
  )
  expect(pending()).toMatchObject([{ key: 'default/a', state: 'waiting', failures: 1, because: 'broken: disk' }])
  expect(logged).toMatchObject([
    {
      level: 'error',
      message: 'a turn failed',
      fields: { controller: 'maps', key: 'default/a', turn: 1, error: 'broken: disk' },
    },
  ])
  await clock.advance(1_000)
  expect(turns).toEqual(['default/a at 0', 'default/a at 100', 'default/a at 300'])
  expect(pending()).toEqual([])
  await stop()
})

test('a conflict is tried again without a word; another refusal is told', async () => {
  const statuses = [failure('Conflict', 'changed'), failure('Forbidden', 'no')]
  const { clock, logged, pending, stop } = await start((_key, _context, turn) => {
    const status = statuses[turn - 1]
    return Promise.resolve(status ? retryAfter(status) : done)
  })
  expect(logged.map(({ level }) => level)).toEqual(['debug'])
  await clock.advance(100)
  expect(logged.map(({ level }) => level)).toEqual(['debug', 'warn'])
  expect(pending()).toMatchObject([{ because: 'Forbidden: no' }])
  await stop()
})

test('a turn can ask to be called again', async () => {
  const { clock, turns, pending, stop } = await start(() =>
    Promise.resolve(again(60_000, 'the certificate is renewed')),
  )
  expect(pending()).toMatchObject([{ failures: 0, because: 'the certificate is renewed' }])
  await clock.advance(60_000)
  expect(turns).toEqual(['default/a at 0', 'default/a at 60000'])
  await stop()
})

test('changes are mapped to other keys, before and after, and nothing begins until all caches are complete', async () => {
  const { client, clock, turns, stop } = await start(
    () => Promise.resolve(done),
    (informers) => ({
      watches: [
        {
          informer: informers.shared({ collection: inDefault, fieldSelector }),
          keys: (object) => [`default/of-${object.metadata.labels?.['team'] ?? 'none'}`],
        },
      ],
    }),
  )
  valueOf(await client.update({ ...inDefault, name: 'a' }, configMap('a', {}, { labels: { team: 'x' } })))
  await clock.advance(0)
  expect(turns).toEqual(['default/of-none at 0', 'default/of-x at 0', 'default/of-none at 0'])
  await stop()
})

test('stopping ends the turns by their signal and keeps quiet about it', async () => {
  const { logged, stop } = await start(
    (_key, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  )
  await stop()
  expect(logged).toEqual([])
})

test('the owner of an object is found by kind and group, not by name alone', () => {
  const owned = configMap(
    'a',
    {},
    {
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: '1', controller: true },
        { apiVersion: 'other/v1', kind: 'ReplicaSet', name: 'other', uid: '2', controller: true },
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'mere', uid: '3' },
      ],
    },
  )
  expect(ownerKeys('ReplicaSet', 'apps')(owned)).toEqual(['default/rs'])
})
