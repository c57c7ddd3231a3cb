import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { commandReference } from './command-reference.ts'
import { commands } from './commands.ts'

test('docs/reference/commands.md is what the commands say of themselves', async () => {
  const written = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'commands.md'), 'utf8')
  expect(written, 'run node scripts/run-ts.mjs tools/generate-command-reference.ts').toBe(await commandReference())
})

test('names of commands come once, and every command shows examples', async () => {
  const names = commands.map(({ name }) => name)
  expect(names).toEqual([...new Set(names)])
  expect(await commandReference()).not.toContain('undefined')
  for (const { name, load } of commands) {
    const command = new Command(name)
    const io = { stdin: process.stdin, out: () => {}, err: () => {}, env: {}, cwd: '/', exit: () => {} }
    ;(await load()).define(command, { ...io, signal: new AbortController().signal })
    let text = ''
    for (const one of [command, ...command.commands]) {
      one.configureOutput({ writeOut: (more) => (text += more) }).outputHelp()
    }
    expect(text, name).toContain('Examples:')
  }
})
