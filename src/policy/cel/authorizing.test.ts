import { expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { nobody } from '../engine/policy-request.ts'
import { objectOf, policyFrom, said, worldOf } from './cel.testkit.ts'
import { compileCelPolicy } from './cel-family.ts'

const policy = (mode: string, spec: string): string => `
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: gate }
spec:
  evaluation: { mode: ${mode} }
${spec}`

function asked(text: string, payloadKind: 'envoy' | 'http', payload: Json): readonly string[] {
  const kind = { group: '', version: '', kind: '' }
  const request = {
    source: 'offline',
    operation: 'CREATE',
    kind,
    name: '',
    user: nobody,
    payload,
    payloadKind,
  } as const
  return said(policyFrom(text).evaluate('validate', request, worldOf()))
}

const envoy = { attributes: { request: { http: { method: 'GET', path: '/a', headers: { 'x-token': 'secret' } } } } }

test.each<[string, string, readonly string[]]>([
  ['allows', '  validations: [ { expression: "envoy.Allowed().Response()" } ]', ['pass: request allowed']],
  [
    'denies with a code and more',
    `  validations: [ { expression: 'envoy.Denied(403).WithBody("no").WithHeader("a", "b").Response().WithMessage("m")' } ]`,
    ['fail: request denied with status code 403'],
  ],
  [
    'answers with the first expression that answers',
    `  variables: [ { name: path, expression: "object.attributes.request.http.path" } ]
  validations:
    - expression: "variables.path == '/b' ? envoy.Allowed().Response() : null"
    - expression: "envoy.Denied(401).Response()"`,
    ['fail: request denied with status code 401'],
  ],
  [
    'passes over what its conditions do not mean',
    `  matchConditions: [ { name: a, expression: "object.attributes.request.http.method == 'POST'" } ]
  validations: [ { expression: "envoy.Denied(401).Response()" } ]`,
    ['skip: request does not match'],
  ],
  [
    'errs',
    '  validations: [ { expression: "object.nope ? envoy.Allowed().Response() : null" } ]',
    ['error: no such key: nope'],
  ],
])('a policy for Envoy %s', (_name, spec, want) => expect(asked(policy('Envoy', spec), 'envoy', envoy)).toEqual(want))

test('a policy for HTTP reads headers without case, and parameters', () => {
  const spec = `  validations:
    - expression: "object.attributes.Header('Authorization').exists(h, h == 'x') && object.attributes.QueryParam('q') == ['1'] ? http.Allowed().Response() : http.Denied('who are you').Response()"`
  const request = (header: string): Json => ({
    attributes: { header: { authorization: [header] }, query: { q: ['1'] } },
  })
  expect(asked(policy('HTTP', spec), 'http', request('x'))).toEqual(['pass: request allowed'])
  expect(asked(policy('HTTP', spec), 'http', request('y'))).toEqual(['fail: request denied, reason: who are you'])
  expect(asked(policy('HTTP', spec), 'envoy', request('x'))).toEqual([])
})

test('what is no answer is refused, and that nothing enforces it is said', () => {
  const wrong = objectOf(policy('Envoy', '  validations: [ { expression: "true" } ]'))
  expect(compileCelPolicy(wrong)).toMatchObject({ ok: false, error: [{ at: 'spec.validations[0].expression' }] })
  const fine = policyFrom(policy('Envoy', '  validations: [ { expression: "null" } ]'))
  expect(fine.warnings).toMatchObject([{ code: 'policy-not-enforced' }])
})
