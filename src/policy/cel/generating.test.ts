import { describe, expect, test } from 'vitest'
import { ask, objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'
import { celFamily, compileCelPolicy } from './cel-family.ts'

const policy = (spec: string, kind = 'GeneratingPolicy', metadata = '{ name: make }'): string => `
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: ${metadata}
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [namespaces] }
${spec}`
const namespace = objectOf('{ apiVersion: v1, kind: Namespace, metadata: { name: team, labels: { env: test } } }')
const generated = (text: string, facts: Parameters<typeof worldOf>[0] = []): unknown => {
  const answer = ask(policyFrom(text), namespace, worldOf(facts), 'generate')
  return answer.rules[0]?.verdict === 'pass' ? answer.rules[0].generated : said(answer)
}

describe('a GeneratingPolicy', () => {
  test('makes what it is told to, where it is told to', () => {
    const spec = `  evaluation: { synchronize: { enabled: true } }
  variables:
    - name: all
      expression: >-
        [{ "apiVersion": dyn("v1"), "kind": dyn("ConfigMap"), "metadata": dyn({"name": "a", "annotations": {"x": "1"}}), "data": dyn({"n": "1"}) },
         { "apiVersion": dyn("v1"), "kind": dyn("Namespace"), "metadata": dyn({"name": "b"}) }]
  generate: [ { expression: "generator.apply(object.metadata.name, variables.all)" } ]`
    expect(generated(policy(spec))).toMatchObject([
      {
        synchronize: true,
        resource: { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'team' }, data: { n: '1' } },
      },
      { resource: { kind: 'Namespace', metadata: { name: 'b' } } },
    ])
  })

  test('copies what it reads, without what only the server sets', () => {
    const spec = `  generate: [ { expression: "generator.Apply(object.metadata.name, [resource.Get('v1', 'secrets', 'base', 's')])" } ]`
    const need = { what: 'resource', apiVersion: 'v1', plural: 'secrets', namespace: 'base', name: 's' } as const
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'base',
        uid: 'u',
        resourceVersion: '4',
        ownerReferences: [],
        labels: { a: 'b' },
      },
      data: { k: 'dg==' },
    }
    expect(generated(policy(spec), [[need, secret]])).toEqual([
      {
        resource: {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 's', namespace: 'team', labels: { a: 'b' } },
          data: { k: 'dg==' },
        },
        source: { apiVersion: 'v1', kind: 'Secret', namespace: 'base', name: 's' },
        synchronize: false,
        orphanDownstreamOnPolicyDelete: false,
        useServerSideApply: false,
      },
    ])
  })

  test('fills in a template', () => {
    const spec = `  variables: [ { name: labels, expression: "object.metadata.labels" } ]
  generate:
    - template:
        interpolate: cel
        value: |
          apiVersion: v1
          kind: ConfigMap
          metadata:
            name: (( object.metadata.name ))-config
            namespace: (( object.metadata.name ))
            labels: (( variables.labels ))
          data:
            count: "(( string(size(':)')) )) of \\\\((x"
            list: (( string([1, 2].size() > 1 ? "a)" :"b") ))
          ---
          apiVersion: v1
          kind: ConfigMap
          metadata: { name: plain, namespace: other }`
    expect(generated(policy(spec))).toMatchObject([
      {
        resource: {
          metadata: { name: 'team-config', namespace: 'team', labels: { env: 'test' } },
          data: { count: '2 of ((x', list: 'a)' },
        },
      },
      { resource: { metadata: { name: 'plain', namespace: 'other' } } },
    ])
  })

  test('takes a template as it is where nothing is to be filled in', () => {
    const spec = `  generate: [ { template: { value: "{ apiVersion: v1, kind: ConfigMap, metadata: { name: '((x))' } }" } } ]`
    expect(generated(policy(spec))).toMatchObject([{ resource: { metadata: { name: '((x))' } } }])
  })

  test('in a namespace reaches no other', () => {
    const kind = 'NamespacedGeneratingPolicy'
    const where = '{ name: make, namespace: home }'
    const one = (resource: string): string => `  generate: [ { expression: "generator.apply([${resource}])" } ]`
    const map = `{'apiVersion': dyn('v1'), 'kind': dyn('ConfigMap'), 'metadata': dyn({'name': 'a', 'namespace': 'away'})}`
    expect(generated(policy(one(map), kind, where))).toMatchObject([{ resource: { metadata: { namespace: 'home' } } }])
    const role = `{'apiVersion': dyn('v1'), 'kind': dyn('ClusterRole'), 'metadata': dyn({'name': 'a'})}`
    expect(String(generated(policy(one(role), kind, where)))).toMatch(/cross-scope generation denied/)
    const away = `  generate: [ { template: { value: "{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: away } }" } } ]`
    expect(String(generated(policy(away, kind, where)))).toMatch(/cross-namespace generation denied/)
  })

  test.each([
    ['a key with a placeholder', "{ '((a))': 1, apiVersion: v1 }"],
    ['a placeholder without end', "{ a: '(( b' }"],
    ['an empty placeholder', "{ a: '(( ))' }"],
    ['a list', '[1]'],
    ['nothing', ''],
    ['an expression that is none', "{ a: '(( nope ))' }"],
  ])('is refused with a template of %s', (_name, value) => {
    const spec = `  generate: [ { template: { interpolate: cel, value: ${JSON.stringify(value)} } } ]`
    expect(compileCelPolicy(objectOf(policy(spec)))).toMatchObject({
      ok: false,
      error: [{ at: expect.stringContaining('spec.generate[0].template.value') }],
    })
  })
})

describe('a DeletingPolicy', () => {
  const deleting = (conditions: string, schedule = '*/5 * * * *'): string => `
apiVersion: policies.kyverno.io/v1
kind: DeletingPolicy
metadata: { name: tidy }
spec:
  schedule: "${schedule}"
  matchConstraints: { resourceRules: [ { apiGroups: [''], apiVersions: [v1], resources: [namespaces] } ] }
  conditions: [ { name: a, expression: ${JSON.stringify(conditions)} } ]`
  test.each([
    ["object.metadata.labels.env == 'test'", 'pass: resource matched'],
    ['false', 'fail: resource did not match'],
    ['object.nope == 1', "error: expression 'object.nope == 1' resulted in error: no such key: nope"],
  ])('%s: %s', (condition, want) => {
    expect(said(ask(policyFrom(deleting(condition)), namespace, worldOf(), 'delete'))).toEqual([want])
  })

  test('needs a schedule that can be read', () => {
    expect(celFamily.lint(objectOf(deleting('true')))).toEqual([])
    expect(celFamily.lint(objectOf(deleting('true', 'often')))).toMatchObject([{ at: 'spec.schedule' }])
    expect(celFamily.lint(objectOf(deleting('true', '')))).toMatchObject([{ at: 'spec.schedule' }])
  })
})

test('an ImageValidatingPolicy is accepted and says that it is not enforced', () => {
  const compiled = policyFrom(policy('', 'ImageValidatingPolicy'))
  expect(compiled.warnings).toMatchObject([{ code: 'policy-not-enforced' }])
  expect(said(ask(compiled, namespace))).toEqual([])
})
