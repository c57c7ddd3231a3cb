import { expect, test } from 'vitest'
import { movableClock } from '../lib/clock.ts'
import { keepHistory } from './history-window.ts'
import { memoryStore } from './memory-store.ts'

test('what is too old goes, what is recent stays, a flood is cut by count, and aborting ends it', async () => {
  const clock = movableClock()
  const store = memoryStore<number>()
  const write = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) await store.put('a', () => at, 'any')
  }
  await write(10)
  const stop = new AbortController()
  const running = keepHistory(store, clock, { keepMs: 60_000, keepRevisions: 100, everyMs: 10_000 }, stop.signal)
  await clock.advance(50_000)
  expect(store.oldest).toBe(0)
  await write(5)
  await clock.advance(10_000)
  expect(store.oldest).toBe(10)
  await clock.advance(60_000)
  expect(store.oldest).toBe(15)
  await write(500)
  await clock.advance(10_000)
  expect([store.oldest, store.revision]).toEqual([415, 515])
  stop.abort()
  await running
})
