import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { breaches, breachOf, sourcesBelow } from './imports.ts'
import { layers, lineLimit, longFiles } from './layers.ts'

const root = join(import.meta.dirname, '..', '..')
const src = join(root, 'src')

test('every import goes up the layer table, pure files stay pure, and nothing reads the clock or the process in the depths', () => {
  expect(breaches(sourcesBelow(src))).toEqual([])
})

test.each([
  ['kube/gvk.ts', '../apiserver/get.ts', /may not import apiserver/],
  ['gitops/plan.ts', '../policy/plan.ts', /share a layer/],
  ['lib/json.ts', '../cli/main.ts', /may not import cli/],
  ['helpers/x.ts', '../lib/json.ts', /not in the layer table/],
])('a forbidden import is caught: %s imports %s', (file, specifier, message) => {
  expect(breachOf(file, specifier)).toMatch(message)
})

test.each([
  ['kube/x.ts', "import { a } from '../lang/cel/index.ts'", /may not import lang/],
  ['kube/x.ts', "import { readFileSync } from 'node:fs'", /purity list/],
  ['kube/x.ts', "const x = await import('node:fs')", /purity list/],
  ['gitops/plan.ts', 'const now = Date.now()', /reads the clock/],
  ['runtime/queue.ts', 'setTimeout(() => {}, 5)', /naked timer/],
  ['gitops/x.ts', 'const home = process.env.HOME', /only cli may/],
  ['kube/x.ts', 'const n = Math.random()', /take Ids/],
])('a breach is caught in the text of a file: %s: %s', (path, text, message) => {
  expect(breaches([{ path, text }]).join('\n')).toMatch(message)
})

test('every folder under src is in the layer table and has a README of at most 30 lines', () => {
  const folders = readdirSync(src).filter((name) => statSync(join(src, name)).isDirectory())
  for (const folder of folders) {
    expect(layers.flat(), `src/${folder} is not in test/architecture/layers.ts`).toContain(folder)
    const readme = join(src, folder, 'README.md')
    expect(existsSync(readme), `src/${folder}/README.md is missing`).toBe(true)
    expect(readFileSync(readme, 'utf8').split('\n').length, readme).toBeLessThanOrEqual(31)
  }
})

test('no source file outgrows its concept', () => {
  const long = sourcesBelow(src)
    .filter(
      ({ path, text }) =>
        text.split('\n').length > lineLimit + 1 && !Object.hasOwn(longFiles, path) && !path.endsWith('.test.ts'),
    )
    .map(({ path, text }) => `${path}: ${text.split('\n').length} lines (the limit is ${lineLimit})`)
  expect(long).toEqual([])
})

test('ARCHITECTURE.md names every layer folder that exists', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const missing = readdirSync(src)
    .filter((name) => statSync(join(src, name)).isDirectory())
    .filter((name) => !text.includes(`\`${name}\``))
  expect(missing).toEqual([])
})

function markdownBelow(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (/^(node_modules|\.git|dist|\.cache|\.idp|data|testdata)$/.test(name)) return []
    return statSync(path).isDirectory() ? markdownBelow(path) : name.endsWith('.md') ? [path] : []
  })
}

test('relative links in every document resolve', () => {
  const broken = markdownBelow(root).flatMap((path) => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(
      (found) => found[1] ?? [],
    )
    return links
      .filter((link) => !/^[a-z]+:/i.test(link))
      .filter((link) => !existsSync(join(dirname(path), link)))
      .map((link) => `${path}: ${link}`)
  })
  expect(broken).toEqual([])
})

test('every problem code that the code uses is listed in docs/problems.md, and every listed code is used', () => {
  const used = new Set(
    sourcesBelow(src)
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(({ text }) =>
        [...text.matchAll(/\bcode: '([a-z][a-z0-9]*(?:-[a-z0-9]+)+)'/g)].flatMap((found) => found[1] ?? []),
      ),
  )
  const listed = new Set(
    [...readFileSync(join(root, 'docs', 'problems.md'), 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm)].flatMap(
      (found) => found[1] ?? [],
    ),
  )
  expect([...used].filter((code) => !listed.has(code)).toSorted(), 'used but not listed').toEqual([])
  expect([...listed].filter((code) => !used.has(code)).toSorted(), 'listed but not used').toEqual([])
})

test('every op of idp eval has a section with an example in docs/eval.md', () => {
  const entries = readFileSync(join(src, 'cli', 'eval', 'ops.ts'), 'utf8').matchAll(/\{ name: '([^']+)'/g)
  const sections = readFileSync(join(root, 'docs', 'eval.md'), 'utf8').split(/^## /m)
  const missing = [...entries]
    .map((found) => found[1])
    .filter((name) => !sections.some((text) => text.startsWith(`\`${name}\`\n`) && text.includes('\n```jsonl\n{')))
  expect(missing, 'add a ```jsonl block that holds a request and, below it, its answer').toEqual([])
})
