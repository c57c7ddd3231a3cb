import { Command } from 'commander'
import { expect, test } from 'vitest'
import { candidates } from './complete.ts'

const program = new Command('idp')
program
  .command('up')
  .description('bring it up')
  .option('-o, --output <text|json>', 'how to print')
  .option('--once', 'end')
const app = program.command('app').description('Applications')
app.command('list').description('list them')
app.command('diff').description('what a sync would change').option('--revision <revision>', 'another one')

test.each([
  { name: 'every command', words: [''], want: ['up', 'app'] },
  { name: 'what was begun', words: ['a'], want: ['app'] },
  { name: 'what is below a command', words: ['app', ''], want: ['list', 'diff'] },
  { name: 'flags, once a dash is there', words: ['up', '--o'], want: ['--output', '--once'] },
  { name: 'the values that a flag names', words: ['up', '-o', ''], want: ['text', 'json'] },
  { name: 'nothing for a value of its own', words: ['app', 'diff', '--revision', ''], want: [] },
  { name: 'help everywhere', words: ['app', 'diff', '--h'], want: ['--help'] },
])('offers $name', ({ words, want }) => {
  expect(candidates(program, words).map(({ word }) => word)).toEqual(want)
})
