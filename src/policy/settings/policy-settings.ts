import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, type LabelSelector, type LabelSelectorObject } from '../../kube/selector.ts'
import { isObject, own } from '../../lib/json.ts'
import { parseResourceFilters, type ResourceFilter } from './resource-filter.ts'

/** What the ConfigMap `kyverno/kyverno` says. */
export interface PolicySettings {
  readonly filters: readonly ResourceFilter[]
  /** Who is never judged; wildcards. */
  readonly excludeGroups: readonly string[]
  readonly excludeUsernames: readonly string[]
  readonly excludeRoles: readonly string[]
  readonly excludeClusterRoles: readonly string[]
  /** Which namespaces are judged at all. */
  readonly namespaceSelector: LabelSelector
  /** The same as it was written, for generated webhooks. */
  readonly namespaceSelectorSource: LabelSelectorObject
  readonly objectSelectorSource: LabelSelectorObject
  readonly webhookAnnotations: Readonly<Record<string, string>>
  readonly webhookLabels: Readonly<Record<string, string>>
  readonly matchConditions: readonly unknown[]
  /** Whether Events tell of what went well too. */
  readonly generateSuccessEvents: boolean
  readonly defaultRegistry: string
  readonly enableDefaultRegistryMutation: boolean
}

/** Where policies and their own objects live. */
export const KYVERNO_NAMESPACE = 'kyverno'
export const SETTINGS_NAME = 'kyverno'

/** Namespaces that work without policies, so that a cluster can always be mended. */
export const usualNamespaceSelector: LabelSelectorObject = {
  matchExpressions: [
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [KYVERNO_NAMESPACE] },
  ],
}

const controllers = ['admission-controller', 'background-controller', 'cleanup-controller', 'reports-controller']
const ownNames = controllers.map((name) => `${KYVERNO_NAMESPACE}-${name}`)

/** What policies never see unless somebody changes it: the machinery of the cluster, and Kyverno's own. */
export const usualFilters: readonly string[] = [
  '[Event,*,*]',
  '[*/*,kube-system,*]',
  '[*/*,kube-public,*]',
  '[*/*,kube-node-lease,*]',
  '[Node,*,*]',
  '[Node/?*,*,*]',
  '[APIService,*,*]',
  '[APIService/?*,*,*]',
  '[TokenReview,*,*]',
  '[SubjectAccessReview,*,*]',
  '[SelfSubjectAccessReview,*,*]',
  '[Binding,*,*]',
  '[Pod/binding,*,*]',
  '[ReplicaSet,*,*]',
  '[ReplicaSet/?*,*,*]',
  '[EphemeralReport,*,*]',
  '[ClusterEphemeralReport,*,*]',
  ...ownNames.flatMap((name) => [
    ...['', ':core', ':additional'].map((suffix) => `[ClusterRole,*,${KYVERNO_NAMESPACE}:${name.slice(8)}${suffix}]`),
    `[ClusterRoleBinding,*,${KYVERNO_NAMESPACE}:${name.slice(8)}]`,
    ...['ServiceAccount', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget'].flatMap((kind) => [
      `[${kind},${KYVERNO_NAMESPACE},${name}]`,
      `[${kind}/?*,${KYVERNO_NAMESPACE},${name}]`,
    ]),
    `[Pod,${KYVERNO_NAMESPACE},${name}-*]`,
    `[Pod/?*,${KYVERNO_NAMESPACE},${name}-*]`,
  ]),
  `[ConfigMap,${KYVERNO_NAMESPACE},${SETTINGS_NAME}]`,
  `[ConfigMap,${KYVERNO_NAMESPACE},${SETTINGS_NAME}-metrics]`,
]

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').flatMap((part) => part.trim() || [])

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  } catch {
    // What cannot be read counts as not written: a typing error must not switch the guards of kube-system off.
    return undefined
  }
}

/** Reads the ConfigMap; without one the usual settings hold, and what cannot be read stays as usual. */
export function parseSettings(configMap: KubeObject | undefined): PolicySettings {
  const data = (configMap?.['data'] ?? {}) as Readonly<Record<string, string>>
  const text = (key: string): string | undefined => own(data, key)
  const webhooks = jsonOf(text('webhooks'))
  const webhook = Array.isArray(webhooks) ? (webhooks[0] as unknown) : webhooks
  const selectors = isObject(webhook) ? webhook : {}
  const written = isObject(selectors['namespaceSelector'])
    ? (selectors['namespaceSelector'] as LabelSelectorObject)
    : usualNamespaceSelector
  const compiled = compileSelector(written)
  const usual = compileSelector(usualNamespaceSelector)
  const filters = text('resourceFilters')
  const matchConditions = jsonOf(text('matchConditions'))
  return {
    filters: parseResourceFilters(filters ?? (configMap ? '' : usualFilters.join(''))),
    excludeGroups: configMap ? listOf(text('excludeGroups')) : ['system:nodes'],
    excludeUsernames: listOf(text('excludeUsernames')),
    excludeRoles: listOf(text('excludeRoles')),
    excludeClusterRoles: listOf(text('excludeClusterRoles')),
    namespaceSelector: compiled.ok ? compiled.value : usual.ok ? usual.value : [],
    namespaceSelectorSource: written,
    objectSelectorSource: isObject(selectors['objectSelector']) ? selectors['objectSelector'] : {},
    webhookAnnotations: (jsonOf(text('webhookAnnotations')) ?? {}) as Readonly<Record<string, string>>,
    webhookLabels: (jsonOf(text('webhookLabels')) ?? {}) as Readonly<Record<string, string>>,
    matchConditions: Array.isArray(matchConditions) ? matchConditions : [],
    generateSuccessEvents: text('generateSuccessEvents') === 'true',
    defaultRegistry: text('defaultRegistry') ?? 'docker.io',
    enableDefaultRegistryMutation: text('enableDefaultRegistryMutation') !== 'false',
  }
}
