import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkPhases, runPhases } from '../../bootstrap/phases/run-phases.ts'
import { readPlatformFile } from '../../bootstrap/settings/platform-file.ts'
import { systemClock } from '../../lib/clock.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { explain, type Problem } from '../../lib/result.ts'
import { SETTINGS_FILE } from '../../render/settings/read-settings.ts'
import { repositoryAbove } from '../../sources/git/local-repository.ts'
import { addClusterOptions, type ClusterFlags, outputFormat, printAs, withCluster } from '../cluster-client.ts'
import type { Io } from '../command.ts'
import { platformPhases, phaseWork } from './up/phases.ts'
import { readRunFile } from './up/run-file.ts'
import { tellStep, tellerTo } from './up/teller.ts'

interface Flags extends ClusterFlags {
  readonly check?: boolean
  readonly profile: string
  readonly timeout: string
  readonly output: string
}

const NAME = 'idp bootstrap'

export function define(command: Command, io: Io): void {
  addClusterOptions(command)
    .argument('[dir]', 'a platform repository; without it the one around here, or that of the running platform')
    .option('--check', 'change nothing: say what differs from IT/, and end with 2 where something does')
    .option('--profile <embedded|compact|upstream>', 'who provides the capabilities', 'embedded')
    .option('--timeout <duration>', 'how long one wave may take to become ready', '1m')
    .option('-o, --output <text|json|yaml>', 'how to print', 'text')
    .addHelpText(
      'after',
      `
Runs the phases of IT/ in their order, each behind a gate: the next begins when what the one before applied is ready.
Running it again changes nothing that stands, and goes on where a run was cut short.

Examples:
  idp bootstrap
  idp bootstrap ./platform --context staging
  idp bootstrap --check`,
    )
    .action(async (dir: string | undefined, flags: Flags) => {
      const complain = (problems: readonly Problem[], code: 1 | 2): void => {
        for (const problem of problems) io.err(`${NAME}: ${explain(problem)}\n`)
        io.exit(code)
      }
      const format = outputFormat(NAME, flags.output, io)
      if (!format) return
      const gate = parseDuration(flags.timeout)
      if (!gate.ok) return complain(gate.error, 2)
      if (flags.profile !== 'embedded') {
        const message = `there is no profile ${JSON.stringify(flags.profile)} yet: capabilities are provided by this program (embedded)`
        return complain([{ code: 'profile-unknown', message }], 2)
      }
      const stateFolder = resolve(io.cwd, flags.state)
      const folder = repositoryOf(dir, stateFolder, io)
      if (folder === undefined) {
        const cure = 'name one, or make one with idp init'
        return complain(
          [{ code: 'repository-no-platform', at: dir ?? io.cwd, message: 'is no platform repository', cure }],
          1,
        )
      }
      const file = await readPlatformFile(folder)
      if (!file.ok) return complain(file.error, 1)
      const phases = platformPhases(folder, file.value.settings)
      if (!phases.ok) return complain(phases.error, 1)
      await withCluster(NAME, flags, io, async (client) => {
        const ports = { client, clock: systemClock, signal: io.signal }
        if (flags.check) {
          const found = await checkPhases(phases.value, ports)
          if (!found.ok) return (complain(found.error, 1), 1)
          const lines = found.value.map(
            ({ phase, what, file: where, change }) =>
              `${phase}  ${what}  ${change === 'missing' ? 'is missing' : `differs in ${change.join(', ')}`}  (${where})\n`,
          )
          printAs(format, found.value, () => (lines.length === 0 ? 'nothing differs from IT/\n' : lines.join('')), io)
          return lines.length === 0 ? 0 : 2
        }
        const teller = tellerTo(format === 'text' ? io : { out: io.err }, () => systemClock.now())
        const ran = await runPhases(phases.value, {
          ...ports,
          gateMs: millisecondsOf(gate.value),
          tell: (step) => tellStep(step, teller),
          work: phaseWork(folder, stateFolder, client),
        })
        teller.end()
        if (!ran.ok) return (complain(ran.error, 1), 1)
        printAs(format, ran.value, () => `the platform is bootstrapped: ${ran.value.changed} objects changed\n`, io)
        return 0
      })
    })
}

function repositoryOf(dir: string | undefined, stateFolder: string, io: Io): string | undefined {
  const here = repositoryAbove(resolve(io.cwd, dir ?? '.'))
  if (here !== undefined && existsSync(join(here, SETTINGS_FILE))) return here
  return dir === undefined ? readRunFile(stateFolder)?.repository : undefined
}
