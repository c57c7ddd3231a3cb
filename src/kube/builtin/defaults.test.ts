import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { deepFreeze } from '../../lib/json.ts'
import { builtinSchemas } from '../schema/builtin.ts'
import { decodeBuiltin } from '../schema/decode.ts'
import { applyBuiltinDefaults } from './defaults.ts'

const schemas = builtinSchemas(readData)

function filled(apiVersion: string, kind: string, fields: object): unknown {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const schema = schemas.schemaOf({ group, version, kind })
  if (!schema) throw new Error(`no schema for ${apiVersion} ${kind}`)
  const once = applyBuiltinDefaults(deepFreeze(fields), schema)
  expect(applyBuiltinDefaults(once, schema), 'twice is the same as once').toBe(once)
  return once
}

const container = {
  imagePullPolicy: 'IfNotPresent',
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
}
const podSpec = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
}

interface Case {
  readonly name: string
  readonly kind: readonly [string, string]
  readonly object: object
  readonly want: unknown
}

test.each<Case>([
  {
    name: 'a Deployment rolls by quarters, its template is filled, and no requests are made up in it',
    kind: ['apps/v1', 'Deployment'],
    object: {
      spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1', resources: { limits: { cpu: '1' } } }] } } },
    },
    want: {
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        template: {
          spec: {
            ...podSpec,
            containers: [{ ...container, name: 'a', image: 'a:1', resources: { limits: { cpu: '1' } } }],
          },
        },
      },
    },
  },
  {
    name: 'a Deployment that is recreated has no rolling update',
    kind: ['apps/v1', 'Deployment'],
    object: { spec: { replicas: 0, strategy: { type: 'Recreate' }, template: { spec: { containers: [] } } } },
    want: {
      spec: {
        replicas: 0,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'Recreate' },
        template: { spec: { ...podSpec, containers: [] } },
      },
    },
  },
  {
    name: 'a Pod asks for what it limits, and opens its container ports on a host network',
    kind: ['v1', 'Pod'],
    object: {
      spec: {
        hostNetwork: true,
        containers: [
          {
            name: 'a',
            image: 'a',
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
          },
        ],
        volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 'x' } }],
      },
    },
    want: {
      spec: {
        ...podSpec,
        hostNetwork: true,
        enableServiceLinks: true,
        containers: [
          {
            ...container,
            name: 'a',
            image: 'a',
            imagePullPolicy: 'Always',
            ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
          },
        ],
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 's', secret: { secretName: 'x', defaultMode: 420 } },
        ],
      },
    },
  },
  {
    name: 'probes and HTTP checks',
    kind: ['v1', 'Pod'],
    object: {
      spec: {
        containers: [
          {
            name: 'a',
            image: 'r.example:5000/a@sha256:0',
            livenessProbe: { httpGet: { port: 80 }, timeoutSeconds: 0 },
            env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          },
        ],
      },
    },
    want: {
      spec: {
        ...podSpec,
        enableServiceLinks: true,
        containers: [
          {
            ...container,
            name: 'a',
            image: 'r.example:5000/a@sha256:0',
            livenessProbe: {
              httpGet: { port: 80, path: '/', scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 10,
              successThreshold: 1,
              failureThreshold: 3,
            },
            env: [{ name: 'X', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
          },
        ],
      },
    },
  },
  {
    name: 'a Service',
    kind: ['v1', 'Service'],
    object: { spec: { ports: [{ port: 80 }, { port: 81, targetPort: 'http', protocol: 'UDP' }] } },
    want: {
      spec: {
        sessionAffinity: 'None',
        type: 'ClusterIP',
        internalTrafficPolicy: 'Cluster',
        ports: [
          { port: 80, protocol: 'TCP', targetPort: 80 },
          { port: 81, targetPort: 'http', protocol: 'UDP' },
        ],
      },
      status: { loadBalancer: {} },
    },
  },
  {
    name: 'a load-balanced Service with client affinity',
    kind: ['v1', 'Service'],
    object: { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP' }, status: { loadBalancer: {} } },
    want: {
      spec: {
        type: 'LoadBalancer',
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
        externalTrafficPolicy: 'Cluster',
        internalTrafficPolicy: 'Cluster',
        allocateLoadBalancerNodePorts: true,
      },
      status: { loadBalancer: {} },
    },
  },
  {
    name: 'a StatefulSet and its claims',
    kind: ['apps/v1', 'StatefulSet'],
    object: {
      spec: {
        template: {},
        volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'] } }],
      },
    },
    want: {
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        template: {},
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'd' },
            spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    },
  },
  {
    name: 'a Job takes the labels of its template when it has none',
    kind: ['batch/v1', 'Job'],
    object: { spec: { template: { metadata: { labels: { a: 'b' } } } } },
    want: {
      metadata: { labels: { a: 'b' } },
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
        template: { metadata: { labels: { a: 'b' } } },
      },
    },
  },
  {
    name: 'a Job with parallelism alone is a work queue: completions stay open',
    kind: ['batch/v1', 'Job'],
    object: { spec: { parallelism: 3 } },
    want: {
      spec: {
        parallelism: 3,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      },
    },
  },
  {
    name: 'a NetworkPolicy with egress rules concerns both directions',
    kind: ['networking.k8s.io/v1', 'NetworkPolicy'],
    object: { spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } },
    want: {
      spec: {
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
        egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }],
      },
    },
  },
  {
    name: 'subjects and roles are of the RBAC group, service accounts are not',
    kind: ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
    object: {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
    want: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
  },
  {
    name: 'a Namespace carries its name as a label',
    kind: ['v1', 'Namespace'],
    object: { metadata: { name: 'n', labels: { a: 'b' } } },
    want: {
      metadata: { name: 'n', labels: { a: 'b', 'kubernetes.io/metadata.name': 'n' } },
      status: { phase: 'Active' },
    },
  },
  {
    name: 'an autoscaler watches the CPU',
    kind: ['autoscaling/v2', 'HorizontalPodAutoscaler'],
    object: { spec: { maxReplicas: 3, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } },
    want: {
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [
              { type: 'Pods', value: 4, periodSeconds: 15 },
              { type: 'Percent', value: 100, periodSeconds: 15 },
            ],
          },
          scaleDown: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
          },
        },
      },
    },
  },
  {
    name: 'webhooks',
    kind: ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
    object: {
      webhooks: [
        { name: 'a', clientConfig: { service: { name: 's', namespace: 'n' } }, rules: [{ operations: ['*'] }] },
      ],
    },
    want: {
      webhooks: [
        {
          name: 'a',
          clientConfig: { service: { name: 's', namespace: 'n', port: 443 } },
          rules: [{ operations: ['*'], scope: '*' }],
          failurePolicy: 'Fail',
          timeoutSeconds: 10,
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          reinvocationPolicy: 'Never',
        },
      ],
    },
  },
  {
    name: 'a definition is named after its kind and stores its storage version',
    kind: ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    object: { spec: { names: { kind: 'Widget', plural: 'widgets' }, versions: [{ name: 'v1', storage: true }] } },
    want: {
      spec: {
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
        conversion: { strategy: 'None' },
        versions: [{ name: 'v1', storage: true }],
      },
      status: { storedVersions: ['v1'] },
    },
  },
  {
    name: 'limits of a range',
    kind: ['v1', 'LimitRange'],
    object: {
      spec: {
        limits: [
          { type: 'Container', max: { cpu: '2' }, min: { cpu: '1', memory: '1Gi' } },
          { type: 'Pod', max: { cpu: '4' } },
        ],
      },
    },
    want: {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2' },
            min: { cpu: '1', memory: '1Gi' },
            default: { cpu: '2' },
            defaultRequest: { cpu: '2', memory: '1Gi' },
          },
          { type: 'Pod', max: { cpu: '4' } },
        ],
      },
    },
  },
])('$name', ({ kind: [apiVersion, kind], object, want }) => {
  expect(filled(apiVersion, kind, object)).toEqual(want)
})

test('defaulting whatever decodes never throws and is done after one turn', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...schemas.kinds()),
      fc.dictionary(fc.constantFrom('spec', 'metadata', 'status', 'webhooks'), fc.jsonValue()),
      (kind, value) => {
        const schema = schemas.schemaOf(kind)
        const decoded = schema && decodeBuiltin(value, schema)
        if (!schema || !decoded?.ok) return
        const once = applyBuiltinDefaults(decoded.value.value, schema)
        expect(applyBuiltinDefaults(once, schema)).toEqual(once)
      },
    ),
    { numRuns: 300 },
  )
})
