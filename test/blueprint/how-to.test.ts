import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parseYamlDocuments } from '../../src/lib/yaml.ts'
import { idp } from '../stories/idp.ts'
import { faultsOf } from './faults.testkit.ts'
import { renderPlatform } from './platform.testkit.ts'

const folder = join(import.meta.dirname, '..', '..', 'docs', 'how-to')

/** The files that a how-to has its reader write: a path in backquotes that ends a line, then a block. */
function filesOf(page: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(folder, page), 'utf8')
  const blocks = text.matchAll(/`([\w./-]+\.yaml)`:\n\n {3}```yaml\n((?: {3}.*\n|\n)*?) {3}```/g)
  return Object.fromEntries(
    [...blocks].map(([, path = '', block = '']) => [path, block.replaceAll(/^ {3}/gm, '')] as const),
  )
}

const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))

test.each(pages)('every file that %s shows is YAML, and has a place in a platform', (page) => {
  const files = filesOf(page)
  const shown = readFileSync(join(folder, page), 'utf8').match(/```yaml/g) ?? []
  expect(Object.keys(files)).toHaveLength(shown.length)
  expect(shown.length).toBeGreaterThan(0)
  for (const [file, text] of Object.entries(files)) expect(parseYamlDocuments(text, { file }).ok, file).toBe(true)
})

test.each([
  {
    page: 'add-a-stack.md',
    list: { 'IT/4-gitops/kustomization.yaml': 'stack-data.yaml' },
    applications: ['data-governance'],
  },
  { page: 'add-a-team.md', list: {}, applications: ['shop-cart', 'tenancy-shop'] },
  { page: 'add-a-playbook.md', list: {}, applications: ['events-greeting'] },
  {
    page: 'add-a-policy.md',
    list: { 'Policies/kustomization.yaml': 'workloads/replicas.yaml' },
    applications: [],
  },
])('doing what $page says makes $applications, and nothing that is refused', async ({ page, list, applications }) => {
  const before = await renderPlatform()
  const changes: Record<string, string> = { ...filesOf(page) }
  for (const [path, line] of Object.entries(list)) changes[path] = `${before.files.get(path) ?? ''}  - ${line}\n`
  const after = await renderPlatform(changes)
  const names = new Set(before.applications.map(({ name }) => name))
  expect(
    after.applications
      .map(({ name }) => name)
      .filter((name) => !names.has(name))
      .toSorted(),
  ).toEqual(applications)
  expect(await faultsOf(after)).toEqual([])
})

test.each([
  {
    page: 'add-a-policy.md',
    args: ['policy', 'test', 'Policies/tests/replicas'],
    want: '2 tests passed and 0 tests failed',
  },
  { page: 'add-a-playbook.md', args: ['events', 'test', 'K8s/events/greeting'], want: '2 of 2 pass' },
])('the tests that $page shows pass', async ({ page, args, want }) => {
  const blueprint = await renderPlatform(filesOf(page))
  const platform = mkdtempSync(join(tmpdir(), 'idp-how-to-'))
  try {
    for (const [path, text] of blueprint.files) {
      mkdirSync(dirname(join(platform, path)), { recursive: true })
      writeFileSync(join(platform, path), text)
    }
    const { code, stdout } = await idp(args, { cwd: platform })
    expect(stdout).toContain(want)
    expect(code).toBe(0)
  } finally {
    rmSync(platform, { recursive: true, force: true })
  }
})
