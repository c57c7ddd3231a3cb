import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'
import { bundle, type Writer } from './bundle.ts'

const scratch = mkdtempSync(join(tmpdir(), 'idp-events-crash-'))
let writer: Writer
beforeAll(async () => {
  writer = await bundle('events-crash-writer')
})
afterAll(() => {
  writer.remove()
  rmSync(scratch, { recursive: true, force: true })
})

/** Runs the writer until it has told of so many events, kills it, and answers the ids of all that it had told of. */
async function killAfter(folder: string, name: string, accepted: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer.path, folder, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ids: string[] = []
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    expect(line).toMatch(/^accepted /)
    ids.push(line.slice('accepted '.length))
    if (ids.length >= accepted) child.kill('SIGKILL')
  }
  await ended
  return ids
}

async function objectsIn(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const opened = await openLmdbStore<readonly string[]>({ folder: join(folder, 'objects'), codec: jsonCodec() })
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const found = opened.value.range('')
  if (!found.ok) throw new Error(found.because)
  const objects = new Map(found.entries.map(({ key, value }) => [key, value]))
  await opened.value.close()
  return objects
}

/** Kills the writer again and again, lets it finish once, and answers what was accepted and what came of it. */
async function life(
  folder: string,
  kills: number,
): Promise<{ readonly accepted: readonly string[]; readonly objects: ReadonlyMap<string, readonly string[]> }> {
  const accepted: string[] = []
  for (let round = 0; round < kills; round++)
    accepted.push(...(await killAfter(folder, `r${round}`, 1 + ((round * 7_919) % 60))))
  await killAfter(folder, 'drain', Number.POSITIVE_INFINITY)
  return { accepted, objects: await objectsIn(folder) }
}

const idsOf = (objects: ReadonlyMap<string, readonly string[]>, trigger: string): readonly string[] =>
  [...objects].flatMap(([key, ids]) => (key.startsWith(`${trigger}/`) ? ids : []))

test('a platform that is killed 100 times between accepting and firing loses no event and makes nothing twice', async () => {
  const lives = await Promise.all([0, 1].map((at) => life(join(scratch, String(at)), 50)))
  for (const { accepted, objects } of lives) {
    const each = idsOf(objects, 'each')
    const both = idsOf(objects, 'both')
    const made = new Set(each)
    expect(accepted.filter((id) => !made.has(id))).toEqual([])
    expect(each).toHaveLength(made.size)
    expect(both).toHaveLength(new Set(both).size)
    expect(both.length).toBeGreaterThan(0)
  }
}, 120_000)
