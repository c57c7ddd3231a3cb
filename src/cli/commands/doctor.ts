import type { Command } from 'commander'
import { resolve } from 'node:path'
import { outputFormat, printAs } from '../cluster-client.ts'
import type { Io } from '../command.ts'
import { type Finding, judgeMachine } from './doctor/judge.ts'
import { lookAround } from './doctor/look.ts'

interface Flags {
  readonly state: string
  readonly output: string
}

const marks: Readonly<Record<Finding['verdict'], string>> = { ok: 'ok', warning: 'warn', failed: 'FAIL' }

export function define(command: Command, io: Io): void {
  command
    .option('--state <dir>', 'the state folder of the platform', '.idp')
    .option('-o, --output <text|json|yaml>', 'how to print', 'text')
    .addHelpText(
      'after',
      `
Looks at what a platform needs: Node, git, ports, disk, permissions, clock, names and settings. Each finding says what to
do about it. Ends with 1 where something would keep the platform from working.

Examples:
  idp doctor
  idp doctor -o json`,
    )
    .action(async ({ state, output }: Flags) => {
      const format = outputFormat('idp doctor', output, io)
      if (!format) return
      const findings = judgeMachine(await lookAround(resolve(io.cwd, state), io.cwd, io.env['PATH']))
      const lines = findings.map(
        ({ subject, verdict, what, cure }) =>
          `${marks[verdict].padEnd(5)}${subject.padEnd(12)} ${what}${cure === undefined ? '' : ` (${cure})`}\n`,
      )
      printAs(format, findings, () => lines.join(''), io)
      io.exit(findings.some(({ verdict }) => verdict === 'failed') ? 1 : 0)
    })
}
