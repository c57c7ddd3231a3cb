import { describe, expect, test } from 'vitest'
import { certificateMaker } from '../../../lib/certificates.ts'
import type { Json } from '../../../lib/json.ts'
import type { FactNeed } from '../../engine/fact.ts'
import { ask, objectOf, policyFrom, said, worldOf } from '../cel.testkit.ts'

const policy = (expression: string, kind = 'ValidatingPolicy', namespace = ''): ReturnType<typeof policyFrom> =>
  policyFrom(`
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: { name: p${namespace === '' ? '' : `, namespace: ${namespace}`} }
spec:
  matchConstraints: { resourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods] } ] }
  validations: [ { expression: ${JSON.stringify(expression)} } ]`)
const pod = objectOf('{ apiVersion: v1, kind: Pod, metadata: { name: web, namespace: team }, spec: { user: "ann" } }')

/** An expression, what it asks for, what it is told, and that it holds then. */
const lookups: readonly (readonly [string, FactNeed, Json])[] = [
  [
    "resource.Get('apps/v1', 'deployments', object.metadata.namespace, 'd').spec.replicas == 3",
    { what: 'resource', apiVersion: 'apps/v1', plural: 'deployments', namespace: 'team', name: 'd' },
    { spec: { replicas: 3 } },
  ],
  [
    "dyn(resource.get('v1', 'namespaces', '', 'team')) == null",
    { what: 'resource', apiVersion: 'v1', plural: 'namespaces', name: 'team' },
    null,
  ],
  [
    "resource.List('v1', 'pods', 'team').items.all(p, p.metadata.name != 'x')",
    { what: 'resources', apiVersion: 'v1', plural: 'pods', namespace: 'team' },
    { items: [{ metadata: { name: 'a' } }] },
  ],
  [
    "resource.list('v1', 'pods', '', {'b': '2', 'a': '1'}).items.size() == 0",
    { what: 'resources', apiVersion: 'v1', plural: 'pods', selector: 'a=1,b=2' },
    { items: [] },
  ],
  [
    "resource.post('authorization.k8s.io/v1', 'subjectaccessreviews', {'spec': dyn({'user': object.spec.user})}).status.allowed",
    {
      what: 'created',
      apiVersion: 'authorization.k8s.io/v1',
      plural: 'subjectaccessreviews',
      body: { spec: { user: 'ann' } },
    },
    { status: { allowed: true } },
  ],
  [
    "http.Get('http://a/b', {'x': 'y'}).ok",
    { what: 'http', method: 'GET', url: 'http://a/b', headers: { x: 'y' } },
    { ok: true, statusCode: 200 },
  ],
  [
    "http.post('http://a/b', {'n': object.metadata.name}).statusCode == 500",
    { what: 'http', method: 'POST', url: 'http://a/b', body: { n: 'web' } },
    { body: null, statusCode: 500 },
  ],
  [
    "http.Client('-----BEGIN CERTIFICATE-----').Get('https://a').body == 'b'",
    { what: 'http', method: 'GET', url: 'https://a', caBundle: '-----BEGIN CERTIFICATE-----' },
    { body: 'b', statusCode: 200 },
  ],
  ["globalContext.Get('entry').size() == 2", { what: 'global-context', name: 'entry' }, [1, 2]],
  ["globalContext.get('entry', 'count') == 2", { what: 'global-context', name: 'entry', projection: 'count' }, 2],
  ["image.GetMetadata('nginx').config.User == 'x'", { what: 'image', reference: 'nginx' }, { config: { User: 'x' } }],
]

test.each(lookups)('%s asks first and then holds', (expression, need, answer) => {
  // A comparison gives what is dynamic a type.
  const compiled = policy(`(${expression}) == true`)
  expect(ask(compiled, pod).needs).toEqual([need])
  expect(ask(compiled, pod, worldOf([[need, answer]]))).toMatchObject({ rules: [{ verdict: 'pass' }], needs: [] })
})

test('a plural is asked for by kind, and then used', () => {
  const compiled = policy("resource.Get(resource.ToGVR('apps/v1', 'Deployment'), 'team', 'd').kind == 'Deployment'")
  const plural = { what: 'plural', apiVersion: 'apps/v1', kind: 'Deployment' } as const
  const object = {
    what: 'resource',
    apiVersion: 'apps/v1',
    plural: 'deployments',
    namespace: 'team',
    name: 'd',
  } as const
  expect(ask(compiled, pod).needs).toEqual([plural])
  expect(ask(compiled, pod, worldOf([[plural, 'deployments']])).needs).toEqual([object])
  const known = worldOf([
    [plural, 'deployments'],
    [object, { kind: 'Deployment' }],
  ])
  expect(said(ask(compiled, pod, known))).toEqual(['pass: success'])
})

test('a need is told even where an operator would do without the answer', () => {
  const compiled = policy("resource.get('v1', 'configmaps', 'a', 'b').x == 1 || true")
  expect(ask(compiled, pod).needs).toHaveLength(1)
})

test('a policy in a namespace says no namespace and sees its own', () => {
  const compiled = policy("resource.get('v1', 'configmaps', 'a').data.x == '1'", 'NamespacedValidatingPolicy', 'team')
  expect(ask(compiled, pod).needs).toEqual([
    { what: 'resource', apiVersion: 'v1', plural: 'configmaps', namespace: 'team', name: 'a' },
  ])
})

describe('certificates', () => {
  const pair = certificateMaker.certificate({
    commonName: 'example.com',
    ips: [],
    dnsNames: ['a.example.com'],
    notBeforeMs: 0,
    notAfterMs: Date.UTC(2040, 0, 1),
    serial: Uint8Array.of(1),
    isAuthority: false,
  })
  if (typeof pair === 'string') throw new Error(pair)
  const holder = { ...pod, data: { cert: pair.cert } }

  test('are decoded', () => {
    const compiled = policy(
      "x509.decode(object.data.cert).Issuer.CommonName == 'example.com' && timestamp(x509.decode(object.data.cert).NotAfter) > time.now() && x509.decode(object.data.cert).DNSNames == ['a.example.com']",
    )
    expect(said(ask(compiled, holder))).toEqual(['pass: success'])
  })

  test('or refused', () => {
    expect(said(ask(policy("x509.decode('no').IsCA == true"), pod))[0]).toMatch(/^error: .*PEM/)
  })
})

test.each([
  ["listObjToMap([{'k': 'a'}], [], 'k', 'v') == {}", /equal length/],
  ["listObjToMap([{'k': dyn(1)}], [{'v': 1}], 'k', 'v') == {}", /cannot be handled as a string/],
  ["json.unmarshal('{').a == 1", /JSON/],
  ["yaml.parse('a: [').a == 1", /YAML/],
  ["gzip.decompress(b'abc') == ''", /gzip/],
  ["image('UPPER').tag() == ''", /could not parse reference/],
  ["random('[') == ''", /./],
  ["http.Client('x').Get('y') == ''", /PEM/],
])('%s is an error', (expression, message) => {
  const [answer = ''] = said(ask(policy(expression), pod))
  expect(answer).toMatch(/^error: /)
  expect(answer).toMatch(message)
})
