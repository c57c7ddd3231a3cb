import { afterEach, describe, expect, test } from 'vitest'
import type { Change, Entry, Expectation, RangeResult, Store, WriteOutcome } from './store.ts'

/** What a store is for in these tests: JSON text under a key. */
export type MakeStore = () => Promise<Store<string>>

export interface Heard {
  readonly changes: Change<string>[]
  readonly calls: { readonly revision: number; readonly count: number }[]
  readonly close: () => void
}

/** Lets everything that is under way in a store without a disk, and the slices of a catch-up, run. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (holds()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('gave up waiting')
}

export function listen(store: Store<string>, prefix: string, after: number): Heard {
  const changes: Change<string>[] = []
  const calls: { revision: number; count: number }[] = []
  const outcome = store.watch(prefix, after, (more, revision) => {
    changes.push(...more)
    calls.push({ revision, count: more.length })
  })
  if (!outcome.ok) throw new Error(`the watch was refused: ${outcome.because}`)
  return { changes, calls, close: outcome.close }
}

const to = (text: string) => (): string => text
const put = (store: Store<string>, key: string, text: string, expected: Expectation = 'any') =>
  store.put(key, to(text), expected)
const remove = (store: Store<string>, key: string, expected: Expectation = 'any') =>
  store.delete(key, to('gone'), expected)

function entriesOf(result: RangeResult<string>): readonly Entry<string>[] {
  if (!result.ok) throw new Error(`the range was refused: ${result.because}`)
  return result.entries
}
const keysOf = (result: RangeResult<string>): string[] => entriesOf(result).map(({ key }) => key)

/** What every store promises. */
export function storeContract(name: string, make: MakeStore): void {
  const opened: Store<string>[] = []
  const fresh = async (): Promise<Store<string>> => {
    const store = await make()
    opened.push(store)
    return store
  }
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })

  describe(`${name}: writes`, () => {
    test('a new store is at revision 0 and every write gets the next one, which its value is made with', async () => {
      const store = await fresh()
      expect([store.revision, store.oldest]).toEqual([0, 0])
      const made = await store.put('a/1', (revision) => `at ${revision}`, 'absent')
      expect(made).toEqual({ ok: true, entry: { key: 'a/1', value: 'at 1', revision: 1 } })
      const changed = await store.put('a/1', (revision) => `at ${revision}`, { revision: 1 })
      expect(changed).toEqual({
        ok: true,
        entry: { key: 'a/1', value: 'at 2', revision: 2 },
        previous: { key: 'a/1', value: 'at 1', revision: 1 },
      })
      expect(store.get('a/1')).toEqual({ key: 'a/1', value: 'at 2', revision: 2 })
      expect(store.revision).toBe(2)
    })

    test('a deleted key is gone, its last value and the one before are answered, and it can be made again', async () => {
      const store = await fresh()
      await put(store, 'a', 'one')
      const gone = await store.delete('a', (revision) => `left at ${revision}`, { revision: 1 })
      expect(gone).toEqual({
        ok: true,
        entry: { key: 'a', value: 'left at 2', revision: 2 },
        previous: { key: 'a', value: 'one', revision: 1 },
      })
      expect(store.get('a')).toBeUndefined()
      expect(store.count('')).toBe(0)
      const again = await put(store, 'a', 'two', 'absent')
      expect(again).toEqual({ ok: true, entry: { key: 'a', value: 'two', revision: 3 } })
    })

    test.each<{ name: string; act: (store: Store<string>) => Promise<WriteOutcome<string>>; because: string }>([
      {
        name: 'put of a key that is there, expected absent',
        act: (store) => put(store, 'a', 'x', 'absent'),
        because: 'exists',
      },
      { name: 'put at another revision', act: (store) => put(store, 'a', 'x', { revision: 7 }), because: 'changed' },
      {
        name: 'put at a revision of a missing key',
        act: (store) => put(store, 'b', 'x', { revision: 1 }),
        because: 'missing',
      },
      { name: 'delete at another revision', act: (store) => remove(store, 'a', { revision: 7 }), because: 'changed' },
      { name: 'delete of a missing key', act: (store) => remove(store, 'b'), because: 'missing' },
      {
        name: 'delete at a revision of a missing key',
        act: (store) => remove(store, 'b', { revision: 1 }),
        because: 'missing',
      },
      {
        name: 'delete of a key that is there, expected absent',
        act: (store) => remove(store, 'a', 'absent'),
        because: 'exists',
      },
      {
        name: 'delete of a missing key, expected absent',
        act: (store) => remove(store, 'b', 'absent'),
        because: 'missing',
      },
    ])('is refused without using up a revision: $name', async ({ act, because }) => {
      const store = await fresh()
      await put(store, 'a', 'one')
      const outcome = await act(store)
      const current = because === 'missing' ? {} : { current: { key: 'a', value: 'one', revision: 1 } }
      expect(outcome).toEqual({ ok: false, because, ...current })
      expect(store.revision).toBe(1)
      expect(entriesOf(store.range(''))).toEqual([{ key: 'a', value: 'one', revision: 1 }])
    })

    test('nothing is seen before it is committed, and the order of calls decides who wins', async () => {
      const store = await fresh()
      const first = put(store, 'a', 'first', 'absent')
      const second = put(store, 'a', 'second', 'absent')
      const third = put(store, 'a', 'third', { revision: 1 })
      const fourth = remove(store, 'a', { revision: 2 })
      const fifth = put(store, 'a', 'fifth', { revision: 2 })
      const sixth = put(store, 'a', 'sixth', 'absent')
      expect(store.get('a')).toBeUndefined()
      expect(store.revision).toBe(0)
      expect(await second).toEqual({ ok: false, because: 'exists', current: { key: 'a', value: 'first', revision: 1 } })
      // A refusal that rests on a write is told only once that write is committed.
      expect(store.revision).toBeGreaterThanOrEqual(1)
      expect(await first).toMatchObject({ ok: true, entry: { revision: 1 } })
      expect(await third).toMatchObject({ ok: true, entry: { revision: 2 }, previous: { value: 'first' } })
      expect(await fourth).toMatchObject({ ok: true, entry: { revision: 3 }, previous: { value: 'third' } })
      expect(await fifth).toEqual({ ok: false, because: 'missing' })
      const made = await sixth
      expect(made).toEqual({ ok: true, entry: { key: 'a', value: 'sixth', revision: 4 } })
      expect(store.get('a')).toEqual({ key: 'a', value: 'sixth', revision: 4 })
    })

    test('of many writers that read, add one and compare, none loses an update', async () => {
      const store = await fresh()
      await put(store, 'n', '0')
      const work = async (): Promise<void> => {
        for (let left = 10; left > 0;) {
          const seen = store.get('n')!
          const outcome = await put(store, 'n', String(Number(seen.value) + 1), { revision: seen.revision })
          if (outcome.ok) left -= 1
        }
      }
      await Promise.all(Array.from({ length: 8 }, work))
      expect(store.get('n')).toEqual({ key: 'n', value: '80', revision: 81 })
    })

    test('a value that cannot be made fails alone', async () => {
      const store = await fresh()
      const before = put(store, 'a', 'one')
      const broken = store.put(
        'b',
        () => {
          throw new Error('no value')
        },
        'any',
      )
      const after = put(store, 'c', 'two')
      await expect(broken).rejects.toThrow('no value')
      expect(await before).toMatchObject({ ok: true, entry: { revision: 1 } })
      expect(await after).toMatchObject({ ok: true, entry: { revision: 2 } })
    })

    test('keys and values of any shape come back as they were', async () => {
      const store = await fresh()
      const keys = ['__proto__', 'constructor/x', 'a/ü/😀', 'x'.repeat(900), 'a b', '\u0001', '/']
      await Promise.all(keys.map((key) => put(store, key, `value of ${key} \0 😀`)))
      for (const key of keys) expect(store.get(key)?.value).toBe(`value of ${key} \0 😀`)
      expect(store.get('hasOwnProperty')).toBeUndefined()
      expect(keysOf(store.range(''))).toEqual(keys.toSorted((a, b) => (a < b ? -1 : 1)))
      await put(store, 'empty', '')
      expect(store.get('empty')?.value).toBe('')
    })
  })

  describe(`${name}: ranges`, () => {
    const filled = async (): Promise<Store<string>> => {
      const store = await fresh()
      await Promise.all(['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'ab', 'b/1'].map((key) => put(store, key, key)))
      return store
    }

    test('a range is what begins with the prefix, in key order', async () => {
      const store = await filled()
      expect(keysOf(store.range('a/'))).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5'])
      expect(keysOf(store.range('a'))).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'ab'])
      expect(keysOf(store.range('c'))).toEqual([])
      expect([store.count(''), store.count('a/'), store.count('a'), store.count('c')]).toEqual([7, 5, 6, 0])
    })

    test('pages follow each other behind the last key and say how many are left', async () => {
      const store = await filled()
      const page = (after?: string) => store.range('a/', { limit: 2, ...(after === undefined ? {} : { after }) })
      expect(page()).toMatchObject({ entries: [{ key: 'a/1' }, { key: 'a/2' }], more: true, remaining: 3 })
      expect(page('a/2')).toMatchObject({ entries: [{ key: 'a/3' }, { key: 'a/4' }], more: true, remaining: 1 })
      expect(page('a/4')).toMatchObject({ entries: [{ key: 'a/5' }], more: false, remaining: 0 })
      expect(page('a/5')).toMatchObject({ entries: [], more: false, remaining: 0 })
      expect(page('a/25')).toMatchObject({ entries: [{ key: 'a/3' }, { key: 'a/4' }] })
      expect(page('A')).toMatchObject({ entries: [{ key: 'a/1' }, { key: 'a/2' }] })
      expect(page('z')).toMatchObject({ entries: [], remaining: 0 })
      expect(store.range('a/', { limit: 0 })).toMatchObject({ entries: [], more: true, remaining: 5 })
      expect(store.range('a/', { after: 'a/3' })).toMatchObject({ more: false, remaining: 0 })
    })

    test('pages at one revision are one picture, whatever is written between them', async () => {
      const store = await filled()
      const at = store.revision
      const first = store.range('a/', { limit: 2 })
      await remove(store, 'a/4')
      await put(store, 'a/3', 'changed')
      await put(store, 'a/31', 'new')
      await remove(store, 'a/1')
      await put(store, 'a/1', 'made again')
      const rest = store.range('a/', { revision: at, after: 'a/2', limit: 10 })
      expect([...entriesOf(first), ...entriesOf(rest)].map(({ key, value }) => [key, value])).toEqual(
        ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].map((key) => [key, key]),
      )
      expect(rest).toMatchObject({ ok: true, revision: at, more: false, remaining: 0 })
      expect(entriesOf(store.range('a/', { revision: at }))[0]).toEqual({ key: 'a/1', value: 'a/1', revision: 1 })
      expect(keysOf(store.range('a/'))).toEqual(['a/1', 'a/2', 'a/3', 'a/31', 'a/5'])
      expect(keysOf(store.range('', { revision: 0 }))).toEqual([])
    })

    test('a revision that has not been written yet is refused', async () => {
      const store = await filled()
      expect(store.range('', { revision: 8 })).toEqual({ ok: false, because: 'future', oldest: 0, revision: 7 })
    })
  })

  describe(`${name}: watches`, () => {
    test('a watch tells the past after its revision, then what follows, once and in order, and only under its prefix', async () => {
      const store = await fresh()
      await put(store, 'a/1', 'one')
      await put(store, 'b/1', 'else')
      await put(store, 'a/1', 'two')
      await remove(store, 'a/1')
      const all = listen(store, '', 0)
      const some = listen(store, 'a/', 1)
      const odd = listen(store, 'a/1', 1)
      await Promise.all([put(store, 'a/2', 'three'), put(store, 'b/2', 'else'), put(store, 'a/1', 'four')])
      await until(() => all.changes.length === 7 && some.changes.length === 4 && odd.changes.length === 3)
      expect(all.changes.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6, 7])
      expect(some.changes).toEqual([
        { type: 'put', key: 'a/1', revision: 3, value: 'two', previous: 'one' },
        { type: 'delete', key: 'a/1', revision: 4, value: 'gone', previous: 'two' },
        { type: 'put', key: 'a/2', revision: 5, value: 'three' },
        { type: 'put', key: 'a/1', revision: 7, value: 'four' },
      ])
      expect(odd.changes.map(({ revision }) => revision)).toEqual([3, 4, 7])
    })

    test('a change that follows another in the same commit carries it as its previous value', async () => {
      const store = await fresh()
      const heard = listen(store, 'a', 0)
      await Promise.all([put(store, 'a', 'one'), put(store, 'a', 'two'), remove(store, 'a')])
      await until(() => heard.changes.length === 3)
      const wanted = [
        { type: 'put', key: 'a', revision: 1, value: 'one' },
        { type: 'put', key: 'a', revision: 2, value: 'two', previous: 'one' },
        { type: 'delete', key: 'a', revision: 3, value: 'gone', previous: 'two' },
      ]
      expect(heard.changes).toEqual(wanted)
      const later = listen(store, 'a', 0)
      await until(() => later.changes.length === 3)
      expect(later.changes).toEqual(wanted)
    })

    test('no listener is called before watch returns, nor after it is closed, even by another listener', async () => {
      const store = await fresh()
      await put(store, 'a', 'one')
      let returned = false
      const early: boolean[] = []
      const first = store.watch('', 0, () => early.push(returned))
      returned = true
      const second = listen(store, '', 1)
      await until(() => early.length === 1 && second.calls.length === 1)
      expect(early).toEqual([true])
      const third = store.watch('', 1, (changes) => {
        if (changes.length > 0) second.close()
      })
      expect(first.ok && third.ok).toBe(true)
      await until(() => second.calls.length === 1)
      await put(store, 'b', 'two')
      await put(store, 'c', 'three')
      // The second was added before the third, so it may hear the change that closes it, and no other.
      expect(second.changes.length).toBeLessThanOrEqual(1)
      const never = listen(store, '', 0)
      never.close()
      await put(store, 'd', 'four')
      expect(never.calls).toEqual([])
    })

    test('a watcher is told how far it is: when it has caught up, and while its prefix stays quiet', async () => {
      const store = await fresh()
      const quiet = listen(store, 'quiet/', 0)
      await until(() => quiet.calls.length === 1)
      expect(quiet.calls).toEqual([{ revision: 0, count: 0 }])
      await Promise.all(Array.from({ length: 2_500 }, (_, at) => put(store, `busy/${at}`, 'x')))
      await put(store, 'busy/more', 'x')
      expect(quiet.changes).toEqual([])
      expect(quiet.calls.at(-1)!.revision).toBeGreaterThan(1_500)
      const late = listen(store, 'quiet/', 3)
      await until(() => late.calls.length > 0)
      expect(late.calls).toEqual([{ revision: 2_501, count: 0 }])
    })

    test('a watch opened anywhere in a storm of writes hears exactly what follows its revision', async () => {
      const store = await fresh()
      const heard: { readonly after: number; readonly heard: Heard }[] = []
      const writer = async (id: number): Promise<void> => {
        for (let turn = 0; turn < 60; turn++) {
          if (turn % 7 === id % 7) {
            const after = Math.max(store.revision - turn, 0)
            heard.push({ after, heard: listen(store, '', after) })
          }
          await put(store, `k/${(id * 7 + turn) % 13}`, `${id}-${turn}`)
        }
      }
      await Promise.all(Array.from({ length: 20 }, (_, id) => writer(id)))
      const end = store.revision
      expect(end).toBe(1_200)
      await until(() => heard.every((one) => one.heard.calls.at(-1)?.revision === end))
      for (const one of heard) {
        expect(one.heard.changes.map(({ revision }) => revision)).toEqual(
          Array.from({ length: end - one.after }, (_, at) => one.after + 1 + at),
        )
        const told = one.heard.calls.map(({ revision }) => revision)
        expect(told).toEqual(told.toSorted((a, b) => a - b))
      }
    })

    test('a watch from the future hears only what comes after it', async () => {
      const store = await fresh()
      await put(store, 'a', 'one')
      const heard = listen(store, '', 3)
      for (const text of ['two', 'three', 'four', 'five']) await put(store, 'a', text)
      await until(() => heard.calls.some(({ revision }) => revision === 5))
      expect(heard.changes.map(({ revision }) => revision)).toEqual([4, 5])
    })
  })

  describe(`${name}: compaction`, () => {
    test('history before the revision is refused, at it and after it is kept, current values stay', async () => {
      const store = await fresh()
      await put(store, 'old', 'kept')
      for (const text of ['one', 'two', 'three']) await put(store, 'a', text)
      await put(store, 'b', 'x')
      await remove(store, 'b')
      await put(store, 'a', 'four')
      await store.compact(4)
      expect(store.oldest).toBe(4)
      expect(store.range('', { revision: 3 })).toEqual({ ok: false, because: 'compacted', oldest: 4, revision: 7 })
      expect(store.watch('', 3, () => {})).toEqual({ ok: false, because: 'compacted', oldest: 4 })
      const at4 = store.range('', { revision: 4 })
      expect(entriesOf(at4).map(({ key, value }) => [key, value])).toEqual([
        ['a', 'three'],
        ['old', 'kept'],
      ])
      const heard = listen(store, '', 4)
      await until(() => heard.changes.length === 3)
      expect(heard.changes).toEqual([
        { type: 'put', key: 'b', revision: 5, value: 'x' },
        { type: 'delete', key: 'b', revision: 6, value: 'gone', previous: 'x' },
        { type: 'put', key: 'a', revision: 7, value: 'four', previous: 'three' },
      ])
      await store.compact(7)
      await store.compact(2)
      expect([store.oldest, store.revision]).toEqual([7, 7])
      expect(entriesOf(store.range('')).map(({ value }) => value)).toEqual(['four', 'kept'])
      await store.compact(1_000)
      expect(store.oldest).toBe(7)
      expect(await put(store, 'c', 'next')).toMatchObject({ entry: { revision: 8 } })
    })

    test('a watcher that is still being told the past is not overtaken', async () => {
      const store = await fresh()
      await Promise.all(Array.from({ length: 3_000 }, (_, at) => put(store, `k/${at % 10}`, String(at))))
      const heard = listen(store, '', 5)
      await store.compact(2_900)
      await put(store, 'k/0', 'last')
      await until(() => heard.calls.at(-1)?.revision === 3_001)
      expect(heard.changes.map(({ revision }) => revision)).toEqual(Array.from({ length: 2_996 }, (_, at) => at + 6))
      expect(heard.changes[20]).toEqual({ type: 'put', key: 'k/5', revision: 26, value: '25', previous: '15' })
    })
  })

  describe(`${name}: closing`, () => {
    test('what was asked for before is committed, nothing goes on after', async () => {
      const store = await fresh()
      const heard = listen(store, '', 0)
      await put(store, 'a', 'one')
      const last = put(store, 'b', 'two')
      await store.close()
      expect(await last).toMatchObject({ ok: true, entry: { revision: 2 } })
      expect(heard.changes.map(({ key }) => key)).toEqual(['a', 'b'])
      await expect(put(store, 'c', 'three')).rejects.toThrow('the store is closed')
      await expect(store.compact(1)).rejects.toThrow('the store is closed')
      expect(() => store.get('a')).toThrow('the store is closed')
      expect(() => store.range('')).toThrow('the store is closed')
      expect(() => store.watch('', 0, () => {})).toThrow('the store is closed')
      await store.close()
    })
  })
}
