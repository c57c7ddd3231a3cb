import { spawn, type SpawnOptions } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { idp, idpPath, type Ran, runProgram } from './idp.ts'
import { clientOf } from './client-of.ts'

/** What `idp up -o json` says once the platform is up. */
export interface PlatformSummary {
  readonly url: string
  readonly kubeconfig: string
  readonly repository: { readonly folder: string; readonly url?: string; readonly tokenFile: string }
  readonly surfaces: readonly { readonly name: string; readonly url: string }[]
  readonly applications: { readonly total: number; readonly settled: number; readonly isSettled: boolean }
  readonly seconds: number
}

/** A platform that runs. */
export interface RunningPlatform {
  readonly folder: string
  readonly pid: number
  readonly summary: PlatformSummary
  readonly client: RemoteClient
  /** The folder of the platform repository. */
  readonly repository: string
  /** Runs a command against it. */
  idp(...args: readonly string[]): Promise<Ran>
  /** Runs git in its repository; throws when that fails. */
  git(...args: readonly string[]): Promise<string>
  /** Ends it as Ctrl-C does; answers the exit code. */
  stop(): Promise<number | null>
}

/** Ports that no other platform of this machine has: those of the gateway are written into `idp.yaml`. */
export const portsFor = (seed: number): { readonly http: number; readonly https: number } => ({
  http: 31_000 + ((seed * 2) % 1_000),
  https: 31_001 + ((seed * 2) % 1_000),
})

let folders = 0

/** The ports of the gateway of a platform repository. */
export function portsOf(repository: string): { readonly http: string; readonly https: string } {
  const text = readFileSync(join(repository, 'idp.yaml'), 'utf8')
  const port = (name: string): string => new RegExp(`${name}: (\\d+)`).exec(text)?.[1] ?? ''
  return { http: port('httpPort'), https: port('httpsPort') }
}

/** A folder with a platform repository in it, whose gateway has ports of its own. */
export async function platformFolder(place: string = 'platform'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-platform-'))
  const made = await idp(['init', join(folder, place)])
  if (made.code !== 0) throw new Error(made.stderr)
  const { http, https } = portsFor(process.pid * 7 + folders++)
  const settings = join(folder, place, 'idp.yaml')
  const text = readFileSync(settings, 'utf8')
    .replace(/httpPort: \d+/, `httpPort: ${http}`)
    .replace(/httpsPort: \d+/, `httpsPort: ${https}`)
  writeFileSync(settings, text)
  await git(join(folder, place), 'commit', '--quiet', '--all', '--message', 'platform: ports of its own')
  return folder
}

/** Starts `idp up` on a folder of `platformFolder` and waits until it says that the platform is up. */
export async function startPlatform(
  folder: string,
  args: readonly string[] = [],
  place: string = 'platform',
): Promise<RunningPlatform> {
  const child = spawnUp(folder, args, { stdio: ['ignore', 'pipe', 'pipe'] }, place)
  let said = ''
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const summary = await new Promise<PlatformSummary>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('\n')) resolve(JSON.parse(said) as PlatformSummary)
    })
    child.on('exit', (code) => reject(new Error(`idp up ended with ${code}: ${complaints}`)))
  })
  const repository = join(folder, place)
  return {
    folder,
    pid: child.pid ?? 0,
    summary,
    client: clientOf(summary.kubeconfig),
    repository,
    idp: (...words) => idp([...words], { cwd: folder }),
    git: (...words) => git(repository, ...words),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Starts `idp up` without waiting for anything. */
export function spawnUp(
  folder: string,
  args: readonly string[],
  options: SpawnOptions,
  place: string = 'platform',
): ReturnType<typeof spawn> {
  const words = ['up', place, '--state', '.idp', '--listen', '127.0.0.1:0', '-o', 'json', ...args]
  return spawn(process.execPath, [idpPath, ...words], { cwd: folder, ...options })
}

export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })

const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgSign=false']

async function git(folder: string, ...words: readonly string[]): Promise<string> {
  const ran = await runProgram('git', ['-C', folder, ...identity, ...words])
  if (ran.code !== 0) throw new Error(`git ${words.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}
