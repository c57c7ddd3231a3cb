import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Command } from 'commander'
import { beforeAll, expect, test } from 'vitest'
import { commandReference } from './command-reference.ts'
import { commands } from './commands.ts'

const root = join(import.meta.dirname, '..', '..')
const program = new Command('idp')

beforeAll(async () => {
  const io = { stdin: process.stdin, out: () => {}, err: () => {}, env: {}, cwd: '/', exit: () => {} }
  for (const { name, load } of commands) {
    ;(await load()).define(program.command(name), { ...io, signal: new AbortController().signal })
  }
}, 60_000)

/** Every Markdown file that people read. */
const documents = ['README.md', ...['docs', 'blueprint'].flatMap((folder) => markdownBelow(folder))]

function markdownBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && name !== join('reference', 'commands.md'))
    .map((name) => join(folder, name))
}

/** The calls of `idp` in a document, without comments and what is piped on. */
function callsIn(path: string): readonly { readonly line: number; readonly words: readonly string[] }[] {
  let isShell = false
  return readFileSync(join(root, path), 'utf8')
    .split('\n')
    .flatMap((text, at) => {
      if (text.trimStart().startsWith('```')) isShell = /^\s*```(?:sh|bash|console|shell)\b/.test(text)
      const found = isShell ? [/^\s*(?:\$ )?idp ([^#|;&><]+)/.exec(text)?.[1]] : inline(text)
      return found.flatMap((call) => (call === undefined ? [] : [{ line: at + 1, words: call.trim().split(/\s+/) }]))
    })
}

const inline = (text: string): readonly (string | undefined)[] =>
  [...text.matchAll(/`idp ([^`#|;&><]+)/g)].map(([, call]) => call)

/** What is wrong with a call: a command or a flag that there is not. */
function faultOf(words: readonly string[]): string | undefined {
  let command = program
  for (const [at, word] of words.entries()) {
    if (word.startsWith('-') && word !== '-' && word !== '--') {
      const [flag = ''] = word.split('=')
      const isKnown = command.options.some((one) => one.long === flag || one.short === flag) || flag === '--help'
      if (!isKnown) return `${command.name()} has no flag ${flag}`
    } else if (command.commands.length > 0) {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
      const isBelow = at === 0 || !words[at - 1]?.startsWith('-')
      if (!next && isBelow && !/^[A-Z.…<]/.test(word)) return `${command.name()} has no command ${word}`
      if (next) command = next
    }
  }
  return undefined
}

test('commands and flags that documents show are there', () => {
  const calls = documents.flatMap((path) => callsIn(path).map((call) => ({ path, ...call })))
  expect(calls.length).toBeGreaterThan(20)
  const faults = calls.flatMap(({ path, line, words }) => {
    const fault = faultOf(words)
    return fault === undefined ? [] : [`${relative('.', path)}:${line}: idp ${words.join(' ')}: ${fault}`]
  })
  expect(faults).toEqual([])
})

test('docs/reference/commands.md is what the commands say of themselves', async () => {
  const written = readFileSync(join(root, 'docs', 'reference', 'commands.md'), 'utf8')
  expect(written, 'run node scripts/run-ts.mjs tools/generate-command-reference.ts').toBe(await commandReference())
})

test('names of commands come once, and every command shows examples', async () => {
  const names = commands.map(({ name }) => name)
  expect(names).toEqual([...new Set(names)])
  expect(await commandReference()).not.toContain('undefined')
  for (const command of program.commands) {
    let text = ''
    for (const one of [command, ...command.commands]) {
      one.configureOutput({ writeOut: (more) => (text += more) }).outputHelp()
    }
    expect(text, command.name()).toContain('Examples:')
  }
})
