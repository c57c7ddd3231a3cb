import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { scratchRepository } from '../../src/sources/git/git.testkit.ts'
import { type GitRepositories, gitRepositories } from '../../src/sources/git/git-repositories.ts'
import { type Area, percentile } from '../figure.ts'

/** Git repositories: reading a commit, and hearing of one. */
export const git: Area = { name: 'git', run }

const FILES = 500
const ROUNDS = 15

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function run(report: Parameters<Area['run']>[0]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-git-'))
  const repository = scratchRepository(join(folder, 'repository'))
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [
      `apps/team-${index % 20}/app-${index}/config.yaml`,
      `kind: ConfigMap\nmetadata: {name: app-${index}}\ndata: {text: "${'x'.repeat(1_500)}"}\n`,
    ]),
  )
  const sha = repository.commit(files)
  const paths = Object.keys(files)
  let count = 0
  const open = (): GitRepositories =>
    gitRepositories({
      folder: join(folder, `state-${++count}`),
      path: process.env['PATH'] ?? '',
      clock: systemClock,
      ids: systemIds,
      log: silentLog,
    })
  const readAll = async (repositories: GitRepositories): Promise<void> => {
    const read = await repositories.use(
      { repoURL: repository.url, sha },
      { ahead: ['apps'], work: (tree) => paths.every((path) => tree.read(path) !== undefined) },
    )
    if (!read.ok || !read.value) throw new Error('not all files were read')
  }
  const cold: number[] = []
  const warm: number[] = []
  const peer: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const repositories = open()
    cold.push(await timed(() => readAll(repositories)))
    warm.push(await timed(() => readAll(repositories)))
    repositories.close()
    peer.push(
      await timed(async () =>
        execFileSync('git', ['-C', repository.path, 'archive', '--format=tar', sha], { maxBuffer: 64 * 1024 * 1024 }),
      ),
    )
  }
  const peers = { 'git archive': percentile(peer, 0.5) }
  report({
    name: `${FILES} files at a commit, process start included`,
    value: percentile(cold, 0.5),
    unit: 'ms',
    peers,
  })
  report({ name: `${FILES} files at a commit, again`, value: percentile(warm, 0.5), unit: 'ms' })
  report({ name: 'commit on disk to listener', value: await hearing(open(), repository), unit: 'ms' })
  rmSync(folder, { recursive: true, force: true })
}

/** From the end of `git commit` to the listener. */
async function hearing(
  repositories: GitRepositories,
  repository: ReturnType<typeof scratchRepository>,
): Promise<number> {
  const stop = new AbortController()
  await repositories.resolve({ repoURL: repository.url, revision: 'main' })
  const running = repositories.run(stop.signal)
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const heard = new Promise<number>((resolve) => {
      const leave = repositories.onChange(() => {
        leave()
        resolve(performance.now())
      })
    })
    repository.git('commit', '--quiet', '--allow-empty', '--message', 'change')
    const began = performance.now()
    samples.push(Math.max((await heard) - began, 0))
  }
  stop.abort()
  await running
  repositories.close()
  return percentile(samples, 0.5)
}
