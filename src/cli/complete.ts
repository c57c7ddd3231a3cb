import type { Command } from 'commander'

/** What may come next on a command line, each with what it means where that is known. */
export interface Candidate {
  readonly word: string
  readonly means: string
}

/** What the last of some words may become: commands, flags, or the values that a flag names itself. */
export function candidates(program: Command, words: readonly string[]): readonly Candidate[] {
  const before = words.slice(0, -1)
  const begun = words.at(-1) ?? ''
  let command = program
  for (const word of before) {
    command = command.commands.find((one) => one.name() === word || one.aliases().includes(word)) ?? command
  }
  const last = before.at(-1) ?? ''
  const flag = last.startsWith('-') ? command.options.find((one) => one.long === last || one.short === last) : undefined
  const offered = flag && !flag.isBoolean() ? valuesOf(flag.flags) : wordsOf(command, begun.startsWith('-'))
  return offered.filter(({ word }) => word.startsWith(begun))
}

function wordsOf(command: Command, areFlags: boolean): readonly Candidate[] {
  if (!areFlags) {
    return command.commands.map((one) => ({ word: one.name(), means: one.summary() || one.description() }))
  }
  const flags = command.options.flatMap(({ long, description }) => (long ? [{ word: long, means: description }] : []))
  return [...flags, { word: '--help', means: 'show help' }]
}

/** The choices in a flag such as `-o, --output <text|json>`; none where it takes a text of its own. */
function valuesOf(flags: string): readonly Candidate[] {
  const [, choices = ''] = /<([^>]+)>/.exec(flags) ?? []
  return choices.includes('|') ? choices.split('|').map((word) => ({ word, means: '' })) : []
}

/** How a shell is told what to ask; it asks at every press of Tab, so that it never lies. */
export const scripts: Readonly<Record<string, string>> = {
  bash: `_idp() {
  local IFS=$'\\n'
  COMPREPLY=($(idp __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -o filenames -F _idp idp
`,
  zsh: `#compdef idp
_idp() {
  local -a found
  local line
  for line in "\${(@f)$(idp __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${line/$'\\t'/:}")
  done
  if (( \${#found} )); then _describe 'idp' found; else _files; fi
}
compdef _idp idp
`,
  fish: `function __idp
  set -l words (commandline -opc) (commandline -ct)
  idp __complete $words[2..-1] 2>/dev/null
end
complete -c idp -f -a '(__idp)'
`,
}
