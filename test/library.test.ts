import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'idp-library-'))

/** Runs a program that imports the package as a stranger would. */
function use(source: string): unknown {
  writeFileSync(join(folder, 'use.mjs'), source)
  return JSON.parse(execFileSync(process.execPath, ['use.mjs'], { cwd: folder, encoding: 'utf8' })) as unknown
}

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build-library.mjs'], { cwd: root, stdio: 'inherit' })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'idp-blueprint'))
  return () => rmSync(folder, { recursive: true, force: true })
})

test.each([
  [
    'cel',
    "const p = it.compile(it.kubernetesEnvironment({ variables: { self: it.dynType } }), 'self.a + 1'); out = p.value.evaluate({ self: { a: 1 } }).value.value",
    2,
  ],
  ['patch', 'out = it.applyMergePatch({ a: 1, b: 1 }, { b: null }).value', { a: 1 }],
  [
    'schema',
    "out = it.validate({ spec: {} }, it.builtinSchemas(it.readData).schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })).length > 0",
    true,
  ],
  [
    'gotemplate',
    "const s = it.parseTemplates([{ name: 't', text: 'hi {{ .who }}' }], {}); out = it.execute(s.value, 't', { who: 'you' }).value",
    'hi you',
  ],
  ['yaml', "out = it.emitYaml({ b: 1, a: 'yes' })", 'a: "yes"\nb: 1\n'],
  [
    'helm',
    "const c = it.loadChart(it.memoryTree({ 'c/Chart.yaml': 'apiVersion: v2\\nname: c\\nversion: 1.0.0\\n' }), 'c'); out = c.ok",
    true,
  ],
])('idp-blueprint/%s works from outside', (name, code, want) => {
  expect(
    use(`import * as it from 'idp-blueprint/${name}'\nlet out\n${code}\nconsole.log(JSON.stringify(out))`),
  ).toEqual(want)
})

test('every subpath of the package has its types', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string }>
  }
  for (const { types } of Object.values(exports)) expect(readFileSync(join(root, types), 'utf8')).toContain('export')
})
