import { Command } from 'commander'
import type { Io } from './command.ts'
import { commands } from './commands.ts'

const WIDTH = 110

/** The reference of all commands in Markdown, from what the commands say of themselves. */
export async function commandReference(): Promise<string> {
  const sections: string[] = []
  for (const { name, summary, load } of commands) {
    const command = new Command(name).description(summary)
    ;(await load()).define(command, silent)
    sections.push(`## idp ${name}\n\n${helpOf(command, 'idp')}`)
  }
  const list = commands.map(({ name, summary }) => `| [\`idp ${name}\`](#idp-${name}) | ${summary} |`).join('\n')
  return `# Commands

Written by \`node scripts/run-ts.mjs tools/generate-command-reference.ts\` from the commands' own help.

Exit codes: 0 done, 1 failed, 2 a mistake in the call, or "there are changes" (\`diff\`, \`--check\`).

| command | does |
|---|---|
${list}

${sections.join('\n')}`
}

function helpOf(command: Command, above: string): string {
  let more = ''
  command.configureHelp({ helpWidth: WIDTH }).configureOutput({ writeOut: (text) => (more += text) })
  command.outputHelp()
  const whole = `${above} ${command.name()}`
  const text = more.trimEnd().replace(/^Usage: \S+/, `Usage: ${whole}`)
  const below = command.commands.map((one) => `### ${whole} ${one.name()}\n\n${helpOf(one, whole)}`)
  return `\`\`\`text\n${text}\n\`\`\`\n${below.length === 0 ? '' : `\n${below.join('\n')}`}`
}

const silent: Io = {
  stdin: process.stdin,
  out: () => {},
  err: () => {},
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
  exit: () => {},
}
