import { spawn } from 'node:child_process'
import { isAbsolute, join, sep } from 'node:path'
import { parseTime } from '../kube/time.ts'
import type { Clock } from '../lib/clock.ts'
import { isObject, own } from '../lib/json.ts'

/** The variables of a process, passed in by whoever may read them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A program that a kubeconfig names to get credentials from. */
export interface ExecPlugin {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly installHint?: string
  /** What the plugin is told about the cluster, when it asks to be. */
  readonly cluster?: Readonly<Record<string, unknown>>
}

/** What a plugin answered. */
export interface ExecCredential {
  readonly token?: string
  readonly cert?: string
  readonly key?: string
  /** Until when it may be used; as long as it works, when absent. */
  readonly expiresMs?: number
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
const LONGEST_MS = 60_000
const LARGEST_ANSWER = 1_048_576

/** Reads the `exec` of a kubeconfig user; throws what is wrong with it. */
export function parseExec(exec: unknown, folder: string, cluster: Readonly<Record<string, unknown>>): ExecPlugin {
  if (!isObject(exec)) throw new Error('exec is not an object')
  const apiVersion = own(exec, 'apiVersion')
  const command = own(exec, 'command')
  if (typeof command !== 'string' || command === '') throw new Error('exec has no command')
  if (typeof apiVersion !== 'string' || !VERSIONS.includes(apiVersion)) {
    throw new Error(`exec has an apiVersion that is neither ${VERSIONS.join(' nor ')}`)
  }
  if (own(exec, 'interactiveMode') === 'Always') {
    throw new Error('the exec plugin asks for a terminal always, and there is none: set interactiveMode to IfAvailable')
  }
  const args = own(exec, 'args') ?? []
  const environment = own(exec, 'env') ?? []
  if (!Array.isArray(args) || !Array.isArray(environment)) throw new Error('exec has args or env that are no lists')
  const installHint = own(exec, 'installHint')
  return {
    apiVersion,
    // A path is looked up from the kubeconfig, a bare name on the PATH.
    command: !isAbsolute(command) && /[\\/]/.test(command) ? join(folder, command) : command,
    args: args.map(String),
    environment: variablesOf(environment),
    ...(typeof installHint === 'string' ? { installHint } : {}),
    ...(own(exec, 'provideClusterInfo') === true ? { cluster } : {}),
  }
}

function variablesOf(list: readonly unknown[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list.filter(isObject).flatMap((one) => {
      const [name, value] = [own(one, 'name'), own(one, 'value')]
      return typeof name === 'string' ? [[name, typeof value === 'string' ? value : '']] : []
    }),
  )
}

/** Runs a plugin and reads its answer. What it printed never becomes part of an error. */
export async function runExec(plugin: ExecPlugin, environment: Environment, clock: Clock): Promise<ExecCredential> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.cluster ? { cluster: plugin.cluster } : {}) },
  }
  const output = await outputOf(
    plugin,
    { ...environment, ...plugin.environment, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    clock,
  )
  return parseCredential(output, plugin)
}

function outputOf(plugin: ExecPlugin, environment: NodeJS.ProcessEnv, clock: Clock): Promise<string> {
  const name = plugin.command.slice(plugin.command.lastIndexOf(sep) + 1)
  const cannot = (because: string, cause?: unknown): Error =>
    new Error(`cannot get credentials from ${name}: ${because}`, cause === undefined ? {} : { cause })
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, plugin.args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: false,
    })
    const chunks: Buffer[] = []
    let size = 0
    let said = ''
    const cancel = clock.after(LONGEST_MS, () => {
      child.kill('SIGKILL')
      reject(cannot(`it did not answer within ${LONGEST_MS / 1_000} s`))
    })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= LARGEST_ANSWER) chunks.push(chunk)
      else child.kill('SIGKILL')
    })
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
    child.on('error', (error: NodeJS.ErrnoException) => {
      cancel()
      const hint = plugin.installHint ? ` (${plugin.installHint.trim()})` : ''
      reject(
        cannot(
          error.code === 'ENOENT' ? `it is not installed${hint}` : `it cannot be started: ${error.code ?? ''}`,
          error,
        ),
      )
    })
    child.on('close', (code, signal) => {
      cancel()
      if (size > LARGEST_ANSWER) reject(cannot('its answer is too long'))
      else if (code === 0) resolve(Buffer.concat(chunks).toString())
      else reject(cannot(`it failed with ${signal ?? `exit code ${code}`}${lastLine(said)}`))
    })
  })
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line === '' ? '' : `: ${line.slice(0, 300)}`
}

function parseCredential(output: string, plugin: ExecPlugin): ExecCredential {
  const wrong = (because: string): Error => new Error(`cannot read the credentials of ${plugin.command}: ${because}`)
  let answer: unknown
  try {
    answer = JSON.parse(output)
  } catch {
    // Without its cause: the parser quotes what it read.
    throw wrong('they are not JSON')
  }
  if (!isObject(answer) || own(answer, 'kind') !== 'ExecCredential') throw wrong('they are no ExecCredential')
  if (own(answer, 'apiVersion') !== plugin.apiVersion) throw wrong(`they are not of ${plugin.apiVersion}`)
  const status = own(answer, 'status')
  if (!isObject(status)) throw wrong('they have no status')
  const text = (name: string): string | undefined => {
    const value = own(status, name)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const token = text('token')
  const cert = text('clientCertificateData')
  const key = text('clientKeyData')
  const expires = text('expirationTimestamp')
  if ((cert === undefined) !== (key === undefined)) throw wrong('a certificate and its key belong together')
  if (!token && !cert) throw wrong('there is neither a token nor a certificate')
  const expiresMs = expires === undefined ? undefined : parseTime(expires)
  if (expires !== undefined && expiresMs === undefined) throw wrong('the expirationTimestamp is no time')
  return {
    ...(token ? { token } : {}),
    ...(cert && key ? { cert, key } : {}),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  }
}
