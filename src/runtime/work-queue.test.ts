import { expect, test } from 'vitest'
import { type MovableClock, movableClock } from '../lib/clock.ts'
import { again, done, retry, type Turn, WorkQueue } from './work-queue.ts'

interface Bench {
  readonly clock: MovableClock
  readonly queue: WorkQueue
  readonly log: string[]
  readonly stop: AbortController
  readonly running: Promise<void>
}

/** A queue whose work is told, and takes as long as the answer to its key is withheld. */
function start(work: (key: string, turn: number) => Turn | Promise<Turn>, concurrency = 2): Bench {
  const clock = movableClock(0)
  const log: string[] = []
  const turns = new Map<string, number>()
  const queue = new WorkQueue({
    clock,
    concurrency,
    retryDelay: { firstMs: 100, longestMs: 1_000 },
    async work(key) {
      const turn = (turns.get(key) ?? 0) + 1
      turns.set(key, turn)
      log.push(`${key} at ${clock.now()}`)
      const outcome = await work(key, turn)
      log.push(`${key} ends`)
      return outcome
    },
  })
  const stop = new AbortController()
  return { clock, queue, log, stop, running: queue.run(stop.signal) }
}

const begun = (log: readonly string[]): readonly string[] => log.filter((line) => !line.endsWith('ends'))

test('a key that is added many times gets one turn, and keys are taken in the order they came', async () => {
  const { queue, clock, log } = start(() => done, 1)
  for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key)
  expect(queue.depth).toBe(3)
  await clock.advance(0)
  expect(begun(log)).toEqual(['b at 0', 'a at 0', 'c at 0'])
  expect(queue.pending()).toEqual([])
  expect(queue.isIdle).toBe(true)
})

test('a key is never worked on twice at once; added during its turn, it gets one more turn after it', async () => {
  let finish: (turn: Turn) => void = () => {}
  const { queue, clock, log } = start(() => new Promise<Turn>((resolve) => (finish = resolve)))
  queue.add('a')
  await clock.advance(0)
  queue.add('a')
  queue.add('a')
  await clock.advance(0)
  expect(begun(log)).toEqual(['a at 0'])
  expect(queue.pending()).toEqual([{ key: 'a', state: 'running', failures: 0 }])
  finish(done)
  await clock.advance(0)
  expect(log).toEqual(['a at 0', 'a ends', 'a at 0'])
  finish(done)
  await clock.advance(0)
  expect(begun(log)).toHaveLength(2)
})

test('no more keys are under way than allowed', async () => {
  const finish = new Map<string, () => void>()
  const { queue, clock, log } = start((key) => new Promise((resolve) => finish.set(key, () => resolve(done))), 2)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await clock.advance(0)
  expect(begun(log)).toEqual(['a at 0', 'b at 0'])
  finish.get('b')?.()
  await clock.advance(0)
  expect(begun(log)).toEqual(['a at 0', 'b at 0', 'c at 0'])
})

test('a key that fails is tried later and later, says why, and starts afresh after it went well', async () => {
  const { queue, clock, log } = start((_key, turn) => (turn < 6 || turn === 7 ? retry(`no. ${turn}`) : done))
  queue.add('a')
  await clock.advance(0)
  expect(queue.pending()).toEqual([{ key: 'a', state: 'waiting', failures: 1, because: 'no. 1', dueMs: 100 }])
  await clock.advance(10_000)
  expect(begun(log)).toEqual(['a at 0', 'a at 100', 'a at 300', 'a at 700', 'a at 1500', 'a at 2500'])
  expect(queue.pending()).toEqual([])
  queue.add('a')
  await clock.advance(0)
  expect(queue.pending()).toMatchObject([{ failures: 1, dueMs: 10_100 }])
})

test('a change does not wait for the delay of a retry, and the failures are still counted', async () => {
  const { queue, clock, log } = start(() => retry('broken'))
  queue.add('a')
  await clock.advance(50)
  queue.add('a')
  await clock.advance(0)
  expect(begun(log)).toEqual(['a at 0', 'a at 50'])
  expect(queue.pending()).toMatchObject([{ failures: 2, dueMs: 250 }])
})

test('of several delays the soonest counts', async () => {
  const { queue, clock, log } = start((_key, turn) => (turn === 1 ? again(500, 'renewal') : done))
  queue.addAfter('a', 300)
  queue.addAfter('a', 100)
  queue.addAfter('a', 200)
  await clock.advance(150)
  expect(begun(log)).toEqual(['a at 100'])
  expect(queue.pending()).toEqual([{ key: 'a', state: 'waiting', failures: 0, because: 'renewal', dueMs: 600 }])
  await clock.advance(1_000)
  expect(begun(log)).toEqual(['a at 100', 'a at 600'])
})

test('forgetting a key drops its delay and its failures', async () => {
  const { queue, clock, log } = start(() => retry('broken'))
  queue.add('a')
  await clock.advance(0)
  queue.forget('a')
  await clock.advance(10_000)
  expect(begun(log)).toEqual(['a at 0'])
})

test('after an abort no turn begins, and run resolves when those under way have ended', async () => {
  let finish: (turn: Turn) => void = () => {}
  const { queue, clock, log, stop, running } = start(() => new Promise<Turn>((resolve) => (finish = resolve)), 1)
  queue.add('a')
  queue.add('b')
  queue.addAfter('c', 10)
  await clock.advance(0)
  stop.abort()
  let isDrained = false
  void running.then(() => (isDrained = true))
  await clock.advance(100)
  expect(isDrained).toBe(false)
  finish(retry('interrupted'))
  await running
  await clock.advance(10_000)
  expect(begun(log)).toEqual(['a at 0'])
})
