import { expect, test } from 'vitest'
import { memoryStore, memoryStoreFrom } from './memory-store.ts'
import { storeModelContract } from './store-model.contract.ts'
import { storeContract } from './store.contract.ts'

storeContract('the store in memory', () => Promise.resolve(memoryStore<string>()))
storeModelContract('the store in memory', () => Promise.resolve(memoryStore<string>()))
storeContract('a fork of the store in memory', () => Promise.resolve(memoryStore<string>().fork()))

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a fork has the state and the history, and neither side sees what the other writes', async () => {
  const store = memoryStore<string>()
  for (const text of ['one', 'two']) await store.put('a', () => text, 'any')
  const asked = store.put('a', () => 'three', 'any')
  const fork = store.fork()
  await asked
  await fork.put('b', () => 'mine', 'any')
  expect([store.get('a')?.value, store.get('b'), store.revision]).toEqual(['three', undefined, 3])
  expect([fork.get('a')?.value, fork.get('b')?.value, fork.revision]).toEqual(['two', 'mine', 3])
  const heard: string[] = []
  fork.watch('', 0, (changes) => heard.push(...changes.map(({ value }) => value)))
  await settled()
  expect(heard).toEqual(['one', 'two', 'mine'])
  expect(fork.range('', { revision: 1 })).toMatchObject({ entries: [{ value: 'one' }] })
})

test('a copy of another store goes on at its revision', async () => {
  const store = memoryStore<string>()
  for (const text of ['one', 'two']) await store.put('a', () => text, 'any')
  const copy = memoryStoreFrom(store)
  expect([copy.revision, copy.oldest]).toEqual([2, 2])
  expect(await copy.put('a', () => 'three', { revision: 2 })).toMatchObject({ ok: true, entry: { revision: 3 } })
  expect(store.revision).toBe(2)
})
