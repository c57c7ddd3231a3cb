import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../kube/object.ts'
import { builtinSchemas } from '../../../kube/schema/builtin.ts'
import { readData } from '../../../lib/data-file.ts'
import { clusterOf, outcomeOf, writing } from '../plugins.testkit.ts'
import { mutatingAdmissionPolicies } from './mutating.ts'
import type { PolicyPorts } from './plugin.ts'

const schemas = builtinSchemas(readData)
const everything = { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] }
const map = (data: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'team' },
  data,
})

function policy(name: string, spec: object): KubeObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: everything, ...spec },
  }
}

const bindingTo = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: `${name}-all` },
  spec: { policyName: name, ...spec },
})

const apply = (expression: string): object => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
})
const patch = (expression: string): object => ({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }] })

function ports(policies: readonly KubeObject[], bindings: readonly KubeObject[]): PolicyPorts {
  return {
    reader: clusterOf({
      mutatingadmissionpolicies: policies,
      mutatingadmissionpolicybindings: bindings,
      configmaps: [map({ to: 'limit' })],
    }),
    authorizer: () => ({ allowed: true, because: 'test' }),
    find: () => ({ group: '', plural: 'configmaps', isNamespaced: true }),
    schemaOf: (kind) => schemas.schemaOf(kind),
  }
}

const outcome = (spec: object, binding: object = {}): Promise<unknown> =>
  outcomeOf(
    mutatingAdmissionPolicies(ports([policy('p', spec)], [bindingTo('p', binding)])),
    writing('configmaps', map({ x: '1' })),
  )

describe('MutatingAdmissionPolicy', () => {
  test.each<[string, object, object, unknown]>([
    ['merges what it makes', apply('Object{data: {"z": "2"}}'), {}, { data: { x: '1', z: '2' } }],
    ['patches', patch('[JSONPatch{op: "replace", path: "/data/x", value: "9"}]'), {}, { data: { x: '9' } }],
    [
      'reads variables and parameters',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables: [{ name: 'to', expression: 'params.data.to' }],
        ...apply('Object{data: {"to": variables.to}}'),
      },
      { paramRef: { name: 'a', parameterNotFoundAction: 'Deny' } },
      { data: { x: '1', to: 'limit' } },
    ],
    [
      'leaves alone what its conditions spare',
      { matchConditions: [{ name: 'c', expression: 'false' }], ...apply('Object{data: {"z": "2"}}') },
      {},
      { data: { x: '1' } },
    ],
    [
      'leaves alone what its binding does not mean',
      apply('Object{data: {"z": "2"}}'),
      { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } },
      { data: { x: '1' } },
    ],
    [
      'passes over its failures where it says so',
      { failurePolicy: 'Ignore', ...apply('object.nope') },
      {},
      { data: { x: '1' } },
    ],
  ])('%s', async (_name, spec, binding, want) => {
    expect(await outcome(spec, binding)).toMatchObject(want as object)
  })

  test('denies what it cannot change', async () => {
    expect(await outcome(apply('Object{data: {"z": object.nope}}'))).toMatch(
      /^configmaps "a" is forbidden: policy 'p' with binding 'p-all' denied request: .*no such key: nope/,
    )
  })

  test('asks a policy once more that wants to see later changes', async () => {
    const first = policy('a', {
      reinvocationPolicy: 'IfNeeded',
      ...apply('Object{data: {"seen": string(size(object.data))}}'),
    })
    const second = policy('b', apply('Object{data: {"z": "2"}}'))
    const plugin = mutatingAdmissionPolicies(ports([second, first], [bindingTo('a'), bindingTo('b')]))
    expect(await outcomeOf(plugin, writing('configmaps', map({ x: '1' })))).toMatchObject({ data: { seen: '3' } })
  })

  test('is never asked about policies, nor about deletions', () => {
    const plugin = mutatingAdmissionPolicies(ports([policy('p', apply('Object{}'))], [bindingTo('p')]))
    expect(plugin.handles(writing('mutatingadmissionpolicies', policy('q', {})))).toBe(false)
    const { object: _object, ...deletion } = writing('configmaps', map({}))
    expect(plugin.handles({ ...deletion, operation: 'DELETE' })).toBe(false)
  })
})
