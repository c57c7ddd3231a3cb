import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { USUAL_NAMESPACE } from '../../../gitops/application/applications.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  type OutputFormat,
  outputFormat,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

/** What every `idp app` command can be told. */
export interface AppFlags extends ClusterFlags {
  readonly namespace: string
  readonly output: string
}

/** One command of `idp app`: its words, and what it does on the cluster. */
export interface AppCommand<Flags extends AppFlags> {
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly (readonly [name: string, description: string])[]
  /** Adds options and examples. */
  readonly options?: (command: Command) => void
  readonly examples: readonly string[]
  readonly run: (call: Call<Flags>) => Promise<0 | 1 | 2>
}

/** A command that is being carried out. */
export interface Call<Flags extends AppFlags> {
  readonly words: readonly string[]
  readonly flags: Flags
  readonly format: OutputFormat
  readonly client: RemoteClient
  readonly io: Io
}

/** Adds a command to `idp app`. */
export function addAppCommand<Flags extends AppFlags>(parent: Command, definition: AppCommand<Flags>, io: Io): void {
  const { name, summary, options, run, examples } = definition
  const command = parent.command(name).description(summary)
  for (const [argument, description] of definition.arguments ?? []) command.argument(argument, description)
  command.option('-n, --namespace <name>', 'where the Application lives', USUAL_NAMESPACE)
  options?.(command)
  addClusterOptions(command).option('-o, --output <text|json|yaml>', 'how to print', 'text')
  command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  command.action(async (...given: readonly unknown[]) => {
    const flags = command.opts<Flags>()
    const words = given
      .slice(0, definition.arguments?.length ?? 0)
      .flat()
      .filter((word) => typeof word === 'string')
    const format = outputFormat(`idp app ${name}`, flags.output, io)
    if (!format) return
    await withCluster(`idp app ${name}`, flags, io, (client) => run({ words, flags, format, client, io }))
  })
}

/** Says in one line each what is wrong, and fails. */
export function complain(name: string, problems: readonly Problem[], io: Io): 1 {
  for (const problem of problems) io.err(`idp app ${name}: ${explain(problem)}\n`)
  return 1
}
