import type { Command } from 'commander'
import { resolve } from 'node:path'
import { systemClock } from '../../lib/clock.ts'
import { parseDuration, millisecondsOf } from '../../lib/duration.ts'
import { explain } from '../../lib/result.ts'
import type { Io } from '../command.ts'
import { isRunning, readRunFile } from './up/run-file.ts'

interface Flags {
  readonly state: string
  readonly timeout: string
}

const LOOK_MS = 25

export function define(command: Command, io: Io): void {
  command
    .option('--state <dir>', 'the state folder of the platform', '.idp')
    .option('--timeout <duration>', 'how long to wait for it to end', '30s')
    .addHelpText(
      'after',
      `
Asks the platform that runs on a state folder to end, as Ctrl-C does, and waits until it has. Nothing is removed: the next
idp up goes on where it was. Ends with 0 where nothing runs.

Examples:
  idp down
  idp down --state ./lab`,
    )
    .action(async ({ state, timeout }: Flags) => {
      const limit = parseDuration(timeout)
      if (!limit.ok) {
        io.err(`idp down: --timeout: ${limit.error.map(explain).join('; ')}\n`)
        io.exit(2)
        return
      }
      const running = readRunFile(resolve(io.cwd, state))
      if (!running) {
        io.out(`nothing runs on ${state}\n`)
        return
      }
      const { pid } = running
      process.kill(pid, 'SIGTERM')
      const until = systemClock.now() + millisecondsOf(limit.value)
      while (isRunning(pid)) {
        if (systemClock.now() >= until || io.signal.aborted) {
          io.err(`idp down: process ${pid} has not ended after ${timeout}: it may still finish what is under way\n`)
          io.exit(1)
          return
        }
        await systemClock.sleep(LOOK_MS)
      }
      io.out(`the platform on ${state} has ended (process ${pid})\n`)
    })
}
