import type { KubeObject } from '../../kube/object.ts'
import { MASTERS } from './attributes.ts'
import type { PolicyRule } from './rbac.ts'

const RBAC = 'rbac.authorization.k8s.io'
/** Marks what the server itself keeps in order. */
const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const autoupdate = { [`${RBAC}/autoupdate`]: 'true' }

const READ = ['get', 'list', 'watch']
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update']

const rule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
})

interface RoleSpec {
  readonly rules?: readonly PolicyRule[]
  readonly labels?: Readonly<Record<string, string>>
  readonly aggregates?: string
}

function clusterRole(name: string, { rules, labels, aggregates }: RoleSpec): KubeObject {
  const selector = aggregates && {
    clusterRoleSelectors: [{ matchLabels: { [`${RBAC}/aggregate-to-${aggregates}`]: 'true' } }],
  }
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...bootstrapping, ...labels }, annotations: autoupdate },
    ...(selector ? { aggregationRule: selector } : {}),
    rules: rules ?? [],
  }
}

function clusterRoleBinding(role: string, groups: readonly string[], name: string = role): KubeObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: bootstrapping, annotations: autoupdate },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: groups.map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
  }
}

const aggregateTo = (role: string): Readonly<Record<string, string>> => ({ [`${RBAC}/aggregate-to-${role}`]: 'true' })

const coreReadable = [
  'bindings',
  'configmaps',
  'endpoints',
  'events',
  'limitranges',
  'namespaces',
  'namespaces/status',
  'persistentvolumeclaims',
  'persistentvolumeclaims/status',
  'pods',
  'pods/log',
  'pods/status',
  'replicationcontrollers',
  'replicationcontrollers/scale',
  'replicationcontrollers/status',
  'resourcequotas',
  'resourcequotas/status',
  'serviceaccounts',
  'services',
  'services/status',
]
const appsAll = [
  'controllerrevisions',
  'daemonsets',
  'daemonsets/status',
  'deployments',
  'deployments/scale',
  'deployments/status',
  'replicasets',
  'replicasets/scale',
  'replicasets/status',
  'statefulsets',
  'statefulsets/scale',
  'statefulsets/status',
]
const appsWritable = [
  'daemonsets',
  'deployments',
  'deployments/rollback',
  'deployments/scale',
  'replicasets',
  'replicasets/scale',
  'statefulsets',
  'statefulsets/scale',
]
const batchAll = ['cronjobs', 'cronjobs/status', 'jobs', 'jobs/status']
const networkingAll = ['ingresses', 'ingresses/status', 'networkpolicies']
const coreWritable = [
  'configmaps',
  'events',
  'persistentvolumeclaims',
  'pods',
  'pods/attach',
  'pods/exec',
  'pods/portforward',
  'pods/proxy',
  'replicationcontrollers',
  'replicationcontrollers/scale',
  'secrets',
  'serviceaccounts',
  'services',
  'services/proxy',
]

const viewRules: readonly PolicyRule[] = [
  rule('', coreReadable, READ),
  rule('discovery.k8s.io', ['endpointslices'], READ),
  rule('apps', appsAll, READ),
  rule('autoscaling', ['horizontalpodautoscalers', 'horizontalpodautoscalers/status'], READ),
  rule('batch', batchAll, READ),
  rule('policy', ['poddisruptionbudgets', 'poddisruptionbudgets/status'], READ),
  rule('networking.k8s.io', networkingAll, READ),
]

const editRules: readonly PolicyRule[] = [
  rule('', ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'], READ),
  rule('', ['serviceaccounts'], ['impersonate']),
  rule('', coreWritable, WRITE),
  rule('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
  rule('apps', appsWritable, WRITE),
  rule('autoscaling', ['horizontalpodautoscalers'], WRITE),
  rule('batch', ['cronjobs', 'jobs'], WRITE),
  rule('policy', ['poddisruptionbudgets'], WRITE),
  rule('networking.k8s.io', ['ingresses', 'networkpolicies'], WRITE),
  rule('coordination.k8s.io', ['leases'], [...READ, ...WRITE]),
]

const discoveryPaths = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
]
const reviews = ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']

/** The ClusterRoles every cluster starts with: what `kubectl create rolebinding --clusterrole=edit` counts on. */
export const bootstrapClusterRoles: readonly KubeObject[] = [
  clusterRole('cluster-admin', {
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  }),
  clusterRole('admin', { aggregates: 'admin' }),
  clusterRole('edit', { aggregates: 'edit', labels: aggregateTo('admin') }),
  clusterRole('view', { aggregates: 'view', labels: aggregateTo('edit') }),
  clusterRole('system:aggregate-to-admin', {
    labels: aggregateTo('admin'),
    rules: [
      rule('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
      rule(RBAC, ['rolebindings', 'roles'], [...READ, ...WRITE]),
    ],
  }),
  clusterRole('system:aggregate-to-edit', { labels: aggregateTo('edit'), rules: editRules }),
  clusterRole('system:aggregate-to-view', { labels: aggregateTo('view'), rules: viewRules }),
  clusterRole('system:discovery', { rules: [{ verbs: ['get'], nonResourceURLs: discoveryPaths }] }),
  clusterRole('system:public-info-viewer', {
    rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'] }],
  }),
  clusterRole('system:basic-user', {
    rules: [
      rule('authorization.k8s.io', reviews, ['create']),
      rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
    ],
  }),
  clusterRole('system:auth-delegator', {
    rules: [
      rule('authentication.k8s.io', ['tokenreviews'], ['create']),
      rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
    ],
  }),
  clusterRole('system:service-account-issuer-discovery', {
    rules: [{ verbs: ['get'], nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks'] }],
  }),
  clusterRole('system:monitoring', {
    rules: [
      {
        verbs: ['get'],
        nonResourceURLs: ['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/readyz', '/readyz/*'],
      },
    ],
  }),
]

/** The bindings every cluster starts with. */
export const bootstrapClusterRoleBindings: readonly KubeObject[] = [
  clusterRoleBinding('cluster-admin', [MASTERS]),
  clusterRoleBinding('system:discovery', ['system:authenticated']),
  clusterRoleBinding('system:public-info-viewer', ['system:authenticated', 'system:unauthenticated']),
  clusterRoleBinding('system:basic-user', ['system:authenticated']),
  clusterRoleBinding('system:service-account-issuer-discovery', ['system:serviceaccounts']),
  clusterRoleBinding('system:monitoring', ['system:monitoring']),
]
