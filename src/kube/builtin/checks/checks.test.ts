import fc from 'fast-check'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { readData } from '../../../lib/data-file.ts'
import { deepFreeze } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import { builtinSchemas } from '../../schema/builtin.ts'
import { decodeBuiltin } from '../../schema/decode.ts'
import { gvkOf } from '../../gvk.ts'
import { applyBuiltinDefaults } from '../defaults.ts'
import { isCronSchedule } from './cron.ts'
import { checkBuiltin } from './index.ts'

const schemas = builtinSchemas(readData)

function stored(yaml: string): KubeObject {
  const value = load(yaml) as KubeObject
  const named = { ...value, metadata: { name: 'a', ...value.metadata } }
  const schema = schemas.schemaOf(gvkOf(value))
  const decoded = schema && decodeBuiltin(named, schema)
  if (!schema || !decoded?.ok)
    throw new Error(`cannot decode: ${decoded?.ok === false ? decoded.error[0]?.message : 'no schema'}`)
  return deepFreeze(applyBuiltinDefaults(decoded.value.value, schema))
}

function problems(yaml: string, old?: string): readonly string[] {
  const object = stored(yaml)
  const kind = gvkOf(object)
  const resource = schemas
    .resources()
    .find((one) => one.kind === kind.kind && one.group === kind.group && !one.subresource)
  const namespaced = resource?.namespaced ?? false
  const placed = (one: KubeObject): KubeObject =>
    namespaced ? { ...one, metadata: { namespace: 'default', ...one.metadata } } : one
  return checkBuiltin({
    kind,
    namespaced,
    schema: schemas.schemaOf(kind) ?? {},
    object: placed(object),
    ...(old === undefined ? {} : { old: placed(stored(old)) }),
  }).map(({ at, message }) => `${at}: ${message}`)
}

const deployment = (spec: string, template: string = 'spec: {containers: [{name: a, image: a}]}'): string => `
apiVersion: apps/v1
kind: Deployment
spec:
  ${spec}
  template:
    metadata: {labels: {app: a}}
    ${template}
`
const pod = (spec: string): string => `{apiVersion: v1, kind: Pod, spec: ${spec}}`
const one = (rest: string): string =>
  pod(`{containers: [{name: a, image: a, ${rest}}], volumes: [{name: v, emptyDir: {}}]}`)

test.each<[string, string, readonly (string | RegExp)[]]>([
  ['a Deployment', deployment('selector: {matchLabels: {app: a}}'), []],
  [
    'a selector that does not match',
    deployment('selector: {matchLabels: {app: b}}'),
    ['spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'],
  ],
  ['no selector', deployment('replicas: 1'), ['spec.selector: Required value']],
  [
    'an empty selector',
    deployment('selector: {}'),
    ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  ],
  [
    'negative replicas',
    deployment('{selector: {matchLabels: {app: a}}, replicas: -1}'.slice(1, -1).replace(', replicas', '\n  replicas')),
    ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'no containers',
    deployment('selector: {matchLabels: {app: a}}', 'spec: {}'),
    ['spec.template.spec.containers: Required value'],
  ],
  [
    'a template that is not restarted',
    deployment('selector: {matchLabels: {app: a}}', 'spec: {restartPolicy: Never, containers: [{name: a, image: a}]}'),
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
  [
    'a rolling update of nothing',
    deployment('selector: {matchLabels: {app: a}}\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}'),
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  ],
  [
    'a recreated Deployment with a rolling update',
    deployment('selector: {matchLabels: {app: a}}\n  strategy: {type: Recreate, rollingUpdate: {}}'),
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    'a container without name and image',
    pod('{containers: [{}]}'),
    ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
  ],
  [
    'two containers of one name',
    pod('{containers: [{name: a, image: a}], initContainers: [{name: a, image: a}]}'),
    ['spec.containers[0].name: Duplicate value: "a"'],
  ],
  [
    'a container name that is no label',
    pod('{containers: [{name: A_b, image: a}]}'),
    [/^spec.containers\[0\].name: Invalid value: "A_b": a lowercase RFC 1123 label/],
  ],
  [
    'a mount without its volume',
    one('volumeMounts: [{name: w, mountPath: /x}]'),
    ['spec.containers[0].volumeMounts[0].name: Not found: "w"'],
  ],
  [
    'two mounts at one path',
    one('volumeMounts: [{name: v, mountPath: /x}, {name: v, mountPath: /x}]'),
    ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique'],
  ],
  [
    'requests above limits',
    one('resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}'),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    'a resource nobody knows',
    one('resources: {limits: {cpus: "1"}}'),
    [/must be a standard resource type or fully qualified/, /must be a standard resource type or fully qualified/],
  ],
  [
    'an environment variable without a name',
    one('env: [{value: x}]'),
    ['spec.containers[0].env[0].name: Required value'],
  ],
  [
    'a variable from two places',
    one('env: [{name: X, value: y, valueFrom: {configMapKeyRef: {name: c, key: k}}}]'),
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  ['repeated variables, which are allowed', one('env: [{name: X, value: a}, {name: X, value: b}]'), []],
  [
    'a port out of range',
    one('ports: [{containerPort: 70000}]'),
    ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'a pull policy that does not exist',
    one('imagePullPolicy: Sometimes'),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [
    'a probe without a handler',
    one('livenessProbe: {periodSeconds: 5}'),
    ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  ],
  [
    'a liveness probe that must succeed twice',
    one('livenessProbe: {successThreshold: 2, tcpSocket: {port: 80}}'),
    ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
  ],
  [
    'two volumes of one name',
    pod('{containers: [{name: a, image: a}], volumes: [{name: v}, {name: v}]}'),
    ['spec.volumes[1].name: Duplicate value: "v"'],
  ],
  [
    'a volume of two kinds',
    pod('{containers: [{name: a, image: a}], volumes: [{name: v, emptyDir: {}, secret: {secretName: s}}]}'),
    ['spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a toleration of everything without Exists',
    pod('{containers: [{name: a, image: a}], tolerations: [{effect: NoSchedule}]}'),
    [/^spec.tolerations\[0\].operator: Invalid value: "": operator must be Exists when `key` is empty/],
  ],
  [
    'a StatefulSet that mounts its claims',
    '{apiVersion: apps/v1, kind: StatefulSet, spec: {serviceName: s, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a, volumeMounts: [{name: d, mountPath: /d}]}]}}, volumeClaimTemplates: [{metadata: {name: d}}]}}',
    [],
  ],
  [
    'a Job that restarts always',
    '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{name: a, image: a}]}}}}',
    [
      'spec.template.spec.restartPolicy: Invalid value: "Always": Required value: supported values: "OnFailure", "Never"',
    ],
  ],
  [
    'a CronJob with a bad schedule',
    '{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "61 * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}',
    ['spec.schedule: Invalid value: "61 * * * *": cannot be read as a schedule of five fields'],
  ],
  ['a Service', '{apiVersion: v1, kind: Service, spec: {ports: [{port: 80}]}}', []],
  ['a Service without ports', '{apiVersion: v1, kind: Service, spec: {}}', ['spec.ports: Required value']],
  [
    'two unnamed ports',
    '{apiVersion: v1, kind: Service, spec: {ports: [{port: 80}, {port: 81, name: b}]}}',
    ['spec.ports[0].name: Required value'],
  ],
  [
    'one port twice',
    '{apiVersion: v1, kind: Service, spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}}',
    ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
  ],
  [
    'a node port of a cluster address',
    '{apiVersion: v1, kind: Service, spec: {ports: [{port: 80, nodePort: 30000}]}}',
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'a name that starts with a digit',
    '{apiVersion: v1, kind: Service, metadata: {name: 1a}, spec: {ports: [{port: 80}]}}',
    [/^metadata.name: Invalid value: "1a": a DNS-1035 label/],
  ],
  [
    'a key of a ConfigMap',
    '{apiVersion: v1, kind: ConfigMap, data: {"a b": ""}}',
    [/^data\[a b\]: Invalid value: "a b": a valid config key/],
  ],
  [
    'a TLS Secret without its key',
    '{apiVersion: v1, kind: Secret, type: kubernetes.io/tls, data: {tls.crt: ""}}',
    ['data[tls.key]: Required value'],
  ],
  [
    'a claim for nothing',
    '{apiVersion: v1, kind: PersistentVolumeClaim, spec: {}}',
    [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources.requests[storage]: Required value',
    ],
  ],
  [
    'a range of limits that is upside down',
    '{apiVersion: v1, kind: LimitRange, spec: {limits: [{type: Container, min: {cpu: "2"}, max: {cpu: "1"}, default: {cpu: "1"}, defaultRequest: {cpu: "1"}}]}}',
    [
      /^spec.limits\[0\].min\[cpu\]: Invalid value: "2": min value 2 is greater than defaultRequest value 1/,
      /default value/,
      /max value 1/,
    ],
  ],
  [
    'a quota',
    '{apiVersion: v1, kind: ResourceQuota, spec: {hard: {pods: "1", requests.cpu: "1", count/jobs.batch: "2", services.nodeports: "0"}}}',
    [],
  ],
  [
    'a quota of something unknown',
    '{apiVersion: v1, kind: ResourceQuota, spec: {hard: {podz: "1"}}}',
    ['spec.hard: Invalid value: "podz": must be a standard resource type or fully qualified'],
  ],
  [
    'a role without verbs',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, rules: [{apiGroups: [""], resources: [pods]}]}',
    ['rules[0].verbs: Required value: verbs must contain at least one value'],
  ],
  [
    'a role of URLs in a namespace',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, rules: [{verbs: [get], nonResourceURLs: ["/x"]}]}',
    ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
  ],
  [
    'a role with any name that a path can hold',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: "System:x"}}',
    [],
  ],
  [
    'a binding to nobody',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, roleRef: {kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: s}]}',
    [
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ],
  ],
  [
    'a NetworkPolicy',
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]}}',
    [],
  ],
  [
    'a peer that is nobody, and a hole that is elsewhere',
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {}, egress: [{to: [{}, {ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}], ports: [{endPort: 5}]}]}}',
    [
      'spec.egress[0].ports[0].endPort: Invalid value: 5: may not be specified when `port` is not specified',
      'spec.egress[0].to[0]: Required value: must specify a peer',
      'spec.egress[0].to[1].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
  ],
  [
    'an Ingress',
    '{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {rules: [{host: "*.a.example", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}}',
    [],
  ],
  [
    'an Ingress without path type and port',
    '{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {rules: [{http: {paths: [{path: x, backend: {service: {name: s}}}]}}]}}',
    [
      'spec.rules[0].http.paths[0].pathType: Required value',
      'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
      'spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required',
    ],
  ],
  [
    'a budget with both sides',
    '{apiVersion: policy/v1, kind: PodDisruptionBudget, spec: {minAvailable: 1, maxUnavailable: 1, selector: {matchLabels: {a: b}}}}',
    [/^spec: Invalid value: .*: minAvailable and maxUnavailable cannot be both set$/],
  ],
  [
    'an autoscaler that shrinks to more than it may grow',
    '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {minReplicas: 5, maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: d, apiVersion: apps/v1}}}',
    ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
  ],
  [
    'a priority that is too high',
    '{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, value: 2000000000}',
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  [
    'a webhook',
    '{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, webhooks: [{name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: "https://a"}}]}',
    [],
  ],
  [
    'a webhook that says too little',
    '{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {url: "http://a"}, rules: [{operations: [GET], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]}]}',
    [
      'webhooks[0].sideEffects: Required value',
      'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots',
      'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
      'webhooks[0].rules[0].operations[0]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      'webhooks[0].clientConfig.url: Invalid value: "http://a": \'https\' is the only allowed URL scheme. Desired format: https://host[/path]',
    ],
  ],
  [
    'a CronJob with a long name',
    '{apiVersion: batch/v1, kind: CronJob, metadata: {name: a234567890123456789012345678901234567890123456789012345}, spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}',
    [/must be no more than 52 characters/],
  ],
])('%s', (_name, yaml, want) => {
  const got = problems(yaml)
  expect(got.length, got.join('\n')).toBe(want.length)
  const fits = (line: string, wanted: string | RegExp | undefined): boolean =>
    wanted instanceof RegExp ? wanted.test(line) : line === wanted
  expect(got.filter((line, at) => !fits(line, want[at]))).toEqual([])
})

test.each<[string, string, string, readonly string[]]>([
  [
    'the selector of a Deployment',
    deployment('selector: {matchLabels: {app: a}}').replace('{app: a}}\n    spec', '{app: a, b: c}}\n    spec'),
    deployment('selector: {matchLabels: {app: a}}'),
    [],
  ],
  [
    'another selector',
    deployment('selector: {matchExpressions: [{key: app, operator: Exists}]}'),
    deployment('selector: {matchLabels: {app: a}}'),
    ['spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable'],
  ],
  ['a Pod with another image', one('command: [x]').replace('image: a', 'image: b'), one('command: [x]'), []],
  [
    'a Pod with another command',
    one('command: [y]'),
    one('command: [x]'),
    [
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ],
  ],
  [
    'an immutable ConfigMap',
    '{apiVersion: v1, kind: ConfigMap, immutable: true, data: {a: c}}',
    '{apiVersion: v1, kind: ConfigMap, immutable: true, data: {a: b}}',
    ['data: Forbidden: field is immutable when `immutable` is set'],
  ],
  [
    'the type of a Secret',
    '{apiVersion: v1, kind: Secret, type: x}',
    '{apiVersion: v1, kind: Secret}',
    ['type: Invalid value: "x": field is immutable'],
  ],
  [
    'the role of a binding',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {kind: Role, name: b}}',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {kind: Role, name: a}}',
    [
      'roleRef: Invalid value: {"kind":"Role","name":"b","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ],
  ],
  [
    'the parameters of a class',
    '{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: p, parameters: {a: c}}',
    '{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: p, parameters: {a: b}}',
    ['parameters: Invalid value: {"a":"c"}: field is immutable'],
  ],
  [
    'the template of a Job',
    '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}',
    '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}',
    [expect.stringMatching(/^spec.template: Invalid value: .*field is immutable$/) as string],
  ],
  [
    'the service of a StatefulSet',
    '{apiVersion: apps/v1, kind: StatefulSet, spec: {serviceName: t, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}',
    '{apiVersion: apps/v1, kind: StatefulSet, spec: {serviceName: s, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}',
    [expect.stringMatching(/^spec: Forbidden: updates to statefulset spec for fields other than/) as string],
  ],
  [
    'a claim that grows',
    '{apiVersion: v1, kind: PersistentVolumeClaim, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}',
    '{apiVersion: v1, kind: PersistentVolumeClaim, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}',
    [],
  ],
  [
    'a claim that shrinks',
    '{apiVersion: v1, kind: PersistentVolumeClaim, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}',
    '{apiVersion: v1, kind: PersistentVolumeClaim, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}',
    ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
  ],
])('an update: %s', (_name, next, old, want) => {
  expect(problems(next, old)).toEqual(want)
})

test.each([
  ['*/5 * * * *', true],
  ['0 0 1,15 * mon-fri', true],
  ['@hourly', true],
  ['@every 1h30m', true],
  ['* * * *', false],
  ['0 24 * * *', false],
  ['5-1 * * * *', false],
  ['*/0 * * * *', false],
  ['* * * * 7', false],
])('the schedule %j is %s', (text, want) => {
  expect(isCronSchedule(text)).toBe(want)
})

test('whatever decodes can be checked', () => {
  const fields = fc.constantFrom('spec', 'metadata', 'rules', 'webhooks', 'data', 'subjects', 'roleRef', 'subsets')
  fc.assert(
    fc.property(fc.constantFrom(...schemas.kinds()), fc.dictionary(fields, fc.jsonValue()), (kind, value) => {
      const schema = schemas.schemaOf(kind)
      const decoded = schema && decodeBuiltin({ metadata: {}, ...value }, schema)
      if (!schema || !decoded?.ok) return
      const object = applyBuiltinDefaults(decoded.value.value, schema) as unknown as KubeObject
      if (object.metadata === undefined) return
      checkBuiltin({ kind, namespaced: true, schema, object, old: object })
    }),
    { numRuns: 500 },
  )
})
