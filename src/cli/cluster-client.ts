import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConnectionError } from '../client/connection.ts'
import type { UserInfo } from '../kube/admission.ts'
import { accessOf, kubeconfigPaths, loadKubeconfig } from '../client/kubeconfig.ts'
import { type PageRequest, type RemoteClient, remoteClient } from '../client/remote-client.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds } from '../lib/ids.ts'
import { explain, fail, type Result, succeed } from '../lib/result.ts'
import { emitYaml } from '../lib/yaml.ts'
import type { Io } from './command.ts'

/** Which cluster a command works on. */
export interface ClusterFlags {
  readonly context?: string
  readonly kubeconfig?: string
  readonly state: string
}

/** The kubeconfig of the administrator that an embedded cluster keeps in its state directory while it runs. */
export const STATE_KUBECONFIG = 'kubeconfig'

/** Adds the options that say which cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('--context <name>', 'the context of a kubeconfig; without it the embedded cluster of --state')
    .option('--kubeconfig <file>', 'read this kubeconfig')
    .option('--state <dir>', 'where the embedded cluster is kept', '.idp')
}

/** The files to look for a cluster in: what is named, then the embedded one, then what kubectl would use. */
function pathsFor({ kubeconfig, context, state }: ClusterFlags, io: Io): readonly string[] {
  if (kubeconfig !== undefined) return [resolve(io.cwd, kubeconfig)]
  const embedded = join(resolve(io.cwd, state), STATE_KUBECONFIG)
  return context === undefined && existsSync(embedded) ? [embedded] : kubeconfigPaths(io.env)
}

/** A client for the cluster that the options name, acting as somebody where that is said; whoever asks closes it. */
export function openCluster(flags: ClusterFlags, io: Io, user?: UserInfo): Result<RemoteClient> {
  const config = loadKubeconfig(pathsFor(flags, io))
  if (!config.ok) {
    return fail({
      code: 'cluster-not-found',
      message: `there is no embedded cluster in ${flags.state}, and no kubeconfig`,
      cure: 'start one with idp apiserver, or name one with --kubeconfig or --context',
    })
  }
  const access = accessOf(config.value, flags.context)
  if (!access.ok) return access
  const client = remoteClient({
    access: user ? { ...access.value, impersonate: { extra: {}, ...user, user: user.username } } : access.value,
    clock: systemClock,
    ids: systemIds,
    environment: io.env,
    userAgent: 'idp',
    onWarning: (text) => io.err(`warning: ${text}\n`),
  })
  return succeed(client)
}

/** Runs work on the cluster that the options name, and says in one line why it cannot. */
export async function withCluster(
  name: string,
  flags: ClusterFlags,
  io: Io,
  work: (client: RemoteClient) => Promise<0 | 1 | 2>,
): Promise<void> {
  const client = openCluster(flags, io)
  if (!client.ok) {
    for (const problem of client.error) io.err(`${name}: ${explain(problem)}\n`)
    io.exit(1)
    return
  }
  try {
    io.exit(await work(client.value))
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    io.err(`${name}: ${error.message} (is the cluster running?)\n`)
    io.exit(1)
  } finally {
    await client.value.close()
  }
}

/** Asks the platform for a page of its own, as JSON; what it refuses is a problem in its words. */
export async function askPlatform<T>(client: RemoteClient, request: PageRequest): Promise<Result<T>> {
  const { status, body } = await client.ask(request)
  if (status >= 200 && status < 300) return succeed(JSON.parse(body) as T) // the platform's own answer
  return fail({
    code: 'platform-refused',
    at: request.path,
    message: messageOf(body) || `the answer is HTTP ${status}`,
  })
}

/** What a refusal says: the message of a Status or of an answer of ours, or the text as it is. */
function messageOf(body: string): string {
  try {
    const read = JSON.parse(body) as { readonly message?: string } | null
    return read?.message ?? body.trim()
  } catch {
    // Plain text is its own message.
    return body.trim()
  }
}

/** How a command prints: for people, or as it is for programs. */
export type OutputFormat = 'text' | 'json' | 'yaml'

const formats: readonly OutputFormat[] = ['text', 'json', 'yaml']

/** Reads `-o`; undefined, after saying so, where there is no such format. */
export function outputFormat(name: string, wanted: string, io: Io): OutputFormat | undefined {
  const format = formats.find((each) => each === wanted)
  if (format) return format
  io.err(`${name}: there is no format ${JSON.stringify(wanted)}: use one of ${formats.join(', ')}\n`)
  io.exit(2)
  return undefined
}

/** Prints a value in a format; `text` is only made for people. */
export function printAs(format: OutputFormat, value: unknown, text: () => string, io: Io): void {
  io.out(format === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : format === 'yaml' ? emitYaml(value) : text())
}

/** Rows under headings, in columns. */
export function columns(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, at) => Math.max(heading.length, ...rows.map((row) => (row[at] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ')
  return `${[headings, ...rows].map((row) => line(row).trimEnd()).join('\n')}\n`
}
