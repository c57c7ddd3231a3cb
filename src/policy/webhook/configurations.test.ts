import { describe, expect, test } from 'vitest'
import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { policyFamilies } from '../families.ts'
import type { CompiledPolicy } from '../engine/compiled-policy.ts'
import { parseSettings, usualNamespaceSelector } from '../settings/policy-settings.ts'
import { webhookConfigurations } from './configurations.ts'

const info = (group: string, kind: string, plural: string, namespaced: boolean = true): ResourceInfo => ({
  group,
  version: 'v1',
  plural,
  kind,
  singular: kind.toLowerCase(),
  namespaced,
  verbs: [],
  shortNames: [],
  categories: [],
})
const served: readonly ResourceInfo[] = [
  info('', 'Pod', 'pods'),
  { ...info('', 'Pod', 'pods/status'), subresource: 'status' },
  info('', 'ConfigMap', 'configmaps'),
  info('', 'Namespace', 'namespaces', false),
  info('apps', 'Deployment', 'deployments'),
]
const place = { url: 'https://policies.example.org:9443', caBundle: 'Q0E=' }

function compile(name: string, rules: readonly object[], spec: object = {}, more: object = {}): CompiledPolicy {
  const object: KubeObject = {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    ...more,
    metadata: {
      name,
      annotations: { 'pod-policies.kyverno.io/autogen-controllers': 'none' },
      ...('kind' in more ? { namespace: 'team' } : {}),
    },
    spec: { rules, ...spec },
  }
  const result = policyFamilies.find((family) => family.reads(object))?.compile(object)
  if (!result?.ok) throw new Error(JSON.stringify(result))
  return result.value
}

const about = (kinds: readonly string[], more: object): object => ({
  name: 'rule',
  match: { any: [{ resources: { kinds, ...(more as { operations?: object }) } }] },
})
const check = (kinds: readonly string[], operations?: readonly string[]): object => ({
  ...about(kinds, operations ? { operations } : {}),
  validate: { message: 'm', deny: {} },
})
const change = (kinds: readonly string[]): object => ({
  ...about(kinds, {}),
  mutate: { patchStrategicMerge: { metadata: { labels: { a: 'b' } } } },
})

interface Webhook {
  readonly name: string
  readonly rules: readonly object[]
  readonly [field: string]: unknown
}

function webhooks(policies: readonly CompiledPolicy[]): ReadonlyMap<string, Webhook> {
  const made = webhookConfigurations({ policies, served, settings: parseSettings(undefined), place })
  return new Map(
    made.flatMap((one) => (one['webhooks'] as readonly Webhook[]).map((webhook) => [webhook.name, webhook] as const)),
  )
}

describe('webhook configurations', () => {
  test('without policies only policies themselves are sent', () => {
    expect([...webhooks([]).keys()]).toEqual(['validate-policy.kyverno.svc'])
  })

  test('name what policies match, where it is served, and leave the namespaces of the machinery out', () => {
    const made = webhooks([compile('a', [check(['Pod', 'apps/v1/Deployment', 'Namespace'], ['CREATE'])])])
    expect([...made.keys()]).toEqual(['validate-policy.kyverno.svc', 'validate.kyverno.svc-fail'])
    expect(made.get('validate.kyverno.svc-fail')).toEqual({
      name: 'validate.kyverno.svc-fail',
      clientConfig: { url: 'https://policies.example.org:9443/validate/fail', caBundle: 'Q0E=' },
      rules: [
        rule('', ['namespaces'], ['CREATE'], 'Cluster'),
        rule('', ['pods', 'pods/ephemeralcontainers'], ['CREATE'], 'Namespaced'),
        rule('apps', ['deployments'], ['CREATE'], 'Namespaced'),
      ],
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: usualNamespaceSelector,
      objectSelector: {},
      sideEffects: 'NoneOnDryRun',
      timeoutSeconds: 10,
      admissionReviewVersions: ['v1'],
    })
  })

  test('merge what several policies match, each resource once', () => {
    const made = webhooks([
      compile('a', [check(['Pod'], ['CREATE'])]),
      compile('b', [check(['Pod', 'ConfigMap'], ['UPDATE', 'CREATE'])]),
    ])
    expect(made.get('validate.kyverno.svc-fail')?.rules).toEqual([
      rule('', ['configmaps', 'pods', 'pods/ephemeralcontainers'], ['CREATE', 'UPDATE'], 'Namespaced'),
    ])
  })

  test('keep apart what may be ignored, each with the longest time that its policies ask for', () => {
    const made = webhooks([
      compile('a', [check(['Pod'])], { webhookConfiguration: { timeoutSeconds: 20 } }),
      compile('b', [check(['Pod'])], { webhookConfiguration: { timeoutSeconds: 25, failurePolicy: 'Ignore' } }),
      compile('c', [check(['Pod'])], { webhookTimeoutSeconds: 5, failurePolicy: 'Ignore' }),
    ])
    expect(made.get('validate.kyverno.svc-fail')).toMatchObject({ timeoutSeconds: 20, failurePolicy: 'Fail' })
    expect(made.get('validate.kyverno.svc-ignore')).toMatchObject({ timeoutSeconds: 25, failurePolicy: 'Ignore' })
  })

  test('send what is changed to another webhook, and never what is deleted', () => {
    const made = webhooks([compile('a', [change(['Pod'])])])
    expect([...made.keys()]).toEqual(['validate-policy.kyverno.svc', 'mutate.kyverno.svc-fail'])
    expect(made.get('mutate.kyverno.svc-fail')?.rules).toEqual([
      rule('', ['pods', 'pods/ephemeralcontainers'], ['CREATE', 'UPDATE', 'CONNECT'], 'Namespaced'),
    ])
  })

  test('send everything to a policy about everything', () => {
    const made = webhooks([compile('a', [check(['*'], ['CREATE'])])])
    const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE'], scope: '*' }
    expect(made.get('validate.kyverno.svc-fail')?.rules).toEqual([{ ...all, resources: ['*'] }])
  })

  test('name subresources', () => {
    const made = webhooks([compile('a', [check(['Pod/status'], ['UPDATE'])])])
    expect(made.get('validate.kyverno.svc-fail')?.rules).toEqual([rule('', ['pods/status'], ['UPDATE'], 'Namespaced')])
  })

  test('ask for nothing that a policy in a namespace cannot reach, that is not served, or that only scans ask', () => {
    const inNamespace = compile('a', [check(['Namespace'])], {}, { kind: 'Policy' })
    const unknown = compile('b', [check(['example.org/v1/Thing'])])
    const scanned = compile('c', [check(['Pod'])], { admission: false })
    expect([...webhooks([inNamespace, unknown, scanned]).keys()]).toEqual(['validate-policy.kyverno.svc'])
  })

  test('a policy can be deleted whatever has become of the webhook', () => {
    const { rules = [] } = webhooks([]).get('validate-policy.kyverno.svc') ?? {}
    expect(rules).not.toHaveLength(0)
    for (const one of rules) expect(one).toMatchObject({ operations: ['CREATE', 'UPDATE'] })
  })
})

function rule(group: string, resources: readonly string[], operations: readonly string[], scope: string): object {
  return { apiGroups: [group], apiVersions: ['v1'], resources, operations, scope }
}
