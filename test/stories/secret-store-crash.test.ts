import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Answer } from '../../src/secrets/store/answer.ts'
import { openSecretStore } from '../../src/secrets/store/secret-store.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'
import { bundle, type Writer } from './bundle.ts'

const scratch = mkdtempSync(join(tmpdir(), 'idp-secret-crash-'))
let writer: Writer
beforeAll(async () => {
  writer = await bundle('secret-store-crash-writer')
})
afterAll(() => {
  writer.remove()
  rmSync(scratch, { recursive: true, force: true })
})

/** Kills the writer once it has told enough. It is asked for the first time while the writer starts. */
async function killOnce(isEnough: () => boolean, folder: string, round: number): Promise<void> {
  const child = fork(writer.path, [folder, `r${round}`], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaints = ''
  child.stderr?.on('data', (part: Buffer) => (complaints += part.toString()))
  child.on('message', () => {
    if (isEnough()) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect([signal, complaints]).toEqual(['SIGKILL', ''])
}

const dataOf = ({ body }: Answer): unknown => body?.['data']

test('after 25 kills during writes, rotations, seals and unseals, everything acknowledged is there and nothing is half', async () => {
  for (let round = 0; round < 24; round++) {
    let left = (round * 7) % 40
    await killOnce(() => left-- <= 0, scratch, round)
  }
  // However fast the machine is: once with all of it behind.
  const told = (): string => readFileSync(join(scratch, 'told'), 'utf8')
  await killOnce(() => ['rotated', 'unsealed'].every((word) => told().includes(`\n${word}`)), scratch, 24)

  const opened = await openLmdbStore<Uint8Array>({
    folder: join(scratch, 'store'),
    codec: { encode: (value) => value, decode: (value) => value },
  })
  if (!opened.ok) throw new Error(opened.error[0]?.message)
  const options = { store: opened.value, clock: systemClock, ids: systemIds, log: silentLog }
  const store = await openSecretStore({ ...options, keyFile: join(scratch, 'store.key') })
  expect(store.isSealed).toBe(false)
  const lines = told()
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
  const of = (what: string): readonly (readonly string[])[] => lines.filter(([word]) => word === what)
  const [, rootToken = '', keys = ''] = of('init')[0] ?? []
  expect([of('rotated').length, of('unsealed').length].every((count) => count > 0)).toBe(true)

  const get = async (path: string, token = rootToken) =>
    store.handle({
      method: 'GET',
      url: `/v1/${path}`,
      headers: { 'x-vault-token': token },
      body: new Uint8Array(0),
      remoteAddress: '',
    })
  for (const name of ['a', 'b', 'c', 'd']) {
    const acknowledged = new Map(
      of('wrote').flatMap(([, at, version, value]) => (at === name ? [[version, value]] : [])),
    )
    const meta = dataOf(await get(`kv/metadata/${name}`)) as { current_version: number; versions: object }
    expect(meta.current_version).toBeGreaterThanOrEqual(Math.max(...[...acknowledged.keys()].map(Number)))
    for (const version of Object.keys(meta.versions)) {
      const read = await get(`kv/data/${name}?version=${version}`)
      const { data } = dataOf(read) as { data: { value: string } }
      expect(data.value).toBe(acknowledged.get(version) ?? data.value)
      expect(data.value).toMatch(new RegExp(`^r\\d+-${name}-\\d+$`))
    }
  }
  const tokens = of('token').map(([, token = '']) => token)
  const answers = await Promise.all(tokens.map((token) => get('auth/token/lookup-self', token)))
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  expect(tokens.length).toBeGreaterThan(5)

  // The shares that were handed out still open it, without the key file.
  const byShares = await openSecretStore(options)
  for (const key of keys.split(',').slice(1)) await byShares.unseal(Buffer.from(key, 'hex'))
  expect(byShares.isSealed).toBe(false)
  await byShares.close()
  await store.close()
  await opened.value.close()
}, 60_000)
