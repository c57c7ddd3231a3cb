import { expect, test } from 'vitest'
import { movableClock, systemClock } from './clock.ts'

test('a movable clock runs timers in the order they fall due, and only when moved', async () => {
  const clock = movableClock(0)
  const seen: string[] = []
  clock.after(20, () => seen.push(`b at ${clock.now()}`))
  clock.after(10, () => seen.push(`a at ${clock.now()}`))
  const cancel = clock.after(15, () => seen.push('never'))
  cancel()
  await clock.advance(5)
  expect(seen).toEqual([])
  await clock.advance(100)
  expect(seen).toEqual(['a at 10', 'b at 20'])
  expect(clock.now()).toBe(105)
})

test('a timer set by a timer runs in the same advance when it falls due in it', async () => {
  const clock = movableClock(0)
  const woke: number[] = []
  const loop = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await clock.sleep(10)
      woke.push(clock.now())
    }
  }
  const running = loop()
  await clock.advance(30)
  await running
  expect(woke).toEqual([10, 20, 30])
})

test.each([
  ['the system clock', systemClock],
  ['a movable clock', movableClock(0)],
])('%s ends a sleep when its signal is aborted', async (_name, clock) => {
  const stop = new AbortController()
  const sleeping = clock.sleep(60_000, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
  await expect(clock.sleep(1, { signal: stop.signal })).rejects.toThrow('enough')
})
