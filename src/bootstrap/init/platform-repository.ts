import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { packageFolder } from '../../lib/data-file.ts'
import { diskTree } from '../../lib/disk-tree.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { type GitProgram, runGit } from '../../sources/git/git-process.ts'
import { type PlatformChoices, platformFiles } from './platform-template.ts'

/** Where a platform repository is made, and how it differs from the blueprint. */
export interface InitOptions extends PlatformChoices {
  /** An absolute path. */
  readonly folder: string
  /** Adds what is missing to a folder that is not empty; what is there stays as it is. */
  readonly force?: boolean
}

export interface InitPorts {
  readonly clock: Clock
  /** Where git is looked for. */
  readonly path: string
  readonly signal: AbortSignal
}

/** A platform repository that was made. */
export interface MadePlatform {
  readonly folder: string
  /** The files that were written, by their paths in it. */
  readonly written: readonly string[]
  /** Those that were there already and were left alone. */
  readonly kept: readonly string[]
  /** The commit that holds them; none where nothing was missing. */
  readonly commit?: string
}

const BRANCH = 'main'
const AUTHOR = ['-c', 'user.name=IDP Blueprint', '-c', 'user.email=idp@localhost', '-c', 'commit.gpgSign=false']

/** Writes a platform repository from the blueprint that comes with the package: files, Git repository, first commit. */
export async function initPlatform(options: InitOptions, ports: InitPorts): Promise<Result<MadePlatform>> {
  const { folder, force = false } = options
  const files = platformFiles(diskTree(packageFolder('blueprint')), options)
  if (!files.ok) return files
  const present = await namesIn(folder)
  if (!present.ok) return present
  if (present.value.length > 0 && !force) {
    return fail({
      code: 'init-folder-not-empty',
      at: folder,
      message: `cannot make a platform repository: the folder holds ${present.value.length} other files and folders`,
      cure: 'name a new folder, or add --force to write only what is missing',
    })
  }
  const written: string[] = []
  const kept: string[] = []
  try {
    for (const [path, content] of files.value) {
      ;((await writeNew(join(folder, path), content)) ? written : kept).push(path)
    }
  } catch (cause) {
    return fail({
      code: 'init-not-written',
      at: folder,
      message: `cannot write the blueprint: ${describeError(cause)}`,
    })
  }
  const commit = await commitAll(folder, written, ports)
  if (!commit.ok) return commit
  return succeed({ folder, written, kept, ...(commit.value === undefined ? {} : { commit: commit.value }) })
}

async function namesIn(folder: string): Promise<Result<readonly string[]>> {
  try {
    return succeed(await readdir(folder))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // the error of a file system call
    if (code === 'ENOENT') return succeed([])
    return fail({ code: 'init-not-written', at: folder, message: `cannot use the folder: ${code ?? String(cause)}` })
  }
}

/** Writes a file unless there is something of its name: whatever that is, it stays. */
async function writeNew(path: string, content: string | Uint8Array): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(path, content, { flag: 'wx' })
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Makes a repository where there is none, and commits what was written. */
async function commitAll(
  folder: string,
  written: readonly string[],
  { clock, path, signal }: InitPorts,
): Promise<Result<string | undefined>> {
  const home = await mkdtemp(join(tmpdir(), 'idp-init-'))
  const program: GitProgram = { clock, path, home, timeoutMs: 60_000, maxOutputBytes: 16 * 1024 * 1024 }
  const git = async (...args: readonly string[]): Promise<Result<string>> => {
    try {
      const { code, out, err } = await runGit(program, { args: ['-C', folder, ...args], signal })
      if (code === 0) return succeed(out.toString('utf8').trim())
      return fail({ code: 'init-not-committed', at: folder, message: `git ${args[0] ?? ''}: ${firstLine(err)}` })
    } catch (cause) {
      if (signal.aborted) throw cause
      const cure = 'install git; what was written stays, and --force goes on from there'
      return fail({ code: 'init-not-committed', at: folder, message: describeError(cause), cure })
    }
  }
  try {
    const top = await git('rev-parse', '--show-prefix')
    // In a subfolder of somebody's repository this is its own repository, as asked for.
    if (!top.ok || top.value !== '') {
      const made = await git('init', '--quiet', `--initial-branch=${BRANCH}`)
      if (!made.ok) return made
    }
    if (written.length === 0) return succeed(undefined)
    const added = await git('add', '--force', '--', ...written)
    if (!added.ok) return added
    const message = 'platform: begin with the blueprint'
    const committed = await git(...AUTHOR, 'commit', '--quiet', '--message', message, '--only', '--', ...written)
    return committed.ok ? await git('rev-parse', 'HEAD') : committed
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? ''
