import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { logTo, type LogRecord } from '../../lib/log.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { gitServer, type GitServer, scratchFolder, scratchRepository, type ScratchRepository } from './git.testkit.ts'
import type { GitChange } from './git-files.ts'
import { gitRepositories, type GitRepositories, type GitRepositoriesOptions } from './git-repositories.ts'
import type { RepositoryAccess } from './repository-access.ts'

const scratch = scratchFolder()
const open: GitRepositories[] = []
const records: LogRecord[] = []
const repositories = (options: Partial<GitRepositoriesOptions> = {}): GitRepositories => {
  const made = gitRepositories({
    folder: join(scratch.path, `state-${open.length}`),
    path: process.env['PATH'] ?? '',
    clock: systemClock,
    ids: seededIds(),
    log: logTo(
      (record) => records.push(record),
      () => systemClock.now(),
    ),
    ...options,
  })
  open.push(made)
  return made
}
afterEach(() => {
  for (const each of open) each.close()
})
afterAll(() => scratch.remove())

const text = (result: Result<Uint8Array | undefined>): unknown =>
  result.ok ? result.value && new TextDecoder().decode(result.value) : result.error[0]?.code
const value = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** What every repository promises, however it is reached. */
function repositoryContract(
  name: string,
  start: () => Promise<{ url: string; repository: ScratchRepository; access?: RepositoryAccess }>,
): void {
  describe(`${name} keeps its promises`, () => {
    let url = ''
    let repository: ScratchRepository
    let access: RepositoryAccess = {}
    let first = ''
    let second = ''
    beforeAll(async () => {
      const started = await start()
      url = started.url
      repository = started.repository
      access = started.access ?? {}
      first = repository.commit({ 'apps/a/k.yaml': 'one', 'README.md': 'hello' }, 'begin\n\nwith care')
      repository.git('tag', 'v1.0.0')
      second = repository.commit({ 'apps/a/k.yaml': 'two', 'apps/b/deep/k.yaml': 'b', 'apps/link': { link: 'a' } })
      repository.git('tag', '-a', 'v1.1.0', '-m', 'a tag with a message')
      repository.git('branch', 'feature/x', first)
    })
    const make = (): GitRepositories => repositories({ access: () => succeed(access) })

    test.each([
      ['HEAD', () => second],
      ['', () => second],
      ['main', () => second],
      ['refs/heads/main', () => second],
      ['feature/x', () => first],
      ['v1.0.0', () => first],
      ['v1.1.0', () => second],
      ['~1.0', () => first],
      ['1.*', () => second],
    ])('the revision %j is found', async (revision, want) => {
      expect(await make().resolve({ repoURL: url, revision })).toEqual({ ok: true, value: want() })
    })

    test('short SHAs are completed, at the tip and below', async () => {
      const git = make()
      expect(await git.resolve({ repoURL: url, revision: second.slice(0, 8) })).toEqual({ ok: true, value: second })
      repository.git('branch', '-D', 'feature/x')
      repository.git('tag', '-d', 'v1.0.0')
      const other = make()
      expect(await other.resolve({ repoURL: url, revision: first.slice(0, 8) })).toEqual({ ok: true, value: first })
      repository.git('branch', 'feature/x', first)
      repository.git('tag', 'v1.0.0', first)
    })

    test.each(['nope', '--upload-pack=touch /tmp/idp-owned', 'main:refs/heads/x', 'main^', 'v9.*', '0'.repeat(9)])(
      'the revision %j is unknown, and the answer says what there is',
      async (revision) => {
        const found = await make().resolve({ repoURL: url, revision })
        expect(found).toMatchObject({ ok: false, error: [{ code: 'git-revision-unknown' }] })
      },
    )

    test('a commit that is not there is a problem', async () => {
      expect(await make().use({ repoURL: url, sha: '1'.repeat(40) }, { work: () => 1 })).toMatchObject({
        ok: false,
        error: [{ code: 'git-revision-unknown' }],
      })
    })

    test('files of a commit are read, through links too', async () => {
      const git = make()
      const read = (sha: string, path: string): Promise<unknown> =>
        git.use({ repoURL: url, sha }, { work: (tree) => tree.read(path) }).then(text)
      expect(await read(second, 'apps/a/k.yaml')).toBe('two')
      expect(await read(first, 'apps/a/k.yaml')).toBe('one')
      expect(await read(second, 'apps/link/k.yaml')).toBe('two')
      expect(await read(second, 'apps/none')).toBeUndefined()
      expect(await read(second, '../x')).toBeUndefined()
      expect(value(await git.use({ repoURL: url, sha: second }, { work: (tree) => tree.list('apps') }))).toEqual([
        'a/',
        'b/',
        'link/',
      ])
    })

    test('folders and files are listed for generators', async () => {
      const git = make()
      expect(value(await git.directories({ repoURL: url, revision: 'main' }))).toEqual([
        'apps',
        'apps/a',
        'apps/b',
        'apps/b/deep',
      ])
      const files = value(await git.files({ repoURL: url, revision: 'main' }, (path) => path.endsWith('k.yaml')))
      expect([...files.keys()]).toEqual(['apps/a/k.yaml', 'apps/b/deep/k.yaml'])
    })

    test('a commit says who made it', async () => {
      expect(value(await make().commit({ repoURL: url, sha: first }))).toMatchObject({
        author: 'Ada <ada@example.com>',
        date: '2026-01-02T03:04:05Z',
        message: 'begin\n\nwith care\n',
        tags: ['v1.0.0'],
      })
    })

    test('a new commit is seen when a fresh answer is asked for, and told to listeners', async () => {
      const git = make()
      const changes: GitChange[] = []
      git.onChange((change) => changes.push(change))
      const stop = new AbortController()
      await git.resolve({ repoURL: url, revision: 'main' })
      const running = git.run(stop.signal)
      const third = repository.commit({ 'apps/a/k.yaml': 'three' })
      expect(await git.resolve({ repoURL: url, revision: 'main' }, { fresh: true })).toEqual({ ok: true, value: third })
      stop.abort()
      await running
      expect(changes.flatMap(({ refs }) => refs)).toContain('refs/heads/main')
      repository.git('reset', '--hard', '--quiet', second)
    })
  })
}

repositoryContract('a repository on disk', async () => {
  const repository = scratchRepository(join(scratch.path, 'disk'))
  return { url: repository.url, repository }
})

const servers: GitServer[] = []
afterAll(() => Promise.all(servers.map((server) => server.close())))
const basic = `Basic ${Buffer.from('ada:secret-word').toString('base64')}`
const serve = async (authorization?: string): Promise<GitServer> => {
  const server = await gitServer(scratch.path, authorization)
  servers.push(server)
  return server
}

repositoryContract('a repository behind HTTP and a password', async () => {
  const server = await serve(basic)
  const repository = scratchRepository(join(scratch.path, 'served'))
  return { url: `${server.url}/served/.git`, repository, access: { username: 'ada', password: 'secret-word' } }
})

describe('access', () => {
  test('without credentials the answer names the Secret, and no credential is ever shown', async () => {
    const server = await serve(basic)
    const git = repositories({ access: () => succeed({ username: 'ada', password: 'wrong-word' }) })
    const refused = await git.resolve({ repoURL: `${server.url}/served/.git`, revision: 'main' })
    expect(refused).toMatchObject({ ok: false, error: [{ code: 'git-access-denied' }] })
    const url = `${server.url.replace('//', '//bob:other-word@')}/served/.git`
    const again = await repositories().resolve({ repoURL: url, revision: 'main' })
    expect(again).toMatchObject({ ok: false })
    expect(JSON.stringify([refused, again, records])).not.toMatch(/wrong-word|other-word|secret-word/)
  })

  test('one project cannot read what another fetched', async () => {
    const server = await serve(basic)
    const url = `${server.url}/served/.git`
    const git = repositories({
      access: (_url, project) => succeed(project === 'ours' ? { username: 'ada', password: 'secret-word' } : {}),
    })
    const sha = value(await git.resolve({ repoURL: url, revision: 'main', project: 'ours' }))
    const read = (project: string): Promise<unknown> =>
      git.use({ repoURL: url, sha, project }, { work: (tree) => tree.read('README.md') }).then(text)
    expect(await read('ours')).toBe('hello')
    expect(await read('theirs')).toBe('git-access-denied')
  })

  test('a server that is not there is a problem, not an exception', async () => {
    const found = await repositories().resolve({ repoURL: 'http://127.0.0.1:1/x.git', revision: '' })
    expect(found).toMatchObject({ ok: false, error: [{ code: 'git-unreachable' }] })
  })

  test('the disk is not read where that is not allowed', async () => {
    const git = repositories({ mayReadDisk: false })
    expect(await git.resolve({ repoURL: `file://${scratch.path}/disk`, revision: '' })).toMatchObject({
      ok: false,
      error: [{ code: 'git-url-invalid' }],
    })
  })

  test('a URL can be served from disk', async () => {
    const git = repositories({
      servedFrom: (url) => (url === 'https://example.com/r.git' ? join(scratch.path, 'disk') : undefined),
    })
    expect((await git.resolve({ repoURL: 'https://example.com/r.git', revision: 'main' })).ok).toBe(true)
  })
})

describe('hostile trees', () => {
  let repository: ScratchRepository
  let sha = ''
  beforeAll(() => {
    repository = scratchRepository(join(scratch.path, 'hostile'))
    sha = repository.commit({
      'in/ok.yaml': 'ok',
      'in/up': { link: '../ok2' },
      ok2: 'two',
      'out/passwd': { link: '../../../../../../etc/passwd' },
      'abs/passwd': { link: '/etc/passwd' },
      'loop/a': { link: 'b' },
      'loop/b': { link: 'a' },
      'self/down': { link: '.' },
      'large/x.yaml': 'x'.repeat(17 * 1024 * 1024),
      'large/y.yaml': 'small',
      '__proto__/constructor': 'names',
    })
  })
  const read = (path: string): Promise<unknown> =>
    repositories()
      .use({ repoURL: repository.url, sha }, { work: (tree) => tree.read(path) })
      .then(text)

  test.each([
    ['in/up', 'two'],
    ['out/passwd', 'git-link-outside'],
    ['abs/passwd', 'git-link-outside'],
    ['loop/a', undefined],
    [`${'self/down/'.repeat(60)}x`, undefined],
    ['large/x.yaml', 'git-file-too-large'],
    ['large/y.yaml', 'small'],
    ['__proto__/constructor', 'names'],
    ['__proto__', undefined],
    ['hasOwnProperty', undefined],
  ])('%s gives %s', async (path, want) => {
    expect(await read(path)).toBe(want)
  })

  test('listing a folder with a link that leads out is refused', async () => {
    const git = repositories()
    expect(await git.use({ repoURL: repository.url, sha }, { work: (tree) => tree.list('out') })).toMatchObject({
      error: [{ code: 'git-link-outside', at: 'out/passwd' }],
    })
    expect(value(await git.use({ repoURL: repository.url, sha }, { work: (tree) => tree.list('in') }))).toEqual([
      'ok.yaml',
      'up',
    ])
  })

  test('a repository without a commit says so', async () => {
    const empty = scratchRepository(join(scratch.path, 'empty'))
    expect(await repositories().resolve({ repoURL: empty.url, revision: '' })).toMatchObject({
      error: [{ code: 'git-revision-unknown', message: expect.stringContaining('no commits') }],
    })
  })

  test("hooks and settings of a mirror are not the user's: a broken mirror is made anew", async () => {
    const server = await serve()
    const url = `${server.url}/hostile/.git`
    const git = repositories()
    expect((await git.resolve({ repoURL: url, revision: 'main' })).ok).toBe(true)
    expect((await git.use({ repoURL: url, sha }, { work: () => 1 })).ok).toBe(true)
    git.close()
    rmSync(join(scratch.path, `state-${open.length - 1}`, 'mirrors'), { recursive: true })
    const again = repositories({ folder: join(scratch.path, `state-${open.length - 1}`) })
    expect((await again.use({ repoURL: url, sha }, { work: () => 1 })).ok).toBe(true)
  })
})

test('a commit in a followed repository on disk is told without asking', async () => {
  const repository = scratchRepository(join(scratch.path, 'followed'))
  repository.commit({ a: '1' })
  const git = repositories()
  await git.resolve({ repoURL: repository.url, revision: 'main' })
  const stop = new AbortController()
  const running = git.run(stop.signal)
  const told = (): Promise<GitChange> =>
    new Promise((resolve) => {
      const end = git.onChange((change) => {
        end()
        resolve(change)
      })
    })
  for (const change of [
    () => repository.commit({ a: '2' }),
    () => repository.git('checkout', '--quiet', '-b', 'deep/er/branch'),
    () => repository.commit({ a: '3' }),
    () => repository.git('pack-refs', '--all') + repository.commit({ a: '4' }),
  ]) {
    const heard = told()
    change()
    expect((await heard).repoURL).toBe(repository.url)
  }
  stop.abort()
  await running
})
