import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { ops } from '../../src/cli/eval/ops.ts'
import { idp, idpPath } from './idp.ts'

test.each([[[]], [['--help']], [['-h']], [['help']]])('idp %j shows every command and exits 0', async (args) => {
  const { code, stdout, stderr } = await idp(args)
  for (const { name, summary } of commands) {
    expect(stdout + stderr).toContain(name)
    expect((stdout + stderr).replace(/\s+/g, ' ')).toContain(summary)
  }
  expect(code).toBe(0)
})

test.each([...commands.map(({ name }) => [name]), ['render helm'], ['render kustomize'], ['render dir']])(
  'idp %s --help shows usage and examples and exits 0',
  async (name) => {
    const { code, stdout } = await idp([...name.split(' '), '--help'])
    expect(stdout).toContain(`Usage: idp ${name}`)
    expect(stdout).toMatch(/^Examples?:\n(?: {2}.*idp .*\n)+/m)
    expect(code).toBe(0)
  },
)

test('idp help COMMAND says all that COMMAND --help says', async () => {
  expect(await idp(['help', 'vendor'])).toEqual(await idp(['vendor', '--help']))
})

test('what a command does not need is not loaded with it', () => {
  const packages = readFileSync(idpPath, 'utf8').matchAll(/\b(?:from|import) ?"([^"./][^"]*)"/g)
  expect([...packages].map((found) => found[1]).filter((name) => !name?.startsWith('node:'))).toEqual([])
})

test.each([
  [['nope'], /unknown command 'nope'/],
  [['evl'], /unknown command 'evl' \(Did you mean eval\?\)/],
  [['render', 'nope'], /unknown command 'nope'/],
  [['render', 'helm'], /missing required argument/],
  [['eval', 'cel', 'more'], /too many arguments/],
  [['eval', '--nope'], /unknown option '--nope'/],
  [['eval'], /missing required argument/],
  [['eval', 'nope'], /no op is called "nope": use one of/],
])('idp %j is a usage error: exit 2 and one line on stderr', async (args, message) => {
  const { code, stdout, stderr } = await idp(args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(message)
  expect(stderr).toMatch(/^idp[^\n]*\n$/)
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

test.skipIf(ops.length === 0).each(ops.map(({ name }) => [name]))(
  'idp eval %s answers lines that are deep or long, and the line after them',
  async (name) => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const long = 'x'.repeat(10_000_000)
    const lines = [`{"id": ${deep}}`, `{"id": 2, "object": ${nested}}`, `{"id": 3, "document": "${long}"}`, '{"id": 4}']
    const { code, stdout } = await idp(['eval', name], { input: `${lines.join('\n')}\n` })
    const answers = stdout.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(answers.slice(0, 2)).toEqual([
      expect.stringContaining('"id":null,"ok":false,"error":{"code":"input-too-deep"'),
      expect.stringContaining('"id":2,"ok":false,"error":{"code":"input-too-deep"'),
    ])
    expect(answers.slice(2)).toEqual([expect.stringContaining('"id":3'), expect.stringContaining('"id":4')])
  },
)

test('templates refuse values that are too deep to walk', async () => {
  const requests = [400, 1_400].map((levels) => {
    return `{"template": "{{ len (toJson .) }}", "values": ${'['.repeat(levels)}${']'.repeat(levels)}}`
  })
  const { stdout } = await idp(['eval', 'gotemplate'], { input: `${requests.join('\n')}\n` })
  const answers = stdout.trimEnd().split('\n')
  expect(answers[0]).toContain('"value":"800"')
  expect(answers[1]).toContain('"code":"document-too-deep","at":"values"')
})

test('idp eval that waits for a line ends when it is told to stop', async () => {
  const child = spawn(process.execPath, [idpPath, 'eval', 'merge-patch'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  child.stdin.write('{"id": 1, "document": {}, "patch": {"a": 1}}\n')
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGTERM')
  expect(answer.toString()).toBe('{"id":1,"ok":true,"value":{"a":1}}\n')
  expect(await ended).toEqual([0, null])
})
