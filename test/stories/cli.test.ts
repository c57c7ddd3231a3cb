import { expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { ops } from '../../src/cli/eval/ops.ts'
import { idp } from './idp.ts'

test.each([[[]], [['--help']], [['-h']], [['help']]])('idp %j shows every command and exits 0', async (args) => {
  const { code, stdout, stderr } = await idp(args)
  for (const { name, summary } of commands) {
    expect(stdout + stderr).toContain(name)
    expect((stdout + stderr).replace(/\s+/g, ' ')).toContain(summary)
  }
  expect(code).toBe(0)
})

test.each(commands.map(({ name }) => [name]))('idp %s --help shows usage and exits 0', async (name) => {
  const { code, stdout } = await idp([name, '--help'])
  expect(stdout).toContain(`Usage: idp ${name}`)
  expect(code).toBe(0)
})

test.each([
  [['nope'], /unknown command 'nope'/],
  [['eval', '--nope'], /unknown option '--nope'/],
  [['eval'], /missing required argument/],
  [['eval', 'nope'], /no op is called "nope": use one of/],
])('idp %j is a usage error: exit 2 and one line on stderr', async (args, message) => {
  const { code, stdout, stderr } = await idp(args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(message)
})

test('idp --version prints the version', async () => {
  const { code, stdout } = await idp(['--version'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.skipIf(ops.length === 0).each(ops.map(({ name }) => [name]))(
  'idp eval %s answers every line, even a broken one',
  async (name) => {
    const lines = ['{"id": 1}', 'not json', '[]', '', '{"id": "\\u0000x", "__proto__": 1}']
    const { code, stdout } = await idp(['eval', name], { input: `${lines.join('\n')}\n` })
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: unknown; ok: boolean; error?: { code: string } })
    expect(code).toBe(0)
    expect(answers.map((answer) => answer.id)).toEqual([1, null, null, '\u0000x'])
    expect(answers[1]?.error?.code).toBe('input-not-json')
    expect(answers[2]?.error?.code).toBe('input-not-object')
    for (const answer of answers.filter(({ ok }) => !ok))
      expect(answer.error?.code, 'no engine may throw').not.toBe('internal')
  },
)
