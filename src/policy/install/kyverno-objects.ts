import type { KubeObject } from '../../kube/object.ts'
import { KYVERNO_NAMESPACE, SETTINGS_NAME, usualFilters, usualNamespaceSelector } from '../settings/policy-settings.ts'

/** The parts of Kyverno that act in the cluster, each in the name of its own account. */
export type PolicyComponent =
  | 'admission-controller'
  | 'background-controller'
  | 'cleanup-controller'
  | 'reports-controller'

const RBAC = 'rbac.authorization.k8s.io'
const labelsOf = (component: string): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/instance': 'kyverno',
  'app.kubernetes.io/part-of': 'kyverno',
})

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

const all = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch', 'deletecollection']
const reading = ['get', 'list', 'watch']
const rule = (apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups,
  resources,
  verbs,
})

/** What every component may do: its own kinds, and reading what policies are decided by. */
const common: readonly Rule[] = [
  rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], reading),
  rule(['kyverno.io', 'policies.kyverno.io', 'reports.kyverno.io', 'wgpolicyk8s.io', 'openreports.io'], ['*'], all),
  rule([''], ['configmaps', 'namespaces'], reading),
  rule(['', 'events.k8s.io'], ['events'], ['create', 'get', 'list', 'patch', 'update', 'watch']),
  rule(['coordination.k8s.io'], ['leases'], all),
]

const core: Readonly<Record<PolicyComponent, readonly Rule[]>> = {
  'admission-controller': [
    ...common,
    rule(['admissionregistration.k8s.io'], ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'], all),
    rule([RBAC], ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'], reading),
    rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
  ],
  'background-controller': common,
  'cleanup-controller': [
    ...common,
    rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
    rule([RBAC], ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'], reading),
  ],
  'reports-controller': common,
}

/** What may be generated, changed and removed out of the box; a cluster's owner adds roles with the labels that aggregate. */
const additional: Readonly<Record<PolicyComponent, readonly Rule[]>> = {
  'admission-controller': [rule(['*'], ['secrets'], ['get', 'list'])],
  'background-controller': [
    rule(
      [''],
      ['configmaps', 'secrets', 'resourcequotas', 'limitranges', 'namespaces', 'nodes', 'nodes/status', 'pods'],
      ['create', 'update', 'patch', 'delete', 'get', 'list', 'watch'],
    ),
    rule(
      ['networking.k8s.io'],
      ['networkpolicies', 'ingresses', 'ingressclasses'],
      ['create', 'update', 'patch', 'delete', 'get', 'list', 'watch'],
    ),
    rule(
      [RBAC],
      ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
      ['create', 'update', 'patch', 'delete', 'get', 'list', 'watch'],
    ),
  ],
  'cleanup-controller': [rule([''], ['pods'], ['list', 'delete', 'watch'])],
  'reports-controller': [rule(['*'], ['*'], reading)],
}

const components: readonly PolicyComponent[] = [
  'admission-controller',
  'background-controller',
  'cleanup-controller',
  'reports-controller',
]

/** The user name of a component. */
export const accountOf = (component: PolicyComponent): string =>
  `system:serviceaccount:${KYVERNO_NAMESPACE}:${KYVERNO_NAMESPACE}-${component}`

function objectsOf(component: PolicyComponent): readonly KubeObject[] {
  const labels = labelsOf(component)
  const role = `kyverno:${component}`
  const named = (name: string): KubeObject['metadata'] => ({ name, labels })
  const subjects = [{ kind: 'ServiceAccount', name: `${KYVERNO_NAMESPACE}-${component}`, namespace: KYVERNO_NAMESPACE }]
  const bind = (name: string, to: string): KubeObject => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: named(name),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: to },
    subjects,
  })
  const clusterRole = (name: string, more: object): KubeObject => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: named(name),
    ...more,
  })
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: `${KYVERNO_NAMESPACE}-${component}`, namespace: KYVERNO_NAMESPACE, labels },
    },
    clusterRole(`${role}:core`, { rules: core[component] }),
    clusterRole(`${role}:additional`, { rules: additional[component] }),
    clusterRole(role, {
      aggregationRule: {
        clusterRoleSelectors: [
          { matchLabels: { [`rbac.kyverno.io/aggregate-to-${component}`]: 'true' } },
          { matchLabels: labels },
        ],
      },
      rules: [],
    }),
    bind(role, role),
    bind(`${role}:view`, 'view'),
  ]
}

const settings: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: SETTINGS_NAME, namespace: KYVERNO_NAMESPACE, labels: { 'app.kubernetes.io/part-of': 'kyverno' } },
  data: {
    enableDefaultRegistryMutation: 'true',
    defaultRegistry: 'docker.io',
    generateSuccessEvents: 'false',
    excludeGroups: 'system:nodes',
    resourceFilters: usualFilters.join('\n'),
    updateRequestThreshold: '1000',
    webhooks: JSON.stringify({ namespaceSelector: usualNamespaceSelector }),
  },
}

/** Everything that policies need in a cluster beside their definitions, in the order in which it is made. */
export const kyvernoObjects: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: KYVERNO_NAMESPACE } },
  settings,
  ...components.flatMap(objectsOf),
]
