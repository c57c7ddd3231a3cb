import { describe, expect, test } from 'vitest'
import type { AdmissionRequest } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { fail, succeed } from '../../../lib/result.ts'
import { clusterOf, writing } from '../plugins.testkit.ts'
import { ruleMatches, type Webhook, type WebhookRule } from './configuration.ts'
import { mutatingWebhooks, validatingWebhooks, type WebhookPorts } from './webhooks.ts'

const signal = new AbortController().signal
const map = (labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'team', labels },
})
const everything = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }]
const configuration = (type: string, webhooks: object[], name = 'conf'): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: type,
  metadata: { name },
  webhooks: webhooks.map((webhook) => ({
    clientConfig: { url: 'https://x/' },
    sideEffects: 'None',
    rules: everything,
    ...webhook,
  })),
})

/** Answers by webhook name in the path of its URL; undefined stands for one that cannot be reached. */
function ports(
  answers: Record<string, (review: { request: { uid: string; object: KubeObject } }) => object | undefined>,
  cluster: Record<string, KubeObject[]>,
): WebhookPorts & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    reader: clusterOf(cluster),
    conditionsHold: (webhook, request) =>
      succeed(webhook.matchConditions.every(({ expression }) => expression === `name=${request.name}`)),
    call: (client, review) => {
      const name = client.url?.replace('https://', '') ?? ''
      asked.push(name)
      const typed = review as { request: { uid: string; object: KubeObject } }
      const response = answers[name]?.(typed)
      if (!response) return Promise.resolve(fail({ code: 'webhook-unreachable', message: 'connection refused' }))
      return Promise.resolve(
        succeed({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: typed.request.uid, ...response },
        }),
      )
    },
  }
}
const hook = (name: string, more: object = {}): object => ({
  name: `${name}.example.com`,
  clientConfig: { url: `https://${name}` },
  ...more,
})
const patch = (operations: object[]): object => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
const label = (key: string, value: string): object => patch([{ op: 'add', path: `/metadata/labels/${key}`, value }])

describe('rules', () => {
  const rule = (more: Partial<WebhookRule>): WebhookRule => ({
    operations: ['CREATE'],
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['configmaps'],
    scope: '*',
    ...more,
  })
  const request = writing('configmaps', map())
  test.each<[string, Partial<WebhookRule>, Partial<AdmissionRequest>, boolean]>([
    ['named', {}, {}, true],
    ['another operation', { operations: ['UPDATE'] }, {}, false],
    ['another group', { apiGroups: ['apps'] }, {}, false],
    ['every resource', { resources: ['*'] }, {}, true],
    ['every resource is not every subresource', { resources: ['*'] }, { subresource: 'status' }, false],
    ['a subresource', { resources: ['configmaps/status'] }, { subresource: 'status' }, true],
    ['a subresource of all', { resources: ['*/status'] }, { subresource: 'status' }, true],
    ['everything below', { resources: ['configmaps/*'] }, { subresource: 'status' }, true],
    ['only cluster-wide ones', { scope: 'Cluster' }, {}, false],
    ['only namespaced ones', { scope: 'Namespaced' }, {}, true],
  ])('%s', (_name, more, asked, want) => {
    expect(ruleMatches(rule(more), { ...request, ...asked }, 'Exact')).toBe(want)
  })
  test('another version of the same resource counts as equivalent, unless told otherwise', () => {
    const other = rule({ apiVersions: ['v2'] })
    expect(ruleMatches(other, request, 'Equivalent')).toBe(true)
    expect(ruleMatches(other, request, 'Exact' satisfies Webhook['matchPolicy'])).toBe(false)
  })
})

describe('mutating', () => {
  const run = async (used: WebhookPorts, request = writing('configmaps', map())): Promise<unknown> => {
    const plugin = mutatingWebhooks(used)
    return plugin.handles(request) ? plugin.mutate?.(request, signal) : 'not handled'
  }

  test('webhooks change the object one after the other, and the earlier one looks again if it asks to', async () => {
    const used = ports(
      {
        first: ({ request }) => (request.object.metadata.labels?.['b'] ? label('saw', 'b') : label('a', '1')),
        second: () => label('b', '2'),
      },
      {
        mutatingwebhookconfigurations: [
          configuration('MutatingWebhookConfiguration', [
            hook('first', { reinvocationPolicy: 'IfNeeded' }),
            hook('second'),
          ]),
        ],
      },
    )
    expect(await run(used)).toMatchObject({
      allowed: true,
      object: { metadata: { labels: { a: '1', b: '2', saw: 'b' } } },
    })
    expect(used.asked).toEqual(['first', 'second', 'first'])
  })
  test('one that cannot be reached stops the write, or is ignored where that was asked for', async () => {
    const conf = (failurePolicy: string): Record<string, KubeObject[]> => ({
      mutatingwebhookconfigurations: [configuration('MutatingWebhookConfiguration', [hook('gone', { failurePolicy })])],
    })
    expect(await run(ports({}, conf('Fail')))).toMatchObject({
      allowed: false,
      status: {
        code: 500,
        message: 'Internal error occurred: failed calling webhook "gone.example.com": connection refused',
      },
    })
    expect(await run(ports({}, conf('Ignore')))).toMatchObject({ allowed: true })
  })
  test.each<[string, object, RegExp]>([
    ['a patch that does not fit', patch([{ op: 'remove', path: '/nope' }]), /failed calling webhook/],
    ['a patch that is not JSON', { allowed: true, patchType: 'JSONPatch', patch: 'e3' }, /not JSON/],
    ['a patch of another type', { allowed: true, patchType: 'Merge', patch: 'e30=' }, /patchType is not JSONPatch/],
    ['another request', { allowed: true, uid: 'other' }, /for request "other"/],
    [
      'a patch that leaves no object',
      patch([{ op: 'replace', path: '', value: 1 }]),
      /leaves no object|failed calling/,
    ],
  ])('an answer with %s stops the write', async (_name, answer, message) => {
    const used = ports(
      { w: () => answer },
      { mutatingwebhookconfigurations: [configuration('MutatingWebhookConfiguration', [hook('w')])] },
    )
    expect(await run(used)).toMatchObject({
      allowed: false,
      status: { message: expect.stringMatching(message) as string },
    })
  })
  test('a dry run does not reach a webhook with side effects', async () => {
    const used = ports(
      { w: () => ({ allowed: true }) },
      {
        mutatingwebhookconfigurations: [
          configuration('MutatingWebhookConfiguration', [hook('w', { sideEffects: 'Some' })]),
        ],
      },
    )
    expect(await run(used, writing('configmaps', map(), { dryRun: true }))).toMatchObject({
      allowed: false,
      status: { code: 400 },
    })
    expect(used.asked).toEqual([])
  })
  test('the configurations themselves are never sent anywhere', async () => {
    const conf = configuration('MutatingWebhookConfiguration', [hook('w')])
    const used = ports({ w: () => ({ allowed: false }) }, { mutatingwebhookconfigurations: [conf] })
    expect(await run(used, writing('mutatingwebhookconfigurations', conf))).toMatchObject({ allowed: true })
    expect(used.asked).toEqual([])
  })
})

describe('validating', () => {
  const run = (
    webhooks: object[],
    answers: Parameters<typeof ports>[0],
    request = writing('configmaps', map()),
  ): Promise<unknown> => {
    const used = ports(answers, {
      validatingwebhookconfigurations: [configuration('ValidatingWebhookConfiguration', webhooks)],
      namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels: { tier: 'gold' } } }],
    })
    return Promise.resolve(validatingWebhooks(used).validate?.(request, signal))
  }
  const no = (message: string) => () => ({ allowed: false, status: { message, code: 422 }, warnings: [`w ${message}`] })

  test('every denial is told at once, with warnings', async () => {
    expect(await run([hook('one'), hook('two')], { one: no('too big'), two: no('too late') })).toEqual({
      allowed: false,
      warnings: ['w too big', 'w too late'],
      status: expect.objectContaining({
        code: 422,
        message:
          'admission webhook "one.example.com" denied the request: too big; admission webhook "two.example.com" denied the request: too late',
      }) as unknown,
    })
  })
  test.each<[string, object, AdmissionRequest, boolean]>([
    [
      'a namespace that is selected',
      { namespaceSelector: { matchLabels: { tier: 'gold' } } },
      writing('configmaps', map()),
      false,
    ],
    ['one that is not', { namespaceSelector: { matchLabels: { tier: 'tin' } } }, writing('configmaps', map()), true],
    [
      'an object that is not selected',
      { objectSelector: { matchLabels: { x: '1' } } },
      writing('configmaps', map()),
      true,
    ],
    [
      'an object that was selected before',
      { objectSelector: { matchLabels: { x: '1' } } },
      writing('configmaps', map(), { operation: 'UPDATE', oldObject: map({ x: '1' }) }),
      false,
    ],
    [
      'a condition that holds',
      { matchConditions: [{ name: 'c', expression: 'name=a' }] },
      writing('configmaps', map()),
      false,
    ],
    [
      'a condition that does not',
      { matchConditions: [{ name: 'c', expression: 'name=b' }] },
      writing('configmaps', map()),
      true,
    ],
  ])('%s', async (_name, more, request, allowed) => {
    expect(await run([hook('w', more)], { w: no('no') }, request)).toMatchObject({ allowed })
  })
})
