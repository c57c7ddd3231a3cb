import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Clock } from '../../lib/clock.ts'

/** How the git program is run. */
export interface GitProgram {
  readonly clock: Clock
  /** The environment's PATH, where git is looked for. */
  readonly path: string
  /** An empty folder of ours that stands for the home folder, so that no user's settings reach git. */
  readonly home: string
  /** How long one command may take. */
  readonly timeoutMs: number
  /** The most that one command may print. */
  readonly maxOutputBytes: number
}

/** What a command said. */
export interface GitOutput {
  readonly code: number
  readonly out: Buffer
  readonly err: string
  /** Why it was ended by us. */
  readonly ended?: 'timeout' | 'aborted' | 'output'
}

/** One command: arguments, and what else its environment holds. Secrets go into the environment only. */
export interface GitCommand {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Flags that hold for every command: no hooks, helpers, prompts, background work, nor transports other than those we name. */
const FLAGS: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
  'fetch.recurseSubmodules=false',
  'submodule.recurse=false',
  'protocol.allow=never',
  'protocol.https.allow=always',
  'protocol.http.allow=always',
  'protocol.ssh.allow=always',
  'http.followRedirects=initial',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
].flatMap((setting) => ['-c', setting])

const MOST_ERROR_CHARS = 16_384

function environmentOf({ path, home }: GitProgram, more: GitCommand['env']): NodeJS.ProcessEnv {
  return {
    PATH: path,
    HOME: home,
    XDG_CONFIG_HOME: home,
    LANG: 'C',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh',
    GIT_PROTOCOL_FROM_USER: '0',
    ...more,
  }
}

/** Starts git and leaves it running; whoever starts it ends it. */
export function startGit(program: GitProgram, { args, env }: GitCommand): ChildProcessWithoutNullStreams {
  return spawn('git', [...FLAGS, ...args], {
    env: environmentOf(program, env),
    cwd: program.home,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
}

/** Runs git to its end, or until it has taken too long, printed too much, or is not wanted any more. */
export function runGit(program: GitProgram, command: GitCommand): Promise<GitOutput> {
  return new Promise((resolve, reject) => {
    if (command.signal?.aborted) return reject(command.signal.reason as Error)
    const child = startGit(program, command)
    const chunks: Buffer[] = []
    let size = 0
    let err = ''
    let ended: GitOutput['ended']
    const end = (because: GitOutput['ended']): void => {
      ended ??= because
      child.kill('SIGKILL')
    }
    const cancel = program.clock.after(program.timeoutMs, () => end('timeout'))
    const abort = (): void => end('aborted')
    command.signal?.addEventListener('abort', abort, { once: true })
    const finish = (): void => {
      cancel()
      command.signal?.removeEventListener('abort', abort)
    }
    child.stdin.on('error', () => {})
    child.stdin.end()
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > program.maxOutputBytes) end('output')
      else chunks.push(chunk)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (err.length < MOST_ERROR_CHARS) err += text
    })
    child.on('error', (cause) => {
      finish()
      reject(new Error('cannot run git: is it installed and in PATH?', { cause }))
    })
    child.on('close', (code) => {
      finish()
      if (ended === 'aborted') reject(command.signal?.reason as Error)
      else resolve({ code: code ?? -1, out: Buffer.concat(chunks), err, ...(ended ? { ended } : {}) })
    })
  })
}
