import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { scratchFolder, type ScratchRepository, scratchRepository } from '../git/git.testkit.ts'
import { gitServer } from './git-server.ts'

let folder: ReturnType<typeof scratchFolder>
let repository: ScratchRepository
let server: Server
let address = ''

beforeEach(async () => {
  folder = scratchFolder()
  repository = scratchRepository(join(folder.path, 'platform'))
  repository.commit({ 'README.md': 'first\n', 'big.bin': Buffer.alloc(300_000, 'x1y2') })
  const home = join(folder.path, 'home')
  mkdirSync(home)
  const program = {
    clock: systemClock,
    path: process.env['PATH'] ?? '',
    home,
    timeoutMs: 10_000,
    maxOutputBytes: 1_000_000,
  }
  server = createServer(
    gitServer({ repository: repository.path, name: 'platform', token: 'sesame', program, log: silentLog }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  folder.remove()
})

const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}

/** The server is in this process, so git must not be waited for synchronously. */
async function git(cwd: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn('git', [...args], { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (bytes) => (said += String(bytes)))
  child.stderr.on('data', (bytes) => (said += String(bytes)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}

test('a repository is cloned, changed and pushed back; its working tree follows', async () => {
  const clone = join(folder.path, 'clone')
  const url = `http://anybody:sesame@${address}/platform.git`
  expect(await git(folder.path, 'clone', '--quiet', url, clone)).toMatchObject({ code: 0 })
  writeFileSync(join(clone, 'README.md'), 'second\n')
  writeFileSync(join(clone, 'large.txt'), Array.from({ length: 200_000 }, (_, at) => `line ${at * 7919}\n`).join(''))
  await git(clone, 'add', '--all')
  await git(clone, 'commit', '--quiet', '--message', 'second')
  const pushed = await git(clone, 'push', '--quiet', 'origin', 'HEAD')
  expect(pushed).toMatchObject({ code: 0 })
  expect(readFileSync(join(repository.path, 'README.md'), 'utf8')).toBe('second\n')
  expect(repository.git('log', '--format=%s')).toBe('second\nchange')
  expect((await git(clone, 'fetch', '--quiet')).code).toBe(0)
})

test('a push that would lose what somebody is working on is refused, and says so', async () => {
  const clone = join(folder.path, 'clone')
  await git(folder.path, 'clone', '--quiet', `http://anybody:sesame@${address}/platform.git`, clone)
  writeFileSync(join(repository.path, 'README.md'), 'not yet committed\n')
  await git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'second')
  writeFileSync(join(clone, 'README.md'), 'second\n')
  await git(clone, 'commit', '--quiet', '--all', '--message', 'third')
  const pushed = await git(clone, 'push', 'origin', 'HEAD')
  expect(pushed.code).not.toBe(0)
  expect(pushed.said).toContain('unstaged changes')
  expect(readFileSync(join(repository.path, 'README.md'), 'utf8')).toBe('not yet committed\n')
})

test.each([
  { name: 'without a token', credentials: '', want: 401 },
  { name: 'with a wrong token', credentials: 'anybody:wrong', want: 401 },
  { name: 'with the right one', credentials: 'anybody:sesame', want: 200 },
])('reading $name is answered by $want', async ({ credentials, want }) => {
  const headers: Record<string, string> =
    credentials === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  const answer = await fetch(`http://${address}/platform.git/info/refs?service=git-upload-pack`, { headers })
  expect(answer.status).toBe(want)
  await answer.arrayBuffer()
})

test.each([
  ['/platform.git/HEAD', 404],
  ['/platform.git/../../etc/passwd', 404],
  ['/other.git/info/refs?service=git-upload-pack', 404],
  ['/platform.git/info/refs', 403],
  ['/platform.git/info/refs?service=git-upload-archive', 403],
])('nothing else is served: %s', async (path, status) => {
  const headers = { authorization: `Basic ${Buffer.from('x:sesame').toString('base64')}` }
  expect((await fetch(`http://${address}${path}`, { headers })).status).toBe(status)
})
