import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { explain, type Problem, type Result } from '../../../lib/result.ts'
import {
  addClusterOptions,
  askPlatform,
  type ClusterFlags,
  type OutputFormat,
  outputFormat,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

/** The options that every command of this group has. */
export interface AskFlags extends ClusterFlags {
  readonly namespace: string
  readonly output: string
}

/** What a command is run with. */
export interface Asked<F extends AskFlags> {
  readonly client: RemoteClient
  readonly flags: F
  readonly words: readonly string[]
  readonly format: OutputFormat
  readonly io: Io
}

/** A command that asks a running platform about its events. */
export interface AskCommand<F extends AskFlags> {
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly (readonly [name: string, does: string])[]
  readonly options?: (command: Command) => void
  readonly help: string
  readonly examples: readonly string[]
  readonly run: (asked: Asked<F>) => Promise<0 | 1 | 2>
}

/** Adds such a command. */
export function addAsk<F extends AskFlags>(
  parent: Command,
  { name, summary, arguments: words = [], options, help, examples, run }: AskCommand<F>,
  io: Io,
): void {
  const command = parent.command(name).summary(summary)
  for (const [word, does] of words) command.argument(word, does)
  command
    .option('-n, --namespace <name>', 'the namespace of the EventSources and Sensors', 'events')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  options?.(command)
  addClusterOptions(command)
  command.addHelpText(
    'after',
    `
${help}

Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:
${examples.map((example) => `  ${example}`).join('\n')}`,
  )
  command.action(async (...given: readonly unknown[]) => {
    const flags = command.opts<F>()
    const full = `idp events ${name}`
    const format = outputFormat(full, flags.output, io)
    if (!format) return
    const texts = given.slice(0, words.length).map((word) => (typeof word === 'string' ? word : ''))
    await withCluster(full, flags, io, (client) => run({ client, flags, words: texts, format, io }))
  })
}

/** Says what is wrong, a line each. */
export function complain(name: string, problems: readonly Problem[], io: Io): 1 {
  for (const problem of problems) io.err(`idp events ${name}: ${explain(problem)}\n`)
  return 1
}

/** Asks the desk of a running platform. */
export function askDesk<T>(
  client: RemoteClient,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  { query = {}, body }: { readonly query?: Readonly<Record<string, string | undefined>>; readonly body?: unknown } = {},
): Promise<Result<T>> {
  const search = new URLSearchParams(
    Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  const text = search.size === 0 ? '' : `?${search.toString()}`
  return askPlatform<T>(client, {
    method,
    path: `/idp/events/${path}${text}`,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
}

/** A time as people read it. */
export const shownTime = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
