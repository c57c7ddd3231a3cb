import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { clusterOf, writing } from '../plugins.testkit.ts'
import type { Webhook } from '../webhooks/configuration.ts'
import { type PolicyPorts, validatingAdmissionPolicies, webhookConditions } from './plugin.ts'

const object = (kind: string, name: string, more: object = {}, namespace?: string): KubeObject => ({
  apiVersion: kind.startsWith('Validating') ? 'admissionregistration.k8s.io/v1' : 'v1',
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}) },
  ...more,
})
const everything = { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] }
const policy = (spec: object): KubeObject =>
  object('ValidatingAdmissionPolicy', 'rules', { spec: { matchConstraints: everything, ...spec } })
const binding = (spec: object = {}): KubeObject =>
  object('ValidatingAdmissionPolicyBinding', 'all', { spec: { policyName: 'rules', ...spec } })
const map = (data: object): KubeObject => object('ConfigMap', 'a', { data }, 'team')

function ports(spec: object, bound: object = {}): PolicyPorts {
  return {
    reader: clusterOf({
      validatingadmissionpolicies: [policy(spec)],
      validatingadmissionpolicybindings: [binding(bound)],
      namespaces: [{ ...object('Namespace', 'team'), metadata: { name: 'team', labels: { tier: 'gold' } } }],
      configmaps: [object('ConfigMap', 'limits', { data: { most: '2' } }, 'team')],
    }),
    authorizer: (attributes) => ({ allowed: attributes.verb === 'get', because: 'test' }),
    find: (apiVersion, kind) =>
      apiVersion === 'v1' && kind === 'ConfigMap' ? { group: '', plural: 'configmaps', isNamespaced: true } : undefined,
  }
}
const judge = async (
  spec: object,
  bound: object = {},
  asked = map({ x: '1', y: '2', z: '3' }),
  more = {},
): Promise<Verdict | undefined> => {
  const plugin = validatingAdmissionPolicies(ports(spec, bound))
  const request = writing('configmaps', asked, more)
  return plugin.handles(request) ? plugin.validate?.(request, new AbortController().signal) : undefined
}
const said = (verdict: Verdict | undefined): string => (verdict?.allowed === false ? verdict.status.message : 'allowed')
const denied = (message: string): string =>
  `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'all' denied request: ${message}`

describe('ValidatingAdmissionPolicy', () => {
  test.each<[string, object, string]>([
    ['what holds is allowed', { validations: [{ expression: 'size(object.data) < 5' }] }, 'allowed'],
    [
      'what does not hold is denied',
      { validations: [{ expression: 'size(object.data) < 3' }] },
      denied('failed expression: size(object.data) < 3'),
    ],
    ['with its message', { validations: [{ expression: 'false', message: 'no' }] }, denied('no')],
    [
      'with a computed message',
      {
        validations: [{ expression: 'false', message: 'no', messageExpression: "'has ' + string(size(object.data))" }],
      },
      denied('has 3'),
    ],
    [
      'with the fixed message where the computed one fails',
      { validations: [{ expression: 'false', message: 'no', messageExpression: 'object.nope' }] },
      denied('no'),
    ],
    [
      'variables are worked out once they are read',
      {
        variables: [
          { name: 'count', expression: 'size(object.data)' },
          { name: 'broken', expression: 'object.nope' },
        ],
        validations: [{ expression: 'variables.count == 3' }],
      },
      'allowed',
    ],
    [
      'the namespace is known',
      { validations: [{ expression: "namespaceObject.metadata.labels.tier == 'gold'" }] },
      'allowed',
    ],
    [
      'the request is known',
      {
        validations: [
          {
            expression:
              "request.operation == 'CREATE' && request.userInfo.username == 'ann' && request.resource.resource == 'configmaps'",
          },
        ],
      },
      'allowed',
    ],
    ['there is no old object in a creation', { validations: [{ expression: 'oldObject == null' }] }, 'allowed'],
    [
      'the requester may be asked about',
      {
        validations: [
          { expression: "authorizer.group('').resource('secrets').namespace('team').check('get').allowed()" },
        ],
      },
      'allowed',
    ],
    [
      'and what they ask for',
      {
        validations: [
          {
            expression: "authorizer.requestResource.check('delete').allowed()",
            message: 'who may not delete may not create',
          },
        ],
      },
      denied('who may not delete may not create'),
    ],
    [
      'a condition spares the rest',
      {
        matchConditions: [{ name: 'c', expression: "object.metadata.name == 'b'" }],
        validations: [{ expression: 'false' }],
      },
      'allowed',
    ],
    [
      'another kind is not meant',
      {
        matchConstraints: {
          resourceRules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        },
        validations: [{ expression: 'false' }],
      },
      'allowed',
    ],
    [
      'an exclusion wins',
      {
        matchConstraints: {
          ...everything,
          excludeResourceRules: [
            { operations: ['*'], apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'], resourceNames: ['a'] },
          ],
        },
        validations: [{ expression: 'false' }],
      },
      'allowed',
    ],
  ])('%s', async (_name, spec, want) => {
    expect(said(await judge(spec))).toBe(want)
  })

  test('an expression that cannot be evaluated denies, or is passed over where that was asked for', async () => {
    const validations = [{ expression: 'object.spec.replicas < 3' }]
    expect(said(await judge({ validations }))).toMatch(/resulted in error: no such key: spec/)
    expect(said(await judge({ validations, failurePolicy: 'Ignore' }))).toBe('allowed')
  })

  test('an expression without end is stopped by its cost', async () => {
    const list = `[${Array.from({ length: 200 }, (_, at) => at).join(',')}]`
    const verdict = await judge({
      validations: [
        { expression: `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))` },
      ],
    })
    expect(said(verdict)).toMatch(/cost limit exceeded|budget/)
  })

  test.each([
    ['Forbidden', 403],
    ['Unauthorized', 401],
    [undefined, 422],
  ])('the reason %s is the code %d', async (reason, code) => {
    const verdict = await judge({ validations: [{ expression: 'false', ...(reason ? { reason } : {}) }] })
    expect(verdict).toMatchObject({ allowed: false, status: { code } })
  })

  test('a binding may only warn and note', async () => {
    const verdict = await judge(
      {
        validations: [{ expression: 'false', message: 'careful' }],
        auditAnnotations: [{ key: 'size', valueExpression: 'string(size(object.data))' }],
      },
      { validationActions: ['Warn', 'Audit'] },
    )
    expect(verdict).toMatchObject({
      allowed: true,
      warnings: ["Validation failed for ValidatingAdmissionPolicy 'rules' with binding 'all': careful"],
      auditAnnotations: { 'rules/size': '3' },
    })
    expect(JSON.stringify(verdict)).toContain('validation_failure')
  })

  describe('parameters', () => {
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'size(object.data) <= int(params.data.most)', message: 'too many' }],
    }
    test.each<[string, object, object, string]>([
      ['by name', spec, { paramRef: { name: 'limits', namespace: 'team' } }, denied('too many')],
      ["in the request's namespace", spec, { paramRef: { name: 'limits' } }, denied('too many')],
      ['by selector', spec, { paramRef: { selector: {} } }, denied('too many')],
      [
        'missing, which denies',
        spec,
        { paramRef: { name: 'nope', parameterNotFoundAction: 'Deny' } },
        denied('failed to configure policy: no params found for policy binding with `Deny` parameterNotFoundAction'),
      ],
      ['missing, which is fine', spec, { paramRef: { name: 'nope', parameterNotFoundAction: 'Allow' } }, 'allowed'],
      [
        'of an unknown kind',
        { ...spec, paramKind: { apiVersion: 'x/v1', kind: 'Y' } },
        { paramRef: { name: 'a' } },
        denied("failed to configure policy: failed to find resource referenced by paramKind: 'x/v1, Kind=Y'"),
      ],
    ])('%s', async (_name, policySpec, bound, want) => {
      expect(said(await judge(policySpec, bound))).toBe(want)
    })
  })

  test('policies never judge policies', async () => {
    const plugin = validatingAdmissionPolicies(ports({ validations: [{ expression: 'false' }] }))
    expect(plugin.handles(writing('validatingadmissionpolicies', policy({})))).toBe(false)
    expect(
      await judge(
        { validations: [{ expression: 'false' }] },
        { matchResources: { namespaceSelector: { matchLabels: { tier: 'tin' } } } },
      ),
    ).toMatchObject({ allowed: true })
  })
})

test('webhooks ask their conditions in the same language', () => {
  const hold = webhookConditions(ports({}))
  const webhook = (expression: string): Webhook =>
    ({ matchConditions: [{ name: 'c', expression }] }) as unknown as Webhook
  const request = writing('configmaps', map({}))
  expect(hold(webhook("object.metadata.name == 'a'"), request)).toEqual({ ok: true, value: true })
  expect(hold(webhook("object.metadata.name == 'b'"), request)).toEqual({ ok: true, value: false })
  expect(hold(webhook('object.nope'), request)).toMatchObject({ ok: false })
})
