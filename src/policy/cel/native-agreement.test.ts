import { expect, test } from 'vitest'
import { mutatingAdmissionPolicies } from '../../apiserver/admission/policies/mutating.ts'
import { type PolicyPorts, validatingAdmissionPolicies } from '../../apiserver/admission/policies/plugin.ts'
import { clusterOf, writing } from '../../apiserver/admission/plugins.testkit.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { KubeObject } from '../../kube/object.ts'
import { readData } from '../../lib/data-file.ts'
import { creating, objectOf, policyFrom, worldOf } from './cel.testkit.ts'

const schemas = builtinSchemas(readData)
const map = objectOf(
  '{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: team, labels: { app: web } }, data: { one: "1" } }',
)
const constraints = (more = ''): string =>
  `  matchConstraints: { resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] } ]${more} }`

const policy = (kind: string, spec: string): KubeObject =>
  objectOf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata: { name: rules }
spec:
${spec}`)
const binding = (kind: string): KubeObject =>
  policy(`${kind}Binding`, '  policyName: rules\n  validationActions: [Deny]')

function ports(objects: Readonly<Record<string, readonly KubeObject[]>>): PolicyPorts {
  return {
    reader: clusterOf({
      ...objects,
      namespaces: [objectOf('{ apiVersion: v1, kind: Namespace, metadata: { name: team } }')],
    }),
    authorizer: () => ({ allowed: false, because: 'test' }),
    find: () => undefined,
    schemaOf: (kind) => schemas.schemaOf(kind),
  }
}

test.each([
  `${constraints()}\n  validations: [ { expression: "size(object.data) == 1" } ]`,
  `${constraints()}\n  validations: [ { expression: "size(object.data) == 2", message: two } ]`,
  `${constraints()}\n  validations: [ { expression: "false", message: fixed, messageExpression: "'computed ' + object.metadata.name" } ]`,
  `${constraints()}\n  validations: [ { expression: "object.nope == 1" } ]`,
  `${constraints()}\n  failurePolicy: Ignore\n  validations: [ { expression: "object.nope == 1" } ]`,
  `${constraints()}\n  matchConditions: [ { name: a, expression: "object.metadata.name == 'b'" } ]\n  validations: [ { expression: "false" } ]`,
  `${constraints(', objectSelector: { matchLabels: { app: db } }')}\n  validations: [ { expression: "false" } ]`,
  `${constraints(", excludeResourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [configmaps], resourceNames: [a] } ]")}\n  validations: [ { expression: "false" } ]`,
  `${constraints()}\n  variables: [ { name: n, expression: "object.metadata.name" } ]\n  validations: [ { expression: "request.operation == 'CREATE' && namespaceObject.metadata.name == 'team'" } ]`,
])('the API server and the policy engine agree: %s', async (spec) => {
  const kind = 'ValidatingAdmissionPolicy'
  const made = policy(kind, spec.replace('name: n,', 'name: own,'))
  const plugin = validatingAdmissionPolicies(
    ports({ validatingadmissionpolicies: [made], validatingadmissionpolicybindings: [binding(kind)] }),
  )
  const verdict = await plugin.validate?.(writing('configmaps', map), new AbortController().signal)
  const world = { ...worldOf(), bindings: [binding(kind)] }
  const { rules } = policyFrom(JSON.stringify(made)).evaluate('validate', creating(map), world)
  const denied = rules.filter((rule) => rule.verdict === 'fail' || rule.verdict === 'error')
  expect(verdict?.allowed).toBe(denied.length === 0)
  for (const { message } of denied) expect(verdict?.allowed === false ? verdict.status.message : '').toContain(message)
})

test.each([
  `${constraints()}\n  mutations: [ { patchType: ApplyConfiguration, applyConfiguration: { expression: 'Object{data: {"two": "2"}}' } } ]`,
  `${constraints()}\n  mutations: [ { patchType: JSONPatch, jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/data/one"}]' } } ]`,
  `${constraints()}\n  matchConditions: [ { name: a, expression: "false" } ]\n  mutations: [ { patchType: JSONPatch, jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/data/one"}]' } } ]`,
])('they change objects alike: %s', async (spec) => {
  const kind = 'MutatingAdmissionPolicy'
  const made = policy(kind, spec)
  const plugin = mutatingAdmissionPolicies(
    ports({ mutatingadmissionpolicies: [made], mutatingadmissionpolicybindings: [binding(kind)] }),
  )
  const mutation = await plugin.mutate?.(writing('configmaps', map), new AbortController().signal)
  const answer = policyFrom(JSON.stringify(made)).evaluate('mutate', creating(map), worldOf())
  expect(mutation?.allowed === true ? (mutation.object ?? map) : undefined).toEqual(answer.object)
})
