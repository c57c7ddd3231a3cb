import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import type { Io } from '../../src/cli/command.ts'
import { define } from '../../src/cli/commands/render.ts'

/** What a program printed, or how it failed. */
export interface Printed {
  readonly out?: string
  readonly error?: string
}

/** Runs `idp render helm c ARGS` in this process. */
export async function renderLikeHelm(
  cwd: string,
  args: readonly string[],
  dialect: 3 | 4,
  what: readonly string[] = ['c'],
): Promise<Printed> {
  let out = ''
  let err = ''
  let code = 0
  const io: Io = {
    stdin: new PassThrough().end(),
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
    cwd,
    signal: new AbortController().signal,
    exit: (wanted) => (code = wanted),
  }
  const command = new Command('render')
  define(command, io)
  await command.parseAsync(['helm', ...what, ...args, '--dialect', String(dialect)], { from: 'user' })
  // Warnings come first; the error is what follows its mark.
  return code === 0 ? { out } : { error: err.slice(Math.max(err.indexOf('Error: '), 0)).trim() }
}
