import { describe, expect, test } from 'vitest'
import { objectOf } from './cel.testkit.ts'
import { compileCelPolicy } from './cel-family.ts'
import { type FindCollections, nativeOfClassic } from './native-of-classic.ts'
import { nativeOfMutating, nativeOfValidating } from './native-pair.ts'

const exception = objectOf(`
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: { name: e }
spec:
  policyRefs: [ { name: p, kind: ValidatingPolicy } ]
  matchConditions: [ { name: spare, expression: "object.metadata.name == 'x'" } ]
  allowedValues: [ a, b ]`)

describe('a ValidatingPolicy', () => {
  const policy = (more: string): ReturnType<typeof objectOf> =>
    objectOf(`
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: p, uid: u, labels: { reports.kyverno.io/disabled: '' } }
spec:
  matchConstraints: { resourceRules: [ { apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] } ] }
  validations: [ { expression: "object.metadata.name in exceptions.allowedValues" } ]
${more}`)

  test('becomes a ValidatingAdmissionPolicy where it asks for one', () => {
    const pair = nativeOfValidating(policy('  autogen: { validatingAdmissionPolicy: { enabled: true } }'), [exception])
    expect(pair).toMatchObject({
      ok: true,
      value: {
        policy: {
          kind: 'ValidatingAdmissionPolicy',
          metadata: {
            name: 'vpol-p',
            labels: { 'app.kubernetes.io/managed-by': 'kyverno', 'reports.kyverno.io/disabled': 'true' },
            ownerReferences: [{ kind: 'ValidatingPolicy', name: 'p', uid: 'u' }],
          },
          spec: {
            variables: [{ name: 'allowedValues', expression: "['a', 'b']" }],
            validations: [{ expression: 'object.metadata.name in variables.allowedValues' }],
            matchConditions: [{ name: 'spare', expression: "!(object.metadata.name == 'x')" }],
          },
        },
        binding: { metadata: { name: 'vpol-p-binding' }, spec: { policyName: 'vpol-p', validationActions: ['Deny'] } },
      },
    })
    expect(pair.ok && compileCelPolicy(pair.value.policy).ok).toBe(true)
  })

  test('stays as it is otherwise, and says why', () => {
    expect(nativeOfValidating(policy(''), [])).toMatchObject({ error: [{ message: /not enabled/ }] })
    const pods = objectOf(`
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: p }
spec:
  autogen: { validatingAdmissionPolicy: { enabled: true } }
  matchConstraints: { resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] } ] }`)
    expect(nativeOfValidating(pods, [])).toMatchObject({ error: [{ message: /autogen is enabled/ }] })
  })
})

test('a MutatingPolicy becomes a MutatingAdmissionPolicy', () => {
  const policy = objectOf(`
apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: p, uid: u }
spec:
  autogen: { mutatingAdmissionPolicy: { enabled: true } }
  matchConstraints: { resourceRules: [ { apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] } ] }
  mutations: [ { patchType: JSONPatch, jsonPatch: { expression: '[]' } } ]`)
  expect(nativeOfMutating(policy, [])).toMatchObject({
    value: {
      policy: {
        metadata: { name: 'mpol-p' },
        spec: { reinvocationPolicy: 'Never', mutations: [{ patchType: 'JSONPatch' }] },
      },
      binding: { spec: { policyName: 'mpol-p' } },
    },
  })
})

describe('a ClusterPolicy', () => {
  const find: FindCollections = ({ kind }) =>
    kind === 'Pod'
      ? [{ group: '', version: 'v1', plural: 'pods' }]
      : kind === 'Deployment'
        ? [{ group: 'apps', version: 'v1', plural: 'deployments' }]
        : []
  const policy = (match: string, more = ''): ReturnType<typeof objectOf> =>
    objectOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: p, uid: u }
spec:
  validationFailureAction: Enforce
  rules:
    - name: r
      match: ${match}
${more}
      validate: { cel: { generate: true, expressions: [ { expression: "true" } ] } }`)

  test('with one rule in CEL becomes a ValidatingAdmissionPolicy', () => {
    const pair = nativeOfClassic(
      policy(
        '{ any: [ { resources: { kinds: [Pod, apps/v1/Deployment], operations: [CREATE], namespaces: [a] } } ] }',
        '      exclude: { any: [ { resources: { namespaces: [kube-system] } } ] }',
      ),
      [],
      find,
    )
    expect(pair).toMatchObject({
      value: {
        policy: {
          spec: {
            matchConstraints: {
              resourceRules: [
                { apiGroups: [''], resources: ['pods', 'pods/ephemeralcontainers'], operations: ['CREATE'] },
                { apiGroups: ['apps'], resources: ['deployments'] },
              ],
              namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', values: ['a'] }] },
              excludeResourceRules: [{ resources: ['namespaces'], resourceNames: ['kube-system'] }],
            },
            validations: [{ expression: 'true' }],
          },
        },
        binding: { spec: { policyName: 'cpol-p', validationActions: ['Deny'] } },
      },
    })
  })

  test.each([
    ['{ any: [ { resources: { kinds: [Pod] }, subjects: [ { kind: User, name: a } ] } ] }', 'Subjects'],
    ['{ any: [ { resources: { kinds: [Pod], names: ["a*"] } } ] }', 'wildcards in resource name'],
    ['{ all: [ { resources: { kinds: [Pod] } }, { resources: { kinds: [Pod] } } ] }', "multiple 'all'"],
    ['{ any: [ { resources: { kinds: [Nope] } } ] }', 'no unique match'],
  ])('does not with match %s', (match, because) => {
    expect(nativeOfClassic(policy(match), [], find)).toMatchObject({
      ok: false,
      error: [{ message: expect.stringContaining(because) }],
    })
  })
})
