import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { initPlatform, type InitOptions, type MadePlatform } from './platform-repository.ts'
import { readPlatform } from '../settings/platform-file.ts'

const scratch = mkdtempSync(join(tmpdir(), 'idp-init-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const ports = { clock: systemClock, path: process.env['PATH'] ?? '', signal: new AbortController().signal }
const init = (name: string, options: Partial<InitOptions> = {}): ReturnType<typeof initPlatform> =>
  initPlatform({ folder: join(scratch, name), ...options }, ports)
const made = async (name: string, options: Partial<InitOptions> = {}): Promise<MadePlatform> => {
  const result = await init(name, options)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const git = (folder: string, ...args: readonly string[]): string =>
  spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).stdout.trim()

test('a new folder becomes a repository with one commit that holds everything', async () => {
  const { folder, commit, written } = await made('new', { name: 'lab', dnsSuffix: 'lab.localhost' })
  expect(git(folder, 'rev-parse', 'main')).toBe(commit)
  expect(git(folder, 'rev-list', '--count', 'HEAD')).toBe('1')
  expect(git(folder, 'status', '--porcelain')).toBe('')
  expect(git(folder, 'ls-files').split('\n').toSorted()).toEqual(written.toSorted())
  expect(written).toEqual(expect.arrayContaining(['.gitignore', 'idp.yaml', 'idp.schema.json']))
  const text = readFileSync(join(folder, 'idp.yaml'), 'utf8')
  expect(text).toContain('# yaml-language-server: $schema=./idp.schema.json')
  expect(readPlatform(text)).toMatchObject({
    ok: true,
    value: { settings: { cluster: { name: 'lab' }, dns: { suffix: 'lab.localhost' } } },
  })
})

test('a folder that is not empty is refused with the cure, and nothing is written', async () => {
  const folder = join(scratch, 'full')
  mkdirSync(folder)
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  expect(await init('full')).toMatchObject({
    ok: false,
    error: [{ code: 'init-folder-not-empty', cure: expect.stringContaining('--force') }],
  })
  expect(existsSync(join(folder, 'idp.yaml'))).toBe(false)
})

test('with force, what is there stays as it is, and only what was missing is committed', async () => {
  const folder = join(scratch, 'half')
  mkdirSync(folder)
  git(folder, 'init', '--quiet', '-b', 'trunk')
  writeFileSync(join(folder, 'idp.yaml'), 'cluster: { name: mine }\n')
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  const { kept, commit } = await made('half', { force: true, name: 'other' })
  expect(kept).toEqual(['idp.yaml'])
  expect(readFileSync(join(folder, 'idp.yaml'), 'utf8')).toBe('cluster: { name: mine }\n')
  expect(git(folder, 'rev-parse', 'trunk')).toBe(commit)
  expect(git(folder, 'status', '--porcelain').split('\n').toSorted()).toEqual(['?? idp.yaml', '?? notes.txt'])
  const again = await made('half', { force: true })
  expect([again.written, again.commit]).toEqual([[], undefined])
})

test('a folder inside another repository becomes its own', async () => {
  const outer = join(scratch, 'outer')
  mkdirSync(outer)
  git(outer, 'init', '--quiet')
  const { folder } = await made('outer/inner')
  expect(git(folder, 'rev-parse', '--show-toplevel')).toMatch(/outer\/inner$/)
})

test.each([
  { name: 'a name with capitals', options: { name: 'Lab' }, at: '--name' },
  { name: 'a domain of one label', options: { dnsSuffix: 'localhost' }, at: '--dns-suffix' },
  { name: 'a domain that tries to be YAML', options: { dnsSuffix: 'a.b\nvalues: {}' }, at: '--dns-suffix' },
])('$name is refused before anything is written', async ({ options, at }) => {
  expect(await init('choice', options)).toMatchObject({ ok: false, error: [{ code: 'init-choice-invalid', at }] })
  expect(existsSync(join(scratch, 'choice'))).toBe(false)
})

test('without git the cure is said', async () => {
  const result = await initPlatform({ folder: join(scratch, 'no-git') }, { ...ports, path: join(scratch, 'nowhere') })
  expect(result).toMatchObject({
    ok: false,
    error: [{ code: 'init-not-committed', cure: expect.stringMatching(/git/) }],
  })
})
