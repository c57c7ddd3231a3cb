import { expect, test } from 'vitest'
import { movableClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { silentLog } from '../../../lib/log.ts'
import { memoryStore } from '../../../store/memory-store.ts'
import { Barrier } from '../barrier.ts'
import { newKeyring } from '../seal/keyring.ts'
import { TokenStore, type TokenWish } from './token-store.ts'

const wish: TokenWish = {
  parent: '',
  policies: ['default'],
  path: 'auth/token/create',
  meta: {},
  displayName: 'token',
  uses: 0,
  ttlSeconds: 3_600,
  createdMs: 0,
  expiresMs: Date.UTC(2026, 0, 2),
  periodSeconds: 0,
  explicitMaxSeconds: 0,
  maxSeconds: 0,
  role: '',
  renewable: true,
  entityId: '',
  boundCidrs: [],
}

function world() {
  const barrier = new Barrier(memoryStore(), systemIds)
  barrier.open(newKeyring(systemIds, 0))
  const view = barrier.view('token/')
  const clock = movableClock()
  const open = (): Promise<TokenStore> =>
    TokenStore.open({ view, clock, ids: systemIds, log: silentLog, onRevoked: () => Promise.resolve() })
  return { view, clock, open }
}

test('what a crash left ends when the store opens: children without a parent, and tokens that were used up', async () => {
  const { view, open } = world()
  const first = await open()
  const parent = await first.create(wish)
  const child = await first.create({ ...wish, parent: parent.token.hash })
  const grandchild = await first.create({ ...wish, parent: child.token.hash })
  const used = await first.create({ ...wish, uses: -1 })
  const stays = await first.create(wish)
  first.close()
  await view.delete(`id/${parent.token.hash}`)
  const again = await open()
  expect([child, grandchild, used, stays].map(({ text }) => again.byText(text) !== undefined)).toEqual([
    false,
    false,
    false,
    true,
  ])
  expect(view.keysBelow('id/')).toEqual([stays.token.hash])
  again.close()
})

test('thousands of tokens end in the order of their times, with one timer', async () => {
  const { view, clock, open } = world()
  const tokens = await open()
  const nowMs = clock.now()
  const made = await Promise.all(
    Array.from({ length: 500 }, (_, at) =>
      tokens.create({ ...wish, expiresMs: nowMs + 1_000 + ((at * 7_919) % 500) * 1_000 }),
    ),
  )
  for (const seconds of [100, 250, 501]) {
    await clock.advance(nowMs + seconds * 1_000 - clock.now())
    const over = made.filter(({ token }) => token.expiresMs <= clock.now())
    expect(over.length).toBe(seconds === 501 ? 500 : seconds)
    expect(tokens.size).toBe(500 - over.length)
  }
  expect(view.keysBelow('id/')).toEqual([])
})

test('a token that is revoked while it is changed does not come back', async () => {
  const { view, open } = world()
  const tokens = await open()
  const { token } = await tokens.create({ ...wish, uses: 5 })
  await Promise.all([
    tokens.use(token),
    tokens.change(token.hash, (known) => ({ ...known, ttlSeconds: 1 })),
    tokens.revoke(token.hash),
  ])
  expect(tokens.byHash(token.hash)).toBeUndefined()
  expect(view.keysBelow('id/')).toEqual([])
})

test('a use that is counted while a token is renewed is not lost', async () => {
  const { open } = world()
  const tokens = await open()
  const { token } = await tokens.create({ ...wish, uses: 5 })
  const renewing = tokens.change(token.hash, (known) => ({ ...known, ttlSeconds: 7 }))
  await tokens.use(tokens.byHash(token.hash)!)
  await renewing
  tokens.close()
  const again = await open()
  expect(again.byHash(token.hash)).toMatchObject({ uses: 4, ttlSeconds: 7 })
  again.close()
})
