import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HelmCase, helmCases } from './helm-cases.ts'
import { oracle } from './oracle.ts'
import { type Printed, renderLikeHelm } from './render-like-helm.ts'

const goldenFile = join(import.meta.dirname, 'testdata', 'helm.json')
const updates = process.env['UPDATE_GOLDEN'] === '1'
const scratch = mkdtempSync(join(tmpdir(), 'idp-helm-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function folderOf(index: number, { files }: HelmCase): string {
  const folder = join(scratch, String(index))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

function helm(program: string, folder: string, args: readonly string[]): Printed {
  const env = { ...process.env, HOME: scratch, HELM_CACHE_HOME: join(scratch, 'cache'), NODE_EXTRA_CA_CERTS: '' }
  const done = spawnSync(program, ['template', 'c', ...args], { cwd: folder, encoding: 'utf8', env })
  if (done.status === 0) return { out: done.stdout }
  // Warnings come first; the error is what follows its mark.
  return { error: done.stderr.slice(Math.max(done.stderr.indexOf('Error: '), 0)).trim() }
}

/** An error cut down to what is ours to say. */
const comparable = ({ out, error }: Printed, { errorUpTo }: HelmCase): Printed => {
  if (error === undefined) return { out: out ?? '' }
  const found = errorUpTo?.exec(error)
  return { error: errorUpTo ? (found?.[0] ?? error) : error }
}

const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, Record<'3' | '4', Printed>>

describe.each([3, 4] as const)('helm %i', (dialect) => {
  let program: string | undefined
  beforeAll(() => {
    const found = oracle(`helm-${dialect}`)
    if ('path' in found) program = found.path
    else console.log(`helm ${dialect} is not compared live, with the committed results instead: ${found.because}`)
  }, 400_000)

  test.each(helmCases.map((each, index) => ({ ...each, index })))('$name', async (each) => {
    const folder = folderOf(each.index, each)
    const args = each.args ?? []
    const mine = comparable(await renderLikeHelm(folder, args, dialect), each)
    const kept = golden[each.name]?.[dialect]
    const theirs = program === undefined ? kept : comparable(helm(program, folder, args), each)
    expect(mine).toEqual(theirs)
    if (updates && theirs) golden[each.name] = { ...golden[each.name], [dialect]: theirs } as Record<'3' | '4', Printed>
    expect(golden[each.name]?.[dialect], 'the committed result is stale: UPDATE_GOLDEN=1').toEqual(theirs)
  })

  afterAll(() => {
    if (updates) writeFileSync(goldenFile, `${JSON.stringify(golden, undefined, 1)}\n`)
  })
})
