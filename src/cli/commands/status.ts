import type { Command } from 'commander'
import { resolve } from 'node:path'
import { addClusterOptions, type ClusterFlags, outputFormat, printAs, withCluster } from '../cluster-client.ts'
import type { Io } from '../command.ts'
import { lookAtLoops } from './status/look.ts'
import { statusText } from './status/text.ts'
import { readRunFile } from './up/run-file.ts'

interface Flags extends ClusterFlags {
  readonly output: string
}

const NAME = 'idp status'

export function define(command: Command, io: Io): void {
  addClusterOptions(command)
    .option('-o, --output <text|json|yaml>', 'how to print', 'text')
    .addHelpText(
      'after',
      `
Shows the three loops of a platform on one screen: what is desired (Git and its Applications), what acts (policies and
events), what is observed (nodes, Pods, certificates, secrets, routes), and what is red, with its reason.
Ends with 1 where something is red or the platform does not answer.

Examples:
  idp status
  idp status -o json | jq .red`,
    )
    .action(async (flags: Flags) => {
      const format = outputFormat(NAME, flags.output, io)
      if (!format) return
      const running = readRunFile(resolve(io.cwd, flags.state))
      await withCluster(NAME, flags, io, async (client) => {
        const status = await lookAtLoops(client, running)
        printAs(format, status, () => statusText(status), io)
        return status.red.length === 0 ? 0 : 1
      })
    })
}
