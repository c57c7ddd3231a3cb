import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { deepFreeze } from '../../lib/json.ts'
import { builtinSchemas } from './builtin.ts'
import { decodeBuiltin } from './decode.ts'
import type { Schema } from './schema.ts'

const schemas = builtinSchemas(readData)
const of = (group: string, version: string, kind: string): Schema => schemas.schemaOf({ group, version, kind }) ?? {}
const deployment = of('apps', 'v1', 'Deployment')
const decode = (value: unknown, schema: Schema): unknown => {
  const decoded = decodeBuiltin(deepFreeze(value), schema)
  return decoded.ok ? decoded.value : decoded.error[0]?.message
}

test.each([
  [
    { spec: { replicas: 'three' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { replicas: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { replicas: 3e9 } },
    'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { template: { spec: { containers: [{ image: 1 }] } } } },
    'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string',
  ],
  [
    { spec: { template: { spec: { containers: {} } } } },
    'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
  ],
  [
    { metadata: { labels: { a: true } } },
    'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels.a of type string',
  ],
  [
    { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'much' } } }] } } } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [[], 'json: cannot unmarshal array into Go value of type v1.Deployment'],
])('%j cannot be a Deployment', (value, want) => {
  expect(decode(value, deployment)).toBe(want)
})

test('unknown fields are named and left out, and names are case-sensitive', () => {
  expect(
    decode(
      { Kind: 'x', spec: { replica: 1, template: { spec: { containers: [{ name: 'a', img: 'b' }] } } } },
      deployment,
    ),
  ).toEqual({
    value: { spec: { template: { spec: { containers: [{ name: 'a' }] } } } },
    unknown: ['Kind', 'spec.replica', 'spec.template.spec.containers[0].img'],
  })
})

test('null is absent, and empty optional lists and maps are left out, but not empty structs', () => {
  const value = {
    metadata: { creationTimestamp: null, labels: {}, annotations: { a: null } },
    spec: {
      replicas: 0,
      selector: { matchLabels: {} },
      template: { spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }], tolerations: [] } },
    },
    status: {},
  }
  expect(decode(value, deployment)).toEqual({
    unknown: [],
    value: {
      metadata: { annotations: { a: '' } },
      spec: {
        replicas: 0,
        selector: {},
        template: { spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }] } },
      },
      status: {},
    },
  })
})

test('quantities and times are written the canonical way', () => {
  const pod = of('', 'v1', 'Pod')
  const value = {
    metadata: { creationTimestamp: '2024-01-01T02:00:00+02:00' },
    spec: {
      containers: [{ name: 'a', resources: { limits: { cpu: 0.5, memory: '1024Mi' }, requests: { cpu: '1000m' } } }],
    },
  }
  expect(decode(value, pod)).toMatchObject({
    value: {
      metadata: { creationTimestamp: '2024-01-01T00:00:00Z' },
      spec: { containers: [{ resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '1' } } }] },
    },
  })
  const lease = of('coordination.k8s.io', 'v1', 'Lease')
  expect(decode({ spec: { renewTime: '2024-01-01T00:00:00.123456Z' } }, lease)).toMatchObject({
    value: { spec: { renewTime: '2024-01-01T00:00:00.123456Z' } },
  })
})

test('bytes are base64', () => {
  const secret = of('', 'v1', 'Secret')
  expect(decode({ data: { a: 'YWI=' } }, secret)).toEqual({ value: { data: { a: 'YWI=' } }, unknown: [] })
  expect(decode({ data: { a: 'plain text' } }, secret)).toBe('illegal base64 data at input byte 5')
})

test('the schema inside a CustomResourceDefinition is typed, also where a flag may stand', () => {
  const crd = of('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition')
  const schema = {
    type: 'object',
    additionalProperties: { type: 'string', foo: 1 },
    properties: { x: { default: { any: [1] } } },
  }
  const value = { spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] } }
  expect(decode(value, crd)).toMatchObject({
    unknown: ['spec.versions[0].schema.openAPIV3Schema.additionalProperties.foo'],
  })
})

test('what needs no change comes back as it is', () => {
  const value = deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', labels: { b: 'c' } },
    spec: { replicas: 2 },
  })
  expect(decode(value, deployment)).toEqual({ value, unknown: [] })
  const decoded = decodeBuiltin(value, deployment)
  expect(decoded.ok && decoded.value.value).toBe(value)
})

test('a body that is nested without end is refused', () => {
  const deep: unknown = JSON.parse('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000))
  const decoded = decodeBuiltin(deep, deployment)
  expect(decoded.ok ? [] : decoded.error).toMatchObject([{ code: 'object-too-deep' }])
})
