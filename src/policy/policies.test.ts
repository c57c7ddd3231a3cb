import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refusalOf, valueOf } from '../apiserver/apiserver.testkit.ts'
import { type PolicyWorld, policyWorld } from './policy-world.testkit.ts'

const rule = (name: string, more: string, kinds = 'Pod'): string =>
  `  - name: ${name}\n    match: {any: [{resources: {kinds: [${kinds}]}}]}\n${more.replaceAll(/^/gm, '    ')}`
const policy = (name: string, ...rules: readonly string[]): string =>
  `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: ${name}}\nspec:\n  rules:\n${rules.join('\n')}\n`
const tagged = policy(
  'tags',
  rule(
    'no-latest',
    'validate:\n  failureAction: Enforce\n  message: Use a tag\n  pattern: {spec: {containers: [{image: "!*:latest"}]}}',
  ),
)
const everything = policy(
  'nothing-goes',
  rule('deny', 'validate:\n  failureAction: Enforce\n  message: Nothing goes\n  deny: {}', '"*"'),
).replace('spec:\n', 'spec:\n  background: false\n')
const pod = (name: string, image: string, namespace = 'default'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {serviceAccountName: default, containers: [{name: a, image: "${image}"}]}\n`
const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: default}\n'

let world: PolicyWorld

beforeEach(async () => {
  world = await policyWorld()
  valueOf(await world.apply(account))
})
afterEach(() => world.stop())

describe('admission', () => {
  test('refuses with the resource, the policy, the rule, the message and the path', async () => {
    valueOf(await world.apply(tagged))
    const { message } = refusalOf(await world.apply(pod('bad', 'nginx:latest')))
    expect(message).toContain('admission webhook "validate.kyverno.svc-fail" denied the request: ')
    expect(message).toContain('resource Pod/default/bad was blocked due to the following policies')
    expect(message).toMatch(/tags:\n {2}no-latest: .*Use a tag.*\/spec\/containers\/0\/image\//s)
    valueOf(await world.apply(pod('good', 'nginx:1')))
  })

  test('changes first, and judges what it made', async () => {
    const labels = 'mutate: {patchStrategicMerge: {metadata: {labels: {team: blue}}}}'
    const check = 'validate:\n  failureAction: Enforce\n  message: m\n  pattern: {metadata: {labels: {team: blue}}}'
    valueOf(await world.apply(policy('label', rule('add', labels), rule('check', check))))
    expect(valueOf(await world.apply(pod('a', 'nginx:1'))).metadata.labels).toEqual({ team: 'blue' })
  })

  test('takes up a policy at once, and lets it go at once', async () => {
    const refused = async (): Promise<boolean> => !(await world.apply(pod('x', 'nginx:latest'), { dryRun: true })).ok
    expect(await refused()).toBe(false)
    valueOf(await world.apply(tagged))
    expect(await refused()).toBe(true)
    const policies = { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } }
    valueOf(await world.client.delete({ ...policies, name: 'tags' }))
    expect(await refused()).toBe(false)
  })

  test('a policy that refuses everything leaves the cluster mendable', async () => {
    valueOf(await world.apply(everything))
    const map = (namespace: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ${namespace}}\n`
    expect((await world.apply(map('default'))).ok).toBe(false)
    // What the cluster lives by is not governed, and neither are policies themselves.
    valueOf(await world.apply(map('kube-system')))
    valueOf(await world.apply(map('kyverno')))
    valueOf(await world.apply(tagged))
    const policies = { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } }
    valueOf(await world.client.delete({ ...policies, name: 'nothing-goes' }))
    valueOf(await world.apply(map('default')))
  })

  test('a policy that cannot work is refused with its place', async () => {
    const { message } = refusalOf(await world.apply(policy('bad', rule('nothing', 'validate: {message: m}'))))
    expect(message).toMatch(/^admission webhook "validate-policy.kyverno.svc" denied the request: spec.rules\[0\]/)
  })

  test('counts what it does under the names that dashboards know', async () => {
    valueOf(await world.apply(tagged))
    await world.apply(pod('bad', 'nginx:latest'))
    expect(world.metrics.text()).toMatch(/kyverno_policy_results_total\{[^}]*policy_name="tags"[^}]*rule_result="fail"/)
    expect(world.metrics.text()).toContain('kyverno_admission_requests_total')
  })
})

describe('the background', () => {
  const audited = tagged.replace('Enforce', 'Audit')
  const reports = () => world.find('wgpolicyk8s.io/v1alpha2', 'policyreports', 'default')

  test('reports on what is there when a policy comes, and takes it back when the policy goes', async () => {
    const made = valueOf(await world.apply(pod('bad', 'nginx:latest')))
    valueOf(await world.apply(audited))
    await world.until(async () => (await reports()).length === 1)
    expect((await reports())[0]).toMatchObject({
      metadata: { name: made.metadata.uid, ownerReferences: [{ kind: 'Pod', name: 'bad' }] },
      scope: { kind: 'Pod', name: 'bad' },
      results: [{ policy: 'tags', rule: 'no-latest', result: 'fail', scored: true, source: 'kyverno' }],
      summary: { fail: 1, pass: 0 },
    })
    const policies = { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } }
    valueOf(await world.client.delete({ ...policies, name: 'tags' }))
    await world.until(async () => (await reports()).length === 0)
  })

  test('tells violations as Events on the policy and the resource', async () => {
    valueOf(await world.apply(audited))
    valueOf(await world.apply(pod('bad', 'nginx:latest')))
    const told = async (): Promise<readonly string[]> =>
      (await world.find('v1', 'events', 'default')).map(
        ({ reason, involvedObject }) => `${String(reason)} ${(involvedObject as { readonly kind: string }).kind}`,
      )
    await world.until(async () => (await told()).length >= 2)
    expect(await told()).toEqual(expect.arrayContaining(['PolicyViolation ClusterPolicy', 'PolicyViolation Pod']))
  })

  test('leaves nothing behind of what was only tried', async () => {
    valueOf(await world.apply(audited))
    valueOf(await world.apply(pod('bad', 'nginx:latest'), { dryRun: true }))
    await world.clock.advance(2_000)
    expect(await reports()).toEqual([])
    expect(await world.find('kyverno.io/v2', 'updaterequests')).toEqual([])
  })

  const generate = policy(
    'quiet',
    rule(
      'deny-all',
      'generate:\n  apiVersion: v1\n  kind: ConfigMap\n  name: made\n  namespace: "{{request.object.metadata.name}}"\n  synchronize: true\n  data: {data: {a: b}}',
      'Namespace',
    ),
  )
  const made = () => world.find('v1', 'configmaps', 'team')
  const maps = { group: '', version: 'v1', plural: 'configmaps' }

  test('generates, restores what is deleted, and removes what a policy made with it', async () => {
    valueOf(await world.apply(generate))
    valueOf(await world.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n'))
    await world.until(async () => (await made()).length === 1)
    expect((await made())[0]).toMatchObject({
      data: { a: 'b' },
      metadata: { labels: { 'generate.kyverno.io/policy-name': 'quiet', 'generate.kyverno.io/rule-name': 'deny-all' } },
    })
    await world.until(async () => (await world.find('kyverno.io/v2', 'updaterequests')).length === 0)
    const first = (await made())[0]?.metadata.uid
    valueOf(await world.client.delete({ resource: maps, namespace: 'team', name: 'made' }))
    await world.until(async () => (await made()).some(({ metadata }) => metadata.uid !== first))
    const policies = { resource: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies' } }
    valueOf(await world.client.delete({ ...policies, name: 'quiet' }))
    await world.until(async () => (await made()).length === 0)
  })

  test('cleans up on the schedule of a policy and when the time of a label is over', async () => {
    const cleanup = `apiVersion: kyverno.io/v2\nkind: ClusterCleanupPolicy\nmetadata: {name: old}\nspec:\n  schedule: "*/5 * * * *"\n  match: {any: [{resources: {kinds: [ConfigMap], names: [old-*]}}]}\n`
    valueOf(await world.apply(cleanup))
    valueOf(await world.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old-a, namespace: default}\n'))
    valueOf(
      await world.apply(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: short, namespace: default, labels: {cleanup.kyverno.io/ttl: 30s}}\n',
      ),
    )
    const names = async (): Promise<readonly unknown[]> =>
      (await world.find('v1', 'configmaps', 'default')).map(({ metadata }) => metadata.name)
    expect(await names()).toEqual(expect.arrayContaining(['old-a', 'short']))
    await world.clock.advance(31_000)
    await world.until(async () => !(await names()).includes('short'))
    expect(await names()).toContain('old-a')
    await world.clock.advance(300_000)
    await world.until(async () => !(await names()).includes('old-a'))
  })
})
