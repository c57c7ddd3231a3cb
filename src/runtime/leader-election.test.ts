import { expect, test } from 'vitest'
import { testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import type { Client } from '../kube/client.ts'
import type { MovableClock } from '../lib/clock.ts'
import { failure } from '../kube/status.ts'
import { type LogRecord, logTo, silentLog } from '../lib/log.ts'
import { leadByLease } from './leader-election.ts'

const target = {
  resource: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  namespace: 'kube-system',
  name: 'idp',
}

interface Member {
  readonly stop: () => void
  readonly ended: Promise<void>
  isLeading: boolean
  terms: number
  /** Lets the server be out of reach for this member. */
  away: boolean | 'silent'
}

function member(client: Client, clock: MovableClock, identity: string): Member {
  const stopping = new AbortController()
  const reach = async <T>(call: () => Promise<T>): Promise<T> => {
    if (self.away === 'silent') return new Promise(() => {})
    if (self.away) throw new Error('connection refused')
    return call()
  }
  const flaky: Client = {
    ...client,
    get: (...args) => reach(() => client.get(...args)),
    create: (...args) => reach(() => client.create(...args)),
    update: (...args) => reach(() => client.update(...args)),
  }
  const self: Member = {
    stop: () => stopping.abort(),
    ended: Promise.resolve(),
    isLeading: false,
    terms: 0,
    away: false,
  }
  const lead = async (signal: AbortSignal): Promise<void> => {
    self.isLeading = true
    self.terms += 1
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    self.isLeading = false
  }
  const options = { client: flaky, clock, log: silentLog, identity, namespace: 'kube-system', name: 'idp' }
  return Object.assign(self, { ended: leadByLease(options, lead, stopping.signal) })
}

const leaders = (members: readonly Member[]): readonly boolean[] => members.map(({ isLeading }) => isLeading)

test('one of many leads, keeps the lead, and hands it over at once when it stops', async () => {
  const { client, clock } = await testServer()
  const members = ['a', 'b', 'c'].map((identity) => member(client, clock, identity))
  await clock.advance(0)
  expect(leaders(members).filter(Boolean)).toHaveLength(1)
  const first = members.find(({ isLeading }) => isLeading)!
  await clock.advance(600_000)
  expect(first.isLeading).toBe(true)
  expect(members.reduce((sum, { terms }) => sum + terms, 0)).toBe(1)
  first.stop()
  await clock.advance(0)
  await first.ended
  await clock.advance(2_000)
  expect(leaders(members).filter(Boolean)).toHaveLength(1)
  expect(first.isLeading).toBe(false)
  const lease = valueOf(await client.get(target))
  expect(lease['spec']).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 1 })
  for (const one of members) one.stop()
  await clock.advance(0)
  await Promise.all(members.map(({ ended }) => ended))
})

test.each([true, 'silent'] as const)(
  'a leader that is cut off (%s) steps down before another takes over',
  async (away) => {
    const { client, clock } = await testServer()
    const first = member(client, clock, 'a')
    await clock.advance(0)
    const second = member(client, clock, 'b')
    await clock.advance(10_000)
    expect(leaders([first, second])).toEqual([true, false])
    first.away = away
    let tookOver = -1
    for (let at = 0; at < 40_000; at += 250) {
      await clock.advance(250)
      expect(leaders([first, second])).not.toEqual([true, true])
      if (second.isLeading && tookOver < 0) tookOver = at
    }
    expect(tookOver).toBeGreaterThan(10_000)
    expect(tookOver).toBeLessThan(20_000)
    first.away = false
    await clock.advance(60_000)
    expect(leaders([first, second])).toEqual([false, true])
    for (const one of [first, second]) one.stop()
    await clock.advance(0)
  },
)

test('a short outage does not cost the lead', async () => {
  const { client, clock } = await testServer()
  const first = member(client, clock, 'a')
  const second = member(client, clock, 'b')
  await clock.advance(5_000)
  const leader = first.isLeading ? first : second
  leader.away = true
  await clock.advance(6_000)
  leader.away = false
  await clock.advance(60_000)
  expect(leader.isLeading).toBe(true)
  expect(leader.terms).toBe(1)
  for (const one of [first, second]) one.stop()
  await clock.advance(0)
})

test('an error of the work ends the election with it, and the lease is given back', async () => {
  const { client, clock } = await testServer()
  const options = { client, clock, log: silentLog, identity: 'a', namespace: 'kube-system', name: 'idp' }
  const running = leadByLease(options, () => Promise.reject(new Error('broken')), new AbortController().signal)
  const refused = expect(running).rejects.toThrow('broken')
  await clock.advance(10_000)
  await refused
  expect(valueOf(await client.get(target))['spec']).toMatchObject({ holderIdentity: '' })
})

test('the lease is created in its collection, and a refusal is told', async () => {
  const { client, clock } = await testServer()
  const stopping = new AbortController()
  const asked: unknown[] = []
  const told: LogRecord[] = []
  const refusing: Client = {
    ...client,
    create(place) {
      asked.push(place)
      return Promise.resolve({ ok: false, error: failure('Forbidden', 'you may not') })
    },
  }
  const log = logTo(
    (record) => told.push(record),
    () => clock.now(),
  )
  const options = { client: refusing, clock, log, identity: 'a', namespace: 'kube-system', name: 'idp' }
  const ended = leadByLease(options, () => Promise.resolve(), stopping.signal)
  await clock.advance(0)
  // Some clients write to a name where one is given, which creates nothing.
  expect(asked[0]).toEqual({ resource: target.resource, namespace: 'kube-system' })
  expect(told).toMatchObject([{ level: 'warn', message: 'cannot hold the lease', fields: { because: 'you may not' } }])
  stopping.abort()
  await clock.advance(0)
  await ended
})
