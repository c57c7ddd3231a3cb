import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import { cleanupKinds, exceptionKinds, globalContextKind, policyKinds } from '../catalog/policy-kinds.ts'
import type { CompiledPolicy, Concern, Phase } from '../engine/compiled-policy.ts'
import type { Operation } from '../engine/policy-request.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import type { PolicySettings } from '../settings/policy-settings.ts'

/** Where the webhooks are reached, and how their certificate is verified. */
export interface WebhookPlace {
  /** Without a slash at its end. */
  readonly url: string
  /** PEM in base64. */
  readonly caBundle: string
}

/** What the configurations are worked out from. */
export interface WebhookInput {
  readonly policies: readonly CompiledPolicy[]
  /** What the cluster serves. */
  readonly served: readonly ResourceInfo[]
  readonly settings: Pick<
    PolicySettings,
    'namespaceSelectorSource' | 'objectSelectorSource' | 'webhookAnnotations' | 'webhookLabels' | 'matchConditions'
  >
  readonly place: WebhookPlace
}

/** One rule of a webhook. */
export interface WebhookRule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster' | '*'
}

/** The names under which Kyverno keeps its configurations. */
export const VALIDATING_NAME = 'kyverno-resource-validating-webhook-cfg'
export const MUTATING_NAME = 'kyverno-resource-mutating-webhook-cfg'
export const POLICY_NAME = 'kyverno-policy-validating-webhook-cfg'

const DEFAULT_SECONDS = 10
const LONGEST_SECONDS = 30

/** The configurations that send an API server's requests to policies: those that some policy asks for, and no others. */
export function webhookConfigurations(input: WebhookInput): readonly KubeObject[] {
  const asked = input.policies.filter(({ isAdmission }) => isAdmission)
  const validating = webhooksFor('validate', validatingPhases, asked, input)
  const mutating = webhooksFor('mutate', ['mutate'], asked, input)
  return [
    configuration('ValidatingWebhookConfiguration', POLICY_NAME, [policyWebhook(input)], input),
    ...(validating.length > 0
      ? [configuration('ValidatingWebhookConfiguration', VALIDATING_NAME, validating, input)]
      : []),
    ...(mutating.length > 0 ? [configuration('MutatingWebhookConfiguration', MUTATING_NAME, mutating, input)] : []),
  ]
}

/** What happens because of a request is found out when it is judged. */
const validatingPhases: readonly Phase[] = ['validate', 'verify-images', 'generate', 'mutate-existing']

function configuration(
  kind: string,
  name: string,
  webhooks: readonly object[],
  { settings }: WebhookInput,
): KubeObject {
  const labels = { ...settings.webhookLabels, 'webhook.kyverno.io/managed-by': 'kyverno' }
  const annotations = settings.webhookAnnotations
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name, labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    webhooks,
  }
}

function webhooksFor(
  verb: 'validate' | 'mutate',
  phases: readonly Phase[],
  policies: readonly CompiledPolicy[],
  { served, settings, place }: WebhookInput,
): readonly object[] {
  return (['Fail', 'Ignore'] as const).flatMap((failurePolicy) => {
    const those = policies.filter(
      (policy) => policy.failurePolicy === failurePolicy && phases.some((phase) => policy.phases.has(phase)),
    )
    const rules = mergeRules(those.flatMap((policy) => rulesOf(policy, verb, served)))
    if (rules.length === 0) return []
    const path = failurePolicy.toLowerCase()
    return [
      {
        name: `${verb}.kyverno.svc-${path}`,
        clientConfig: clientConfig(place, `/${verb}/${path}`),
        rules,
        failurePolicy,
        matchPolicy: 'Equivalent',
        namespaceSelector: settings.namespaceSelectorSource,
        objectSelector: settings.objectSelectorSource,
        ...(settings.matchConditions.length > 0 ? { matchConditions: settings.matchConditions } : {}),
        sideEffects: 'NoneOnDryRun',
        timeoutSeconds: Math.max(...those.map(secondsOf)),
        admissionReviewVersions: ['v1'],
        ...(verb === 'mutate' ? { reinvocationPolicy: 'IfNeeded' } : {}),
      },
    ]
  })
}

const clientConfig = ({ url, caBundle }: WebhookPlace, path: string): object => ({ url: `${url}${path}`, caBundle })

/** Policies themselves are checked as they are written; deleting one never depends on the webhook. */
function policyWebhook({ place }: WebhookInput): object {
  const byGroup = new Map<string, string[]>()
  for (const { group, plural } of [...policyKinds, ...cleanupKinds, ...exceptionKinds, globalContextKind]) {
    byGroup.set(group, [...(byGroup.get(group) ?? []), plural])
  }
  return {
    name: 'validate-policy.kyverno.svc',
    clientConfig: clientConfig(place, '/policy/validate'),
    rules: [...byGroup].map(([group, resources]) => ({
      apiGroups: [group],
      apiVersions: ['*'],
      resources: resources.toSorted(),
      operations: ['CREATE', 'UPDATE'],
      scope: '*',
    })),
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: DEFAULT_SECONDS,
    admissionReviewVersions: ['v1'],
  }
}

function secondsOf({ source }: CompiledPolicy): number {
  const spec = isObject(source['spec']) ? source['spec'] : {}
  const webhook = isObject(spec['webhookConfiguration']) ? spec['webhookConfiguration'] : {}
  const seconds = webhook['timeoutSeconds'] ?? spec['webhookTimeoutSeconds']
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) return DEFAULT_SECONDS
  return Math.min(Math.max(seconds, 1), LONGEST_SECONDS)
}

/** One resource that a policy wants to hear of. */
interface Wanted {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly scope: WebhookRule['scope']
  readonly operations: readonly Operation[]
}

function rulesOf(
  policy: CompiledPolicy,
  verb: 'validate' | 'mutate',
  served: readonly ResourceInfo[],
): readonly Wanted[] {
  return policy.concerns.flatMap((concern) => {
    const operations = operationsOf(policy, concern, verb)
    return operations.length === 0 ? [] : resourcesOf(policy, concern, served).map((one) => ({ ...one, operations }))
  })
}

function operationsOf({ phases }: CompiledPolicy, { operations }: Concern, verb: string): readonly Operation[] {
  // What is deleted has no object to change.
  if (verb === 'mutate') return operations.filter((operation) => operation !== 'DELETE')
  // What was generated because of an object may go with it.
  return phases.has('generate') && !operations.includes('DELETE') ? [...operations, 'DELETE'] : operations
}

function resourcesOf(
  { identity }: CompiledPolicy,
  concern: Concern,
  served: readonly ResourceInfo[],
): readonly Omit<Wanted, 'operations'>[] {
  const { group, version, kind, plural, subresource } = concern
  const isInNamespace = identity.namespace !== undefined
  if (group === '*' && (kind ?? '*') === '*' && (plural ?? '*') === '*') {
    const scope = isInNamespace ? 'Namespaced' : '*'
    const those = subresource === '' ? ['*'] : subresource === '*' ? ['*/*'] : [`*/${subresource}`]
    return those.map((resource) => ({ group: '*', version: '*', resource, scope }))
  }
  const parents = served.filter(
    (info) =>
      info.subresource === undefined &&
      matchesWildcard(group, info.group) &&
      matchesWildcard(version, info.version) &&
      (kind === undefined || matchesWildcard(kind, info.kind)) &&
      (plural === undefined || matchesWildcard(plural, info.plural)) &&
      (info.namespaced || !isInNamespace),
  )
  return parents.flatMap((info) =>
    subresourcesOf(info, subresource, served).map((resource) => ({
      group: info.group,
      version: info.version,
      resource,
      scope: info.namespaced ? ('Namespaced' as const) : ('Cluster' as const),
    })),
  )
}

function subresourcesOf(info: ResourceInfo, wanted: string, served: readonly ResourceInfo[]): readonly string[] {
  if (wanted === '') return [info.plural]
  if (wanted === '*') return [info.plural, `${info.plural}/*`]
  if (!/[*?]/.test(wanted)) return [`${info.plural}/${wanted}`]
  return served.flatMap((other) =>
    other.subresource !== undefined &&
    other.group === info.group &&
    other.version === info.version &&
    other.plural.split('/')[0] === info.plural &&
    matchesWildcard(wanted, other.subresource)
      ? [`${info.plural}/${other.subresource}`]
      : [],
  )
}

const allOperations: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']

/** As few rules as say the same: each resource once, those with the same operations together, in a fixed order. */
function mergeRules(wanted: readonly Wanted[]): readonly WebhookRule[] {
  const resources = new Map<string, Wanted>()
  for (const one of wanted) {
    const key = [one.group, one.version, one.scope, one.resource].join(' ')
    const known = resources.get(key)
    const operations = allOperations.filter(
      (operation) => one.operations.includes(operation) || known?.operations.includes(operation) === true,
    )
    resources.set(key, { ...one, operations })
  }
  const rules = new Map<string, Wanted[]>()
  for (const key of [...resources.keys()].toSorted()) {
    const one = resources.get(key)
    if (!one) continue
    const together = [one.group, one.version, one.scope, ...one.operations].join(' ')
    const known = rules.get(together)
    if (known) known.push(one)
    else rules.set(together, [one])
  }
  return [...rules.values()].flatMap((those) => {
    const [first] = those
    if (!first) return []
    const { group, version, operations, scope } = first
    const names = those.map(({ resource }) => resource)
    return [{ apiGroups: [group], apiVersions: [version], resources: names, operations, scope }]
  })
}
