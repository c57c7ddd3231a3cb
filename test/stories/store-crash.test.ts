import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonCodec } from '../../src/store/codec.ts'
import { type LmdbStore, openLmdbStore } from '../../src/store/lmdb-store.ts'
import type { Change } from '../../src/store/store.ts'
import { bundle, type Writer } from './bundle.ts'

const scratch = mkdtempSync(join(tmpdir(), 'idp-crash-'))
let writer: Writer
beforeAll(async () => {
  writer = await bundle('store-crash-writer')
})
afterAll(() => {
  writer.remove()
  rmSync(scratch, { recursive: true, force: true })
})

/** Runs a writer until it has told so many writes, kills it, and answers every revision that it was told is kept. */
async function killAfter(folder: string, before: number, acknowledged: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [writer.path, folder, String(before)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kept: number[] = []
  const refused: string[] = []
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('kept ')) kept.push(Number(line.slice(5)))
    else if (line.startsWith('refused')) refused.push(line)
    if (kept.length >= acknowledged) child.kill('SIGKILL')
  }
  await ended
  expect(refused).toEqual([])
  return kept
}

async function opened(folder: string): Promise<LmdbStore<string>> {
  const outcome = await openLmdbStore<string>({ folder, codec: jsonCodec() })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.value
}

function changesAfter(store: LmdbStore<string>, after: number): Promise<readonly Change<string>[]> {
  const heard: Change<string>[] = []
  return new Promise((resolve) => {
    const outcome = store.watch('', after, (changes, revision) => {
      heard.push(...changes)
      if (revision === store.revision) resolve(heard)
    })
    if (!outcome.ok) throw new Error(`the watch cannot resume after ${after}: ${outcome.because}`)
  })
}

test('a writer that is killed 50 times loses nothing it acknowledged, and a watcher resumes without a gap', async () => {
  const folder = join(scratch, 'store')
  const state = new Map<string, string>()
  let seen = 0
  for (let round = 0; round < 50; round++) {
    // From "has only begun to open" to "in the middle of a busy life".
    const acknowledged = round % 10 === 0 ? 0 : (round * 7_919) % 400
    const kept = await killAfter(folder, seen - 10, acknowledged)
    const store = await opened(folder)
    const changes = await changesAfter(store, seen)

    expect(store.revision).toBeGreaterThanOrEqual(Math.max(seen, ...kept))
    expect(changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: store.revision - seen }, (_, at) => seen + 1 + at),
    )
    const written = new Set(changes.map(({ revision }) => revision))
    expect(kept.filter((revision) => !written.has(revision))).toEqual([])
    for (const { type, key, value, revision, previous } of changes) {
      expect(value).toBe(`${key} at ${revision} ${'x'.repeat((revision * 37) % 3_000)}`)
      expect(previous).toBe(state.get(key))
      if (type === 'put') state.set(key, value)
      else state.delete(key)
    }
    const now = store.range('')
    expect(now.ok && new Map(now.entries.map(({ key, value }) => [key, value]))).toEqual(state)
    seen = store.revision
    await store.close()
  }
  expect(seen).toBeGreaterThan(5_000)
})
