import { describe, expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { memoryTree } from '../../lib/file-tree.ts'
import type { Result } from '../../lib/result.ts'
import { buildKustomization, kindTable, type KustomizeBuild, type KustomizeOptions } from './build-kustomization.ts'

const table = kindTable(readData)

const build = (
  files: Readonly<Record<string, string>>,
  path: string = '',
  options: Partial<KustomizeOptions> = {},
): Result<KustomizeBuild> => buildKustomization(memoryTree(files), path, { table, ...options })

const refusal = (built: Result<KustomizeBuild>): string =>
  built.ok ? built.value.text : (built.error[0]?.message ?? '')

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n'

test('prints resources sorted, with prefixes and namespaces, and tells what was read', () => {
  const built = build(
    {
      'base/kustomization.yaml': 'resources: [service.yaml]\n',
      'base/service.yaml': service,
      'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: prod-\nnamespace: shop\n',
    },
    'prod',
  )
  expect(built).toMatchObject({
    ok: true,
    value: { reads: ['base/kustomization.yaml', 'base/service.yaml', 'prod/kustomization.yaml'] },
  })
  expect(refusal(built)).toBe(
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: prod-web\n  namespace: shop\nspec:\n  ports:\n  - port: 80\n',
  )
})

test('remembers where a manifest came from and what changed it', () => {
  const built = build(
    {
      'base/kustomization.yaml': 'resources: [service.yaml]\n',
      'base/service.yaml': service,
      'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: prod-\n',
    },
    'prod',
  )
  expect(built).toMatchObject({
    ok: true,
    value: {
      manifests: [
        {
          origin: { path: '../base/service.yaml' },
          transformations: [{ configuredIn: 'kustomization.yaml', configuredBy: { kind: 'PrefixTransformer' } }],
        },
      ],
    },
  })
})

describe('refuses', () => {
  const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
  test.each([
    {
      name: 'a file outside the folder of the kustomization',
      files: { 'a/kustomization.yaml': 'configMapGenerator:\n- {name: x, files: [../secret]}\n', secret: 's' },
      path: 'a',
      says: "security; file '/secret' is not in or below '/a'",
    },
    {
      name: 'a path that leaves the tree',
      files: { 'kustomization.yaml': 'resources: [../../../etc]\n' },
      says: 'leads out of the tree',
    },
    {
      name: 'bases that refer to each other',
      files: { 'a/kustomization.yaml': 'resources: [../b]\n', 'b/kustomization.yaml': 'resources: [../a]\n' },
      path: 'a',
      says: 'cycle detected',
    },
    {
      name: 'the same resource twice',
      files: { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'a.yaml': service, 'b.yaml': service },
      says: 'may not add resource with an already registered id: Service.v1.[noGrp]/web.[noNs]',
    },
    {
      name: 'a bomb of aliases',
      files: {
        'kustomization.yaml': 'resources: [bomb.yaml]\n',
        'bomb.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
          .split('')
          .map(
            (name, index) =>
              `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index] ?? ''}`).join(',')}]\n`,
          )
          .join('')}`,
      },
      says: 'too much',
    },
    {
      name: 'a resource that is nested without end',
      files: { 'kustomization.yaml': 'resources: [deep.yaml]\n', 'deep.yaml': deep },
      says: 'accumulating resources',
    },
    {
      name: 'a base on the network when there is none',
      files: { 'kustomization.yaml': 'resources: ["https://github.com/acme/base?ref=v1"]\n' },
      says: 'no access to the network',
    },
    {
      name: 'a field that kustomizations do not have',
      files: { 'kustomization.yaml': 'resourcez: [a]\n' },
      says: 'json: unknown field "resourcez"',
    },
  ])('$name', ({ files, path = '', says }) => {
    const built = build(files, path)
    expect(built.ok).toBe(false)
    expect(refusal(built)).toContain(says)
  })
})

test('stops at bases that double with every level', () => {
  const files: Record<string, string> = { 'l0/kustomization.yaml': 'namePrefix: x\n' }
  for (let level = 1; level < 40; level++) {
    files[`l${level}/kustomization.yaml`] = `resources: [../l${level - 1}, ../l${level - 1}]\n`
  }
  const built = build(files, 'l39')
  expect(built.ok).toBe(false)
  expect(refusal(built)).toContain('more than 10000 kustomizations')
})

test('takes hostile keys for data', () => {
  const text =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"__proto__":"p","constructor":"c"}}'
  const built = build({
    'kustomization.yaml': 'resources: [x.yaml]\ncommonAnnotations: {"__proto__": a}\n',
    'x.yaml': text,
  })
  expect(refusal(built)).toContain('data:\n  __proto__: p\n  constructor: c\n')
  expect(refusal(built)).toContain('annotations:\n    __proto__: a\n')
})

test('answers a pattern that would never end in other engines', () => {
  const built = build({
    'kustomization.yaml': `resources: [x.yaml]\npatches:\n- target: {name: "(a+)+$"}\n  patch: '[{"op":"add","path":"/spec/x","value":1}]'\n`,
    'x.yaml': service.replace('web', `${'a'.repeat(60)}b`),
  })
  expect(built.ok).toBe(true)
})

describe('charts', () => {
  const files = {
    'kustomization.yaml':
      'namespace: shop\nhelmCharts:\n- {name: app, releaseName: rel, valuesInline: {a: 2, list: [z]}, additionalValuesFiles: [more.yaml]}\n',
    'more.yaml': 'c: 3\n',
    'charts/app/values.yaml': 'a: 1\nb: 1\nlist: [x, y]\n',
  }

  test('are refused until somebody renders them', () => {
    expect(refusal(build(files))).toContain('must specify --enable-helm')
  })

  test('get the values of the chart, what stands inline over them, and more files', () => {
    const asked: unknown[] = []
    const built = build(files, '', {
      helm(request) {
        asked.push({ path: request.path, values: request.values, name: request.chart.releaseName })
        return { ok: true, value: service }
      },
    })
    expect(asked).toEqual([{ path: 'charts/app', values: ['a: 2\nb: 1\nlist:\n- z\n', 'c: 3\n'], name: 'rel' }])
    expect(refusal(built)).toContain('namespace: shop')
  })

  test('that are nowhere are named', () => {
    const built = build({ 'kustomization.yaml': 'helmCharts: [{name: gone}]\n' }, '', {
      helm: () => ({ ok: true, value: '' }),
    })
    expect(refusal(built)).toContain("no chart found at '/charts/gone'")
  })
})

test('takes remote bases from whoever brings them', () => {
  const built = build(
    { 'kustomization.yaml': 'resources: ["https://github.com/acme/base//app?ref=v1"]\nnamePrefix: x-\n' },
    '',
    {
      remote: {
        folder: () => ({
          tree: memoryTree({ 'app/kustomization.yaml': 'resources: [s.yaml]\n', 'app/s.yaml': service }),
          path: 'app',
        }),
        file: () => undefined,
      },
    },
  )
  expect(refusal(built)).toContain('name: x-web')
})
