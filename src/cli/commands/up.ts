import type { Command } from 'commander'
import { explain } from '../../lib/result.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import type { Io } from '../command.ts'

export interface UpFlags {
  readonly state: string
  readonly listen?: string
  readonly once?: boolean
  readonly timeout: string
  readonly audit: boolean
  readonly output: string
}

export function define(command: Command, io: Io): void {
  command
    .argument('[dir]', 'a platform repository; without it the one around here, or one that is made in the state folder')
    .option('--state <dir>', 'where the platform keeps what it needs between two runs', '.idp')
    .option('--listen <host:port>', 'where the API listens; 127.0.0.1:6443, or another port where that is taken')
    .option('--once', 'end when every Application is Synced and Healthy, with 1 if that is not so in time')
    .option('--timeout <duration>', 'how long to wait for it', '10m')
    .option('--no-audit', 'do not write audit.log into the state folder')
    .option('-o, --output <text|json>', 'how to say what there is', 'text')
    .addHelpText(
      'after',
      `
Brings the platform up from a Git repository: starts the embedded cluster with all its controllers, runs the phases
of IT/, and follows the Applications of K8s/ until they are Synced and Healthy. Then it stays; Ctrl-C ends it, and the
next start goes on where it was.

Examples:
  idp up
  idp up ./platform --once --timeout 2m
  idp up -o json`,
    )
    .action(async (dir: string | undefined, flags: UpFlags) => {
      const timeout = parseDuration(flags.timeout)
      if (!timeout.ok) {
        io.err(`idp up: --timeout: ${timeout.error.map(explain).join('; ')}\n`)
        io.exit(2)
        return
      }
      if (flags.output !== 'text' && flags.output !== 'json') {
        io.err(`idp up: there is no format ${JSON.stringify(flags.output)}: use text or json\n`)
        io.exit(2)
        return
      }
      const { up } = await import('./up/up.ts')
      io.exit(await up(dir, { ...flags, timeoutMs: millisecondsOf(timeout.value) }, io))
    })
}
