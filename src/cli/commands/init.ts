import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { initPlatform } from '../../bootstrap/init/platform-repository.ts'
import { systemClock } from '../../lib/clock.ts'
import { explain } from '../../lib/result.ts'
import type { Io } from '../command.ts'

interface Flags {
  readonly name?: string
  readonly dnsSuffix?: string
  readonly force?: boolean
  readonly output: string
}

/** `idp init`: a platform repository from the blueprint. */
export function define(command: Command, io: Io): void {
  command
    .argument('<DIR>', 'the folder to make, or an empty one')
    .option('--name <NAME>', 'how the cluster is called; idp unless said')
    .option('--dns-suffix <DOMAIN>', 'the domain of its surfaces; idp.localhost unless said, which needs no DNS server')
    .option('--force', 'add what is missing to a folder that is not empty; nothing is overwritten')
    .option('-o, --output <FORMAT>', 'text or json', 'text')
    .addHelpText(
      'after',
      `
The folder becomes a Git repository with one commit on the branch main: idp.yaml (settings), IT/ (applied once), K8s/ and Teams/
(kept as they say), Policies/ (what is allowed).

Examples:
  idp init platform
  idp init platform --name lab --dns-suffix lab.localhost
  idp init . --force`,
    )
    .action(async (folder: string, flags: Flags) => {
      const { name, dnsSuffix, force = false, output } = flags
      const made = await initPlatform(
        {
          folder: resolve(io.cwd, folder),
          force,
          ...(name === undefined ? {} : { name }),
          ...(dnsSuffix === undefined ? {} : { dnsSuffix }),
        },
        { clock: systemClock, path: io.env['PATH'] ?? '', signal: io.signal },
      )
      if (!made.ok) {
        io.err(`${made.error.map((problem) => `idp init: ${explain(problem)}`).join('\n')}\n`)
        io.exit(made.error.some(({ code }) => code === 'init-choice-invalid') ? 2 : 1)
        return
      }
      if (output === 'json') {
        io.out(`${JSON.stringify(made.value)}\n`)
        return
      }
      const { written, kept, commit } = made.value
      const shown = relative(io.cwd, made.value.folder) || '.'
      const left = kept.length === 0 ? '' : `, ${kept.length} left as they were`
      const at = commit === undefined ? '' : ` (commit ${commit.slice(0, 7)})`
      io.out(`${shown}: ${written.length} files written${left}${at}\n`)
      io.out(`Next: idp up ${shown}\n`)
    })
}
