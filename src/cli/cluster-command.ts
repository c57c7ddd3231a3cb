import type { Command } from 'commander'
import type { RemoteClient } from '../client/remote-client.ts'
import { addClusterOptions, type ClusterFlags, type OutputFormat, outputFormat, withCluster } from './cluster-client.ts'
import type { Io } from './command.ts'

/** What every command below a noun can be told that works on a cluster. */
export interface CommandFlags extends ClusterFlags {
  readonly output: string
}

/** A command that is being carried out. */
export interface Call<Flags extends CommandFlags> {
  readonly words: readonly string[]
  readonly flags: Flags
  readonly format: OutputFormat
  readonly client: RemoteClient
  readonly io: Io
}

/** A command below a noun: its words, and what it does on the cluster. */
export interface ClusterCommand<Flags extends CommandFlags> {
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly (readonly [name: string, description: string])[]
  /** Adds options of its own. */
  readonly options?: (command: Command) => void
  /** What help says before the examples. */
  readonly help?: string
  readonly examples: readonly string[]
  readonly run: (call: Call<Flags>) => Promise<0 | 1 | 2>
}

/** Adds a command to a noun such as `idp app`, with the options that say which cluster and how to print. */
export function addClusterCommand<Flags extends CommandFlags>(
  parent: Command,
  definition: ClusterCommand<Flags>,
  io: Io,
): void {
  const { name, summary, arguments: places = [], options, help, examples, run } = definition
  const whole = `idp ${parent.name()} ${name}`
  const command = parent.command(name).description(summary)
  for (const [argument, description] of places) command.argument(argument, description)
  options?.(command)
  addClusterOptions(command).option('-o, --output <text|json|yaml>', 'how to print', 'text')
  const shown = `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}`
  command.addHelpText('after', `\n${help === undefined ? '' : `${help}\n\n`}${shown}`)
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  command.action(async (...given: readonly unknown[]) => {
    const flags = command.opts<Flags>()
    const words = given
      .slice(0, places.length)
      .flat()
      .filter((word) => typeof word === 'string')
    const format = outputFormat(whole, flags.output, io)
    if (!format) return
    await withCluster(whole, flags, io, (client) => run({ words, flags, format, client, io }))
  })
}
