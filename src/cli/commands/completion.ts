import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { scripts } from '../complete.ts'

export function define(command: Command, io: Io): void {
  command
    .argument('<bash|zsh|fish>', 'the shell')
    .addHelpText(
      'after',
      `
Prints what a shell has to read so that Tab completes commands and flags.

Examples:
  idp completion bash > /etc/bash_completion.d/idp
  source <(idp completion zsh)
  idp completion fish > ~/.config/fish/completions/idp.fish`,
    )
    .action((shell: string) => {
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
      if (script === undefined) {
        io.err(`idp completion: there is no completion for ${JSON.stringify(shell)}: use bash, zsh or fish\n`)
        io.exit(2)
        return
      }
      io.out(script)
    })
}
