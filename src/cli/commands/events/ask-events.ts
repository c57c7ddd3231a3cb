import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { explain, type Problem, type Result } from '../../../lib/result.ts'
import { askPlatform } from '../../cluster-client.ts'
import { addClusterCommand, type ClusterCommand, type CommandFlags } from '../../cluster-command.ts'
import type { Io } from '../../command.ts'

/** The options that every command of this group has. */
export interface AskFlags extends CommandFlags {
  readonly namespace: string
}

/** Adds a command that asks a running platform about its events. */
export function addAsk<F extends AskFlags>(
  parent: Command,
  definition: ClusterCommand<F> & { readonly help: string },
  io: Io,
): void {
  const options = (command: Command): void => {
    command.option('-n, --namespace <name>', 'the namespace of the EventSources and Sensors', 'events')
    definition.options?.(command)
  }
  const help = `${definition.help}\n\nExit codes: 0 done, 1 failed, 2 wrong usage.`
  addClusterCommand(parent, { ...definition, options, help }, io)
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
