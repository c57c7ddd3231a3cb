import {
  type Fields,
  fieldsOf,
  type Fill,
  type FillTable,
  listOf,
  withAbsent,
  withField,
  withZero,
  zero,
  absent,
} from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/core/v1/defaults.go.

const core = (kind: string): string => `io.k8s.api.core.v1.${kind}`

/** The tag of an image reference; `latest` where there is neither a tag nor a digest. */
function tagOf(image: string): string {
  if (image.includes('@')) return ''
  const name = image.slice(image.lastIndexOf('/') + 1)
  const colon = name.indexOf(':')
  return colon < 0 ? 'latest' : name.slice(colon + 1)
}

const pullPolicyFor = (image: unknown): string =>
  typeof image === 'string' && tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent'

const container: Fill = (object) =>
  withZero(withAbsent(object, { resources: {} }), {
    imagePullPolicy: pullPolicyFor(object['image']),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  })

const volumeSources = (volume: Fields): readonly string[] => Object.keys(volume).filter((field) => field !== 'name')

const volume: Fill = (object) => {
  if (volumeSources(object).length === 0) return { ...object, emptyDir: {} }
  const image = object['image']
  if (image === undefined) return object
  const source = fieldsOf(image)
  return withField(object, 'image', withZero(source, { pullPolicy: pullPolicyFor(source['reference']) }))
}

/** Only a Pod itself has requests from its limits and host ports from its container ports; templates stay as they are. */
const pod: Fill = (object) => {
  let spec = fieldsOf(object['spec'])
  for (const field of ['containers', 'initContainers']) {
    spec = withContainers(spec, field, requestsFromLimits)
    if (spec['hostNetwork'] === true) spec = withContainers(spec, field, hostPorts)
  }
  spec = withAbsent(spec, { enableServiceLinks: true })
  return withField(object, 'spec', spec)
}

function withContainers(spec: Fields, field: string, change: (container: Fields) => Fields): Fields {
  const before = spec[field]
  if (!Array.isArray(before)) return spec
  const after = before.map((one: unknown) => change(fieldsOf(one)))
  return after.some((one, at) => one !== before[at]) ? { ...spec, [field]: after } : spec
}

function requestsFromLimits(object: Fields): Fields {
  const resources = fieldsOf(object['resources'])
  const limits = fieldsOf(resources['limits'])
  if (Object.keys(limits).length === 0) return object
  const requests = { ...limits, ...fieldsOf(resources['requests']) }
  if (Object.keys(requests).length === Object.keys(fieldsOf(resources['requests'])).length) return object
  return { ...object, resources: { ...resources, requests } }
}

function hostPorts(object: Fields): Fields {
  const ports = listOf(object['ports'])
  if (ports.every((port) => fieldsOf(port)['hostPort'])) return object
  return {
    ...object,
    ports: ports.map((port) => {
      const { containerPort, hostPort } = fieldsOf(port)
      return hostPort ? port : { ...fieldsOf(port), hostPort: containerPort }
    }),
  }
}

const externalTypes: readonly unknown[] = ['NodePort', 'LoadBalancer']

const service: Fill = (object) => {
  const spec = withZero(fieldsOf(object['spec']), { sessionAffinity: 'None', type: 'ClusterIP' })
  const type = spec['type']
  const isExternal = externalTypes.includes(type) || (type === 'ClusterIP' && listOf(spec['externalIPs']).length > 0)
  const filled = withAbsent(affinityOf(spec), {
    ...(isExternal ? { externalTrafficPolicy: 'Cluster' } : {}),
    ...(externalTypes.includes(type) || type === 'ClusterIP' ? { internalTrafficPolicy: 'Cluster' } : {}),
    ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
  })
  const status = withAbsent(fieldsOf(object['status']), { loadBalancer: {} })
  return withField(withField(object, 'spec', filled), 'status', status)
}

function affinityOf(spec: Fields): Fields {
  if (spec['sessionAffinity'] === 'None' && spec['sessionAffinityConfig'] !== undefined) {
    const { sessionAffinityConfig: _, ...rest } = spec
    return rest
  }
  if (spec['sessionAffinity'] !== 'ClientIP') return spec
  const clientIp = fieldsOf(fieldsOf(spec['sessionAffinityConfig'])['clientIP'])
  if (clientIp['timeoutSeconds'] !== undefined) return spec
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
}

const servicePort: Fill = (object) =>
  withZero(object, {
    protocol: 'TCP',
    ...(typeof object['port'] === 'number' && object['port'] !== 0 ? { targetPort: object['port'] } : {}),
  })

const namespace: Fill = (object) => {
  const metadata = fieldsOf(object['metadata'])
  const labels = fieldsOf(metadata['labels'])
  const name = metadata['name']
  const status = withZero(fieldsOf(object['status']), { phase: 'Active' })
  const filled = withField(object, 'status', status)
  if (typeof name !== 'string' || name === '' || labels['kubernetes.io/metadata.name'] === name) return filled
  return { ...filled, metadata: { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } } }
}

const persistentVolume: Fill = (object) => {
  const spec = fieldsOf(object['spec'])
  const filled = withAbsent(withZero(spec, { persistentVolumeReclaimPolicy: 'Retain' }), { volumeMode: 'Filesystem' })
  const status = withZero(fieldsOf(object['status']), { phase: 'Pending' })
  return withField(withField(object, 'spec', filled), 'status', status)
}

const claim: Fill = (object) => withField(object, 'status', withZero(fieldsOf(object['status']), { phase: 'Pending' }))

const nodeStatus: Fill = (object) =>
  object['allocatable'] === undefined && object['capacity'] !== undefined
    ? { ...object, allocatable: object['capacity'] }
    : object

const limitRangeItem: Fill = (object) => {
  if (object['type'] !== 'Container') return object
  const [max, min] = [fieldsOf(object['max']), fieldsOf(object['min'])]
  const limits = united(fieldsOf(object['default']), max)
  const requests = united(united(fieldsOf(object['defaultRequest']), limits), min)
  const limited = Object.keys(limits).length > 0 ? withField(object, 'default', limits) : object
  return Object.keys(requests).length > 0 ? withField(limited, 'defaultRequest', requests) : limited
}

/** The first, with what only the second has. */
const united = (first: Fields, second: Fields): Fields =>
  Object.keys(second).every((name) => Object.hasOwn(first, name)) ? first : { ...second, ...first }

const replicationController: Fill = (object) => {
  const spec = fieldsOf(object['spec'])
  const labels = fieldsOf(fieldsOf(fieldsOf(spec['template'])['metadata'])['labels'])
  if (Object.keys(labels).length === 0) return object
  const metadata = fieldsOf(object['metadata'])
  const filled = Object.keys(fieldsOf(spec['selector'])).length === 0 ? { ...spec, selector: labels } : spec
  const named = Object.keys(fieldsOf(metadata['labels'])).length === 0 ? { ...metadata, labels } : metadata
  return withField(withField(object, 'spec', filled), 'metadata', named)
}

const fileMode = absent({ defaultMode: 0o644 })

/** Defaults of the core group by type. */
export const coreDefaults: FillTable = {
  [core('Container')]: container,
  [core('EphemeralContainer')]: container,
  [core('Volume')]: volume,
  [core('Pod')]: pod,
  [core('PodSpec')]: (object) =>
    withAbsent(
      withZero(object, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' }),
      { securityContext: {}, terminationGracePeriodSeconds: 30 },
    ),
  [core('Probe')]: zero({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  [core('HTTPGetAction')]: zero({ path: '/', scheme: 'HTTP' }),
  [core('SecretVolumeSource')]: fileMode,
  [core('ConfigMapVolumeSource')]: fileMode,
  [core('DownwardAPIVolumeSource')]: fileMode,
  [core('ProjectedVolumeSource')]: fileMode,
  [core('HostPathVolumeSource')]: absent({ type: '' }),
  [core('ServiceAccountTokenProjection')]: absent({ expirationSeconds: 3_600 }),
  [core('ObjectFieldSelector')]: zero({ apiVersion: 'v1' }),
  [core('Service')]: service,
  [core('ServicePort')]: servicePort,
  [core('Secret')]: zero({ type: 'Opaque' }),
  [core('PersistentVolume')]: persistentVolume,
  [core('PersistentVolumeClaim')]: claim,
  [core('PersistentVolumeClaimSpec')]: absent({ volumeMode: 'Filesystem' }),
  [core('Namespace')]: namespace,
  [core('NodeStatus')]: nodeStatus,
  [core('LimitRangeItem')]: limitRangeItem,
  [core('ReplicationController')]: replicationController,
  [core('EndpointPort')]: zero({ protocol: 'TCP' }),
}
