import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { ask, creating, objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'
import { celFamily, compileCelPolicy } from './cel-family.ts'

const policy = (spec: string, constraints = PODS): string => `
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: rules }
spec:
  matchConstraints:
${constraints}
${spec}`
const PODS = `    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }`
const pod = (image = 'nginx:1.2'): KubeObject =>
  objectOf(`
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: team, labels: { app: web } }
spec: { containers: [ { name: web, image: '${image}' } ] }`)
const deployment = objectOf(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: team }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [ { name: web, image: nginx } ] } } }`)

describe('a ValidatingPolicy', () => {
  test.each<[string, string, readonly string[]]>([
    ['passes what holds', '  validations: [ { expression: "true" } ]', ['pass: success']],
    ['fails with its message', '  validations: [ { expression: "false", message: refused } ]', ['fail: refused']],
    [
      'fails with a computed message',
      `  validations: [ { expression: "false", messageExpression: "'pod ' + object.metadata.name" } ]`,
      ['fail: pod web'],
    ],
    [
      'says which check failed',
      '  validations: [ { expression: "true" }, { expression: "false" } ]',
      ['fail: CEL expression validation failed at index 1'],
    ],
    [
      'reads variables in order',
      `  variables: [ { name: images, expression: "object.spec.containers.map(c, c.image)" }, { name: count, expression: "variables.images.size()" } ]
  validations: [ { expression: "variables.count == 1" } ]`,
      ['pass: success'],
    ],
    [
      'is skipped by a condition',
      `  matchConditions: [ { name: a, expression: "object.metadata.name == 'other'" } ]
  validations: [ { expression: "false" } ]`,
      ['skip: skip'],
    ],
    [
      'errs where an expression has no value',
      '  validations: [ { expression: "object.spec.nope == 1" } ]',
      ['error: error: no such key: nope'],
    ],
    [
      'takes a value that is not optional for one',
      '  validations: [ { expression: "object.spec.containers.orValue([]).size() == 1" } ]',
      ['pass: success'],
    ],
    [
      'knows the libraries',
      `  validations:
    - expression: "image(object.spec.containers[0].image).tag() == '1.2' && sha256('a').startsWith('ca978112') && md5('a') == hash.md5('a')"
    - expression: "json.unmarshal('{\\"a\\":[1]}').a[0] == 1 && json.marshal({'b': dyn(1), 'a': dyn('<')}) == '{\\"a\\":\\"\\\\\\\\u003c\\",\\"b\\":1}'"
    - expression: "yaml.parse('a: [1, 2]').a.size() == 2 && math.round(1.255, 1) == 1.3"
    - expression: "gzip.decompress(gzip.compress('text')) == 'text'"
    - expression: "parseServiceAccount('system:serviceaccount:ns:name').Name == 'name' && user.parseServiceAccount('ann').Namespace == ''"
    - expression: "listObjToMap([{'k': 'a'}], [{'v': 1}], 'k', 'v') == {'a': 1}"
    - expression: "time.toCron(time.now()) == '4 3 2 1 5' && time.truncate(time.now(), duration('1h')) == timestamp('2026-01-02T03:00:00Z')"
    - expression: "random().matches('^[0-9a-z]{8}$') && random('[ab]{3}').size() == 3 && random.random('x') == 'x'"`,
      ['pass: success'],
    ],
    [
      'notes what it was asked to',
      `  auditAnnotations: [ { key: who, valueExpression: "string(object.metadata.name)" } ]
  validations: [ { expression: "true" } ]`,
      ['pass: success'],
    ],
  ])('%s', (_name, spec, want) => expect(said(ask(policyFrom(policy(spec)), pod()))).toEqual(want))

  test('warns and reports instead of denying where it says so', () => {
    const spec = '  validationActions: [Warn, Audit]\n  validations: [ { expression: "false", message: refused } ]'
    expect(ask(policyFrom(policy(spec)), pod()).rules).toMatchObject([{ action: 'Audit', isWarned: true }])
  })

  test('speaks of Pod templates where it is written for Pods', () => {
    const spec = `  validations: [ { expression: "object.spec.containers.all(c, c.image.contains(':'))", message: tag } ]`
    expect(said(ask(policyFrom(policy(spec)), deployment))).toEqual(['fail: tag'])
    const without = `  autogen: { podControllers: { controllers: [] } }\n${spec}`
    expect(said(ask(policyFrom(policy(without)), deployment))).toEqual([])
  })

  test.each([
    ['namespaceSelector: { matchLabels: { tier: gold } }', true],
    ['namespaceSelector: { matchLabels: { tier: tin } }', false],
    [
      'namespaceSelector: { matchExpressions: [ { key: kubernetes.io/metadata.name, operator: In, values: [team] } ] }',
      true,
    ],
    ['objectSelector: { matchLabels: { app: web } }', true],
    ['objectSelector: { matchLabels: { app: db } }', false],
    [
      "excludeResourceRules: [ { apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods], resourceNames: [web] } ]",
      false,
    ],
  ])('is about what its constraints choose: %s', (constraint, matches) => {
    const text = policy('  validations: [ { expression: "true" } ]', `${PODS}\n    ${constraint}`)
    const request = creating(pod(), { namespaceLabels: { tier: 'gold' } })
    expect(policyFrom(text).evaluate('validate', request, worldOf()).rules).toHaveLength(matches ? 1 : 0)
  })

  test('says what it must know, and judges when it is told', () => {
    const spec = `  variables: [ { name: cm, expression: "resource.get('v1', 'configmaps', 'team', 'limits')" } ]
  validations: [ { expression: "dyn(variables.cm) != null && variables.cm.data.most == '1'" } ]`
    const compiled = policyFrom(policy(spec))
    const need = {
      what: 'resource',
      apiVersion: 'v1',
      plural: 'configmaps',
      namespace: 'team',
      name: 'limits',
    } as const
    expect(ask(compiled, pod()).needs).toEqual([need])
    const known = worldOf([[need, { data: { most: '1' } }]])
    expect(ask(compiled, pod(), known)).toMatchObject({ needs: [], rules: [{ verdict: 'pass' }] })
    expect(said(ask(compiled, pod(), worldOf([[need, null]])))).toEqual([
      'fail: CEL expression validation failed at index 0',
    ])
  })

  test('judges documents that are no objects when it is written for them', () => {
    const compiled = policyFrom(
      policy('  evaluation: { mode: JSON }\n  validations: [ { expression: "object.a == 1" } ]'),
    )
    const request = { ...creating(pod()), object: undefined, payload: { a: 1 } }
    const { object: _object, ...payload } = request
    expect(said(compiled.evaluate('validate', payload, worldOf()))).toEqual(['pass: success'])
    expect(said(ask(compiled, pod()))).toEqual([])
  })
})

describe('exceptions', () => {
  const exception = (spec: string): KubeObject =>
    objectOf(`
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: { name: spare, namespace: team }
spec:
  policyRefs: [ { name: rules, kind: ValidatingPolicy } ]
${spec}`)
  const compiled = policyFrom(
    policy(
      '  validations: [ { expression: "object.spec.containers.all(c, c.image in exceptions.allowedImages)", message: refused } ]',
    ),
  )
  test.each<[string, string, string]>([
    ['spares everything', '', 'skip: rule is skipped due to policy exception: team/spare'],
    ['passes where it says so', '  reportResult: pass', 'pass: rule is passed due to policy exception: team/spare'],
    [
      'asks its conditions',
      `  matchConditions: [ { name: a, expression: "object.metadata.name == 'x'" } ]`,
      'fail: refused',
    ],
    ['allows only some images', "  images: ['nginx:1.2']", 'pass: success'],
    ['is over at its time', "  expiresAt: '2026-01-02T03:00:00Z'", 'fail: refused'],
    [
      'holds until its time',
      "  expiresAt: '2026-01-03T00:00:00Z'",
      'skip: rule is skipped due to policy exception: team/spare',
    ],
  ])('%s', (_name, spec, want) => {
    expect(said(ask(compiled, pod(), worldOf([], [exception(spec)])))).toEqual([want])
  })
})

test.each([
  ['an expression that is none', '  validations: [ { expression: "object.(" } ]', 'spec.validations[0].expression:1:8'],
  [
    'a variable that is not there',
    '  validations: [ { expression: "variables.nope" } ]',
    'spec.validations[0].expression:1:10',
  ],
  ['a check that is not true or false', `  validations: [ { expression: "'a'" } ]`, 'spec.validations[0].expression'],
  [
    'a field of the request that it does not have',
    '  validations: [ { expression: "request.nope == 1" } ]',
    'spec.validations[0].expression:1:8',
  ],
])('%s is refused with its place', (_name, spec, at) => {
  const compiled = compileCelPolicy(objectOf(policy(spec)))
  expect(compiled).toMatchObject({ ok: false, error: [{ at }] })
})

test('a policy without end is stopped by its cost', () => {
  const list = `[${Array.from({ length: 200 }, (_, at) => at).join(',')}]`
  const spec = `  validations: [ { expression: "${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))" } ]`
  expect(said(ask(policyFrom(policy(spec)), pod()))[0]).toMatch(/^error: .*cost limit/)
})

test.each([
  ['NamespacedValidatingPolicy', "http.Get('http://a').statusCode == 200", true],
  ['NamespacedValidatingPolicy', "object.metadata.name != 'http.example'", false],
  ['ValidatingPolicy', "http.Get('http://a').statusCode == 200", false],
])('%s with %s sends requests where it may not: %j', (kind, expression, isRefused) => {
  const text = policy(`  validations: [ { expression: ${JSON.stringify(`(${expression}) == true`)} } ]`)
    .replace('kind: ValidatingPolicy', `kind: ${kind}`)
    .replace('{ name: rules }', kind === 'ValidatingPolicy' ? '{ name: rules }' : '{ name: rules, namespace: team }')
  expect(celFamily.lint(objectOf(text))).toHaveLength(isRefused ? 1 : 0)
})
