import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { valueOf } from '../../../apiserver/apiserver.testkit.ts'
import { emitYamlDocuments } from '../../../lib/yaml.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { objectsOf, type PolicyWorld, policyWorld } from '../../../policy/policy-world.testkit.ts'
import { rowsOf } from '../../../policy/reports/report-summary.ts'
import { define } from '../policy.ts'

const match = { any: [{ resources: { kinds: ['Pod'] } }] }
const classic = (name: string, ...rules: readonly object[]): KubeObject => ({
  apiVersion: 'kyverno.io/v1',
  kind: 'ClusterPolicy',
  metadata: { name, annotations: { 'pod-policies.kyverno.io/autogen-controllers': 'none' } },
  spec: { rules: rules.map((validate, index) => ({ name: `r${index}`, match, ...validate })) },
})
const validate = (check: object): object => ({ validate: { failureAction: 'Audit', message: 'm', ...check } })
const conditions = (key: string, operator: string, value: unknown): object => ({
  conditions: { any: [{ key, operator, value }] },
})

const policies: readonly KubeObject[] = [
  classic(
    'patterns',
    validate({ pattern: { spec: { containers: [{ image: '!*:latest' }] } } }),
    validate({ pattern: { spec: { containers: [{ '(image)': '*:latest', imagePullPolicy: 'Always' }] } } }),
    validate({ pattern: { spec: { containers: [{ '=(securityContext)': { '=(privileged)': false } }] } } }),
    validate({ pattern: { spec: { '^(containers)': [{ name: 'side' }] } } }),
    validate({ anyPattern: [{ metadata: { labels: { a: '?*' } } }, { metadata: { labels: { b: '>2' } } }] }),
    validate({ pattern: { spec: { containers: [{ resources: { limits: { memory: '<=1Gi' } } }] } } }),
  ),
  classic(
    'conditions',
    validate({ deny: conditions("{{ request.object.metadata.labels.a || 'none' }}", 'Equals', 'none') }),
    validate({ deny: conditions('{{ request.object.spec.containers | length(@) }}', 'GreaterThan', 1) }),
    {
      preconditions: {
        all: [{ key: "{{ request.object.metadata.labels.b || '0' }}", operator: 'GreaterThan', value: 2 }],
      },
      ...validate({ pattern: { metadata: { labels: { a: '?*' } } } }),
    },
    validate({ deny: conditions('{{ request.object.metadata.labels.nope }}', 'Equals', 'x') }),
  ),
  classic(
    'loops',
    validate({
      foreach: [
        {
          list: 'request.object.spec.containers',
          preconditions: { any: [{ key: '{{ element.name }}', operator: 'NotEquals', value: 'skipped' }] },
          pattern: { image: 'registry.example.com/*' },
        },
      ],
    }),
  ),
  classic(
    'standards',
    validate({ podSecurity: { level: 'baseline', version: 'latest' } }),
    validate({ podSecurity: { level: 'restricted', version: 'v1.29' } }),
  ),
  classic(
    'expressions',
    validate({
      cel: { expressions: [{ expression: "has(object.metadata.labels) && 'a' in object.metadata.labels" }] },
    }),
  ),
  {
    apiVersion: 'policies.kyverno.io/v1beta1',
    kind: 'ValidatingPolicy',
    metadata: { name: 'cel' },
    spec: {
      validationActions: ['Audit'],
      autogen: { podControllers: { controllers: [] } },
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] },
        ],
      },
      variables: [{ name: 'images', expression: 'object.spec.containers.map(c, c.image)' }],
      validations: [{ expression: "variables.images.all(i, !i.endsWith(':latest'))", message: 'latest' }],
    },
  },
]

const pod = (name: string, labels: Record<string, string>, containers: readonly object[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...(Object.keys(labels).length > 0 ? { labels } : {}) },
  spec: { serviceAccountName: 'default', containers },
})
const pods: readonly KubeObject[] = [
  pod('plain', {}, [{ name: 'side', image: 'nginx:1' }]),
  pod('latest', { a: 'x' }, [{ name: 'main', image: 'nginx:latest', imagePullPolicy: 'IfNotPresent' }]),
  pod('many', { b: '3' }, [
    { name: 'skipped', image: 'nginx:1', imagePullPolicy: 'Always' },
    { name: 'side', image: 'registry.example.com/a:2', resources: { limits: { memory: '512Mi' } } },
  ]),
  pod('bold', { a: 'x', b: '1' }, [{ name: 'main', image: 'nginx:1', securityContext: { privileged: true } }]),
]

/** Every verdict by policy, rule and Pod. */
type Verdicts = Readonly<Record<string, string>>

const sorted = (entries: readonly (readonly [string, string])[]): Verdicts =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))

let folder: string
const worlds: PolicyWorld[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'idp-agreement-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  for (const world of worlds) await world.stop()
})

async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [code, out, err] = [0, '', '']
  const command = new Command('policy').exitOverride()
  define(command, {
    stdin: Readable.from([]),
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    exit: (value) => (code = value),
  })
  await command.parseAsync([...args], { from: 'user' })
  return { code, out, err }
}

/** The policies with one of the two ways of asking them switched off. */
function only(way: 'admission' | 'background'): readonly KubeObject[] {
  const other = way === 'admission' ? 'background' : 'admission'
  return policies.map((policy) => {
    const spec = policy['spec'] as object
    const isCel = policy.kind === 'ValidatingPolicy'
    return {
      ...policy,
      spec: { ...spec, ...(isCel ? { evaluation: { [other]: { enabled: false } } } : { [other]: false }) },
    }
  })
}

/** What the reports of a cluster say in which the first things were there before the second. */
async function reported(first: readonly KubeObject[], second: readonly KubeObject[], count: number): Promise<Verdicts> {
  const world = await policyWorld()
  worlds.push(world)
  valueOf(await world.apply('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: default}\n'))
  for (const object of [...first, ...second]) valueOf(await world.apply(emitYamlDocuments([object])))
  const rows = async () => rowsOf(await world.find('wgpolicyk8s.io/v1alpha2', 'policyreports', 'default'))
  await world.until(async () => (await rows()).length >= count)
  await world.clock.advance(500)
  return sorted(
    (await rows()).map(({ policy, rule = '', name, result }) => [`${policy}/${rule} ${name}`, result] as const),
  )
}

test('admission, a background scan, apply and test give the same verdicts', async () => {
  writeFileSync(join(folder, 'policies.yaml'), emitYamlDocuments(policies))
  // What the API server fills in is there for all four.
  const world = await policyWorld({ isBackground: false })
  worlds.push(world)
  valueOf(await world.apply('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: default}\n'))
  const complete: KubeObject[] = []
  for (const one of pods) complete.push(valueOf(await world.apply(emitYamlDocuments([one]))))
  writeFileSync(join(folder, 'pods.yaml'), emitYamlDocuments(complete))

  const applied = await run('apply', 'policies.yaml', '--resource', 'pods.yaml', '-o', 'json')
  expect(applied.err).toBe('')
  const { results } = JSON.parse(applied.out) as {
    readonly results: readonly {
      readonly policy: string
      readonly rule: string
      readonly resource: string
      readonly result: string
    }[]
  }
  const byApply = sorted(
    results.map(({ policy, rule, resource, result }) => [
      `${policy}/${rule} ${resource.split('/').at(-1) ?? ''}`,
      result,
    ]),
  )
  expect(new Set(Object.values(byApply))).toEqual(new Set(['pass', 'fail', 'skip', 'error']))
  const count = Object.keys(byApply).length
  expect(await reported(only('admission'), pods, count)).toEqual(byApply)
  expect(await reported(pods, only('background'), count)).toEqual(byApply)

  const expectations = results.map(({ policy, rule, resource, result }) => ({
    policy,
    ...(rule === '' ? {} : { rule }),
    kind: 'Pod',
    resources: [resource.split('/').at(-1)],
    result,
    ...(policy === 'cel' ? { isValidatingPolicy: true } : {}),
  }))
  const testFile = {
    apiVersion: 'cli.kyverno.io/v1alpha1',
    kind: 'Test',
    metadata: { name: 't' },
    policies: ['policies.yaml'],
    resources: ['pods.yaml'],
    results: expectations,
  }
  writeFileSync(join(folder, 'kyverno-test.yaml'), emitYamlDocuments([testFile]))
  const tested = await run('test', folder)
  expect(tested.out).toContain(`Test Summary: ${count} tests passed and 0 tests failed`)
  expect(objectsOf(emitYamlDocuments([testFile]))).toHaveLength(1)
})
