import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import { afterAll, expect, test } from 'vitest'
import type { Io } from '../command.ts'
import { define as defineRender } from './render.ts'
import { define as defineVendor } from './vendor.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-render-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

interface Ran {
  readonly out: string
  readonly err: string
  readonly code: number
}

async function run(define: typeof defineRender, words: readonly string[], input = ''): Promise<Ran> {
  const ran = { out: '', err: '', code: 0 }
  const stdin = new PassThrough()
  stdin.end(input)
  const io: Io = {
    stdin,
    out: (text) => (ran.out += text),
    err: (text) => (ran.err += text),
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    exit: (code) => (ran.code = code),
  }
  const command = new Command('command')
  define(command, io)
  await command.parseAsync([...words], { from: 'user' })
  return ran
}

const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`
write({
  'plain/a.yaml': `# note\n${object('a')}`,
  'plain/below/b.yaml': object('b'),
  'bad/a.yaml': 'kind: [\n',
  'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.5\n',
  'sub/templates/s.yaml': 'sub: {{ .Values.x }}\n',
  'top/Chart.yaml':
    'apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n- {name: sub, version: 0.1.x, repository: file://../sub}\n',
  'top/values.yaml': 'sub: {x: 1}\n',
  'top/templates/t.yaml': '{{ if .Values.bad }}{{ .Values.a.b }}{{ end }}top: 1\n',
})

test('a plain folder is printed as one stream', async () => {
  expect(await run(defineRender, ['dir', 'plain'])).toEqual({ out: object('a'), err: '', code: 0 })
  expect((await run(defineRender, ['dir', '-r', 'plain', '--exclude', 'a.yaml'])).out).toBe(object('b'))
})

test('a folder that cannot be read says where, and fails', async () => {
  const ran = await run(defineRender, ['dir', 'bad'])
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toMatch(/^Error: a\.yaml:\d+:\d+: cannot read YAML/)
})

test('a chart whose dependencies are missing is vendored, and then renders from its own folder', async () => {
  const before = await run(defineRender, ['helm', 'r', 'top'])
  expect([before.code, before.err]).toEqual([1, expect.stringContaining('missing in charts/ directory: sub')])
  const vendored = await run(defineVendor, ['top', '--state', 'state'])
  expect(vendored).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^sub-0\.1\.5\.tgz sha256:[0-9a-f]{64}\n$/) as unknown,
  })
  expect(readdirSync(join(folder, 'top', 'charts')).toSorted()).toEqual(['.vendor.yaml', 'sub-0.1.5.tgz'])
  const lock = readFileSync(join(folder, 'top', 'Chart.lock'), 'utf8')
  expect(await run(defineVendor, ['top', '--state', 'state'])).toEqual(vendored)
  expect(readFileSync(join(folder, 'top', 'Chart.lock'), 'utf8')).toBe(lock)
  const after = await run(defineRender, ['helm', 'r', 'top', '-f', '-'], 'sub: {x: 7}\n')
  expect(after).toEqual({
    out: '---\n# Source: top/charts/sub/templates/s.yaml\nsub: 7\n---\n# Source: top/templates/t.yaml\ntop: 1\n',
    err: '',
    code: 0,
  })
})

test('files are written instead of printed', async () => {
  const ran = await run(defineRender, ['helm', 'r', 'sub', '--output-dir', 'out', '--set', 'x=1'])
  expect(ran).toEqual({ out: 'wrote out/sub/templates/s.yaml\n\n', err: '', code: 0 })
  expect(readFileSync(join(folder, 'out/sub/templates/s.yaml'), 'utf8')).toBe(
    '---\n# Source: sub/templates/s.yaml\nsub: 1\n',
  )
})

test.each([
  [['helm', 'r', 'none'], 'Error: path "none" not found\n'],
  [['helm', 'a', 'b', 'c'], 'Error: expected at most two arguments, unexpected arguments: c\n'],
  [['helm', '-g', 'r', 'sub'], 'Error: cannot set --generate-name and also specify a name\n'],
  [['helm', 'r', 'sub', '--validate'], /^Error: --validate is not supported: /],
  [['helm', 'r', 'sub', '--post-renderer', 'x'], /^Error: --post-renderer is not supported: /],
  [['helm', 'r', 'sub', '--dialect', '2'], /^Error: --dialect 2 is not supported: /],
  [
    ['helm', 'r', 'top', '--set', 'bad=true'],
    /top\/templates\/t\.yaml:1:\d+: executing .* at <\.Values\.a\.b>: nil pointer evaluating/,
  ],
])('%j fails with a reason', async (words, want) => {
  const ran = await run(defineRender, words)
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toMatch(want)
  expect(existsSync(join(folder, 'none'))).toBe(false)
})

test('render app puts the settings of the working tree in, and says what is missing', async () => {
  const application = (path: string): string =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: a }\nspec: { source: { repoURL: x, path: ${path} }, destination: {} }\n`
  write({
    'settings/idp.yaml': 'dns: { suffix: lab.test }\n',
    'settings/web/s.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { port: "${idp.gateway.httpPort}" }\n',
    'settings/wrong/s.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: "${idp.dns.sufix}" }\n',
    'web.yaml': application('web'),
    'wrong.yaml': application('wrong'),
  })
  const good = await run(defineRender, ['app', 'web.yaml', '--repo', 'settings'])
  expect(good.out).toContain('port: 18080')
  const bad = await run(defineRender, ['app', 'wrong.yaml', '--repo', 'settings'])
  expect([bad.code, bad.out]).toEqual([1, ''])
  expect(bad.err).toMatch(/wrong\/s\.yaml.*metadata\.name refers to .*did you mean \$\{idp\.dns\.suffix\}\?/)
})
