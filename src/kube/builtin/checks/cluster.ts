import ipaddr from 'ipaddr.js'
import { isEqual } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import { checkConfigKey, checkDnsLabel, checkDnsSubdomain, checkPortName } from '../../names.ts'
import { compareQuantity } from '../../quantity.ts'
import { duplicate, type FieldError, forbidden, invalid, tooLong } from '../../schema/field-error.ts'
import { fieldsOf, listOf } from '../defaulting.ts'
import { checkPodUpdate, checkPod } from './pod.ts'
import { amountsIn, checkAmounts, checkPort, checkSelector, type Part } from './report.ts'

// Semantics: kubernetes 1.36, pkg/apis/core/validation/validation.go.

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const
/** The data of one ConfigMap or Secret. */
const MOST_BYTES = 1024 * 1024

function service(object: Part): void {
  const spec = object.part('spec')
  const type = spec.text('type')
  const isHeadless = spec.text('clusterIP') === 'None'
  spec.oneOf('type', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], true)
  spec.oneOf('sessionAffinity', ['ClientIP', 'None'], true)
  spec.oneOf('internalTrafficPolicy', ['Cluster', 'Local'])
  spec.oneOf('externalTrafficPolicy', ['Cluster', 'Local'])
  spec.oneOf('ipFamilyPolicy', ['SingleStack', 'PreferDualStack', 'RequireDualStack'])
  spec.labels('selector')
  if (spec.list('ports').length === 0 && type !== 'ExternalName' && !isHeadless) spec.required('ports')
  if (isHeadless && (type === 'NodePort' || type === 'LoadBalancer')) {
    spec.invalid('clusterIP', `may not be set to 'None' for ${type} services`)
  }
  if (type === 'ExternalName') {
    if (spec.text('clusterIP') !== '') spec.forbidden('clusterIP', "may not be set when `type` is 'ExternalName'")
    if (spec.text('externalName') === '') spec.required('externalName')
    else
      for (const because of checkDnsSubdomain(spec.text('externalName').replace(/\.$/, '')))
        spec.invalid('externalName', because)
  } else if (spec.text('clusterIP') !== '' && !isHeadless && !ipaddr.isValid(spec.text('clusterIP'))) {
    spec.invalid('clusterIP', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
  }
  for (const [index, ip] of spec.list('externalIPs').entries()) {
    if (typeof ip === 'string' && !ipaddr.isValid(ip)) {
      spec.invalid(`externalIPs[${index}]`, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)', ip)
    }
  }
  servicePorts(spec, type)
  const timeout = spec.part('sessionAffinityConfig').part('clientIP')
  if (timeout.has('timeoutSeconds')) timeout.between('timeoutSeconds', 1, 86_400)
}

function servicePorts(spec: Part, type: string): void {
  const ports = spec.parts('ports')
  const [names, taken, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const port of ports) {
    const name = port.text('name')
    if (name === '' && ports.length > 1) port.required('name')
    if (name !== '') {
      for (const because of checkDnsLabel(name)) port.invalid('name', because)
      if (names.has(name)) port.problems.push(duplicate(port.place('name'), name))
      names.add(name)
    }
    port.oneOf('protocol', PROTOCOLS, true)
    if (port.number('port') === undefined) port.required('port')
    else port.between('port', 1, 65_535)
    checkPort(port, 'targetPort', checkPortName)
    const key = `${port.text('protocol')}/${port.number('port') ?? 0}`
    if (taken.has(key)) {
      port.problems.push(duplicate(port.at, { protocol: port.text('protocol'), port: port.number('port') ?? 0 }))
    }
    taken.add(key)
    nodePort(port, type, nodePorts)
  }
}

function nodePort(port: Part, type: string, taken: Set<string>): void {
  const number = port.number('nodePort') ?? 0
  if (number === 0) return
  if (type === 'ClusterIP' || type === 'ExternalName') {
    port.forbidden('nodePort', `may not be used when \`type\` is '${type}'`)
  }
  port.between('nodePort', 1, 65_535)
  const key = `${port.text('protocol')}/${number}`
  if (taken.has(key)) port.problems.push(duplicate(port.place('nodePort'), number))
  taken.add(key)
}

/** What was assigned stays while the Service is of a type that has it. */
function serviceUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const [spec, before] = [fieldsOf(next['spec']), fieldsOf(old['spec'])]
  if (before['type'] === 'ExternalName' || spec['type'] === 'ExternalName') return
  if (before['clusterIP'] && spec['clusterIP'] !== before['clusterIP']) {
    problems.push(invalid('spec.clusterIPs[0]', [spec['clusterIP'] ?? ''], 'may not change once set'))
  }
}

/** Bytes of a map of texts; base64 is counted decoded. */
const sizeOf = (values: unknown, isBase64: boolean): number =>
  Object.values(fieldsOf(values)).reduce<number>((sum, value) => {
    if (typeof value !== 'string') return sum
    return sum + (isBase64 ? Math.floor((value.length * 3) / 4) : Buffer.byteLength(value))
  }, 0)

function keys(object: Part, ...names: readonly string[]): void {
  for (const name of names) {
    for (const key of Object.keys(fieldsOf(object.fields[name]))) {
      for (const because of checkConfigKey(key)) object.invalid(`${name}[${key}]`, because, key)
    }
  }
}

function configMap(object: Part): void {
  keys(object, 'data', 'binaryData')
  for (const key of Object.keys(fieldsOf(object.fields['binaryData']))) {
    if (Object.hasOwn(fieldsOf(object.fields['data']), key)) {
      object.invalid(`data[${key}]`, 'duplicate of key present in binaryData', key)
    }
  }
  const size = sizeOf(object.fields['data'], false) + sizeOf(object.fields['binaryData'], true)
  if (size > MOST_BYTES) object.problems.push(tooLong('', MOST_BYTES))
}

/** The keys that a Secret of a type must have. */
const secretKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

function secret(object: Part): void {
  keys(object, 'data')
  if (sizeOf(object.fields['data'], true) > MOST_BYTES) object.problems.push(tooLong('data', MOST_BYTES))
  const type = object.text('type')
  const data = { ...fieldsOf(object.fields['data']), ...fieldsOf(object.fields['stringData']) }
  for (const key of secretKeys[type] ?? []) {
    if (!Object.hasOwn(data, key)) object.required(`data[${key}]`)
  }
  const isBasic = type === 'kubernetes.io/basic-auth'
  if (isBasic && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    object.required('data[username]')
    object.required('data[password]')
  }
  if (type !== 'kubernetes.io/service-account-token') return
  const annotations = fieldsOf(object.part('metadata').fields['annotations'])
  if (!annotations['kubernetes.io/service-account.name']) {
    object.required('metadata.annotations[kubernetes.io/service-account.name]')
  }
}

/** What was declared immutable stays so, with its data. */
const immutableData =
  (...names: readonly string[]) =>
  (next: KubeObject, old: KubeObject, problems: FieldError[]): void => {
    if (old['immutable'] !== true) return
    if (next['immutable'] !== true) {
      problems.push(forbidden('immutable', 'field is immutable when `immutable` is set'))
    }
    for (const name of names) {
      if (!isEqual(next[name], old[name])) problems.push(forbidden(name, 'field is immutable when `immutable` is set'))
    }
  }

function secretUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  if (next['type'] !== old['type']) problems.push(invalid('type', next['type'] ?? '', 'field is immutable'))
  immutableData('data')(next, old, problems)
}

const ACCESS_MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const

function accessModes(spec: Part): void {
  const modes = spec.list('accessModes')
  if (modes.length === 0) spec.required('accessModes', 'at least 1 access mode is required')
  for (const [index, mode] of modes.entries()) {
    if (!ACCESS_MODES.some((one) => one === mode)) {
      spec.invalid(`accessModes[${index}]`, `must be one of ${ACCESS_MODES.join(', ')}`, mode)
    }
  }
  if (modes.includes('ReadWriteOncePod') && modes.length > 1) {
    spec.forbidden('accessModes', 'may not use ReadWriteOncePod with other access modes')
  }
  spec.oneOf('volumeMode', ['Block', 'Filesystem'])
}

function claim(object: Part): void {
  const spec = object.part('spec')
  accessModes(spec)
  if (spec.has('selector')) checkSelector(spec.part('selector'))
  const storage = amountsIn(fieldsOf(fieldsOf(spec.fields['resources'])['requests'])).get('storage')
  if (!storage) spec.required('resources.requests[storage]')
  else if (storage.nano <= 0n) spec.invalid('resources.requests[storage]', 'must be greater than zero', '0')
}

/** A claim may grow, and be bound; nothing else of it changes. */
function claimUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const [spec, before] = [fieldsOf(next['spec']), fieldsOf(old['spec'])]
  const amount = (from: unknown): unknown => fieldsOf(fieldsOf(fieldsOf(from)['resources'])['requests'])['storage']
  const [wanted] = amountsIn({ storage: amount(spec) }).values()
  const [had] = amountsIn({ storage: amount(before) }).values()
  if (wanted && had && compareQuantity(wanted, had) < 0) {
    problems.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  const still = {
    ...spec,
    resources: before['resources'],
    volumeAttributesClassName: before['volumeAttributesClassName'],
    // The class of one that has none yet may be decided later.
    storageClassName: before['storageClassName'] ?? spec['storageClassName'],
    volumeName: before['volumeName'] || spec['volumeName'] === undefined ? spec['volumeName'] : before['volumeName'],
  }
  const known = (from: object): object =>
    Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined))
  if (isEqual(known(still), known(before))) return
  const because =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
  problems.push(forbidden('spec', because))
}

function volume(object: Part): void {
  const spec = object.part('spec')
  accessModes(spec)
  if (Object.keys(fieldsOf(spec.fields['capacity'])).length === 0) spec.required('capacity')
  checkAmounts(spec, 'capacity')
  spec.oneOf('persistentVolumeReclaimPolicy', ['Delete', 'Recycle', 'Retain'])
  const plain = new Set([
    'capacity',
    'accessModes',
    'claimRef',
    'persistentVolumeReclaimPolicy',
    'storageClassName',
    'mountOptions',
    'volumeMode',
    'nodeAffinity',
    'volumeAttributesClassName',
  ])
  const sources = Object.keys(spec.fields).filter((name) => !plain.has(name))
  if (sources.length === 0) spec.required('', 'must specify a volume type')
  for (const source of sources.slice(1)) spec.forbidden(source, 'may not specify more than 1 volume type')
  if (sources[0] === 'local' && !spec.has('nodeAffinity'))
    spec.required('nodeAffinity', 'Local volume requires node affinity')
}

function volumeUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const source = (from: unknown): unknown => {
    const {
      capacity: _c,
      accessModes: _a,
      claimRef: _r,
      persistentVolumeReclaimPolicy: _p,
      storageClassName: _s,
      mountOptions: _m,
      nodeAffinity: _n,
      volumeAttributesClassName: _v,
      ...rest
    } = fieldsOf(from)
    return rest
  }
  if (isEqual(source(next['spec']), source(old['spec']))) return
  problems.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'))
}

const countable = (name: string): boolean =>
  /^(requests|limits)\./.test(name) ||
  name.startsWith('count/') ||
  /^(configmaps|persistentvolumeclaims|replicationcontrollers|resourcequotas|secrets|services)(\.|$)/.test(name)

function resourceQuota(object: Part): void {
  const spec = object.part('spec')
  checkAmounts(spec, 'hard', countable)
  const scopes = [
    'Terminating',
    'NotTerminating',
    'BestEffort',
    'NotBestEffort',
    'PriorityClass',
    'CrossNamespacePodAffinity',
    'VolumeAttributesClass',
  ]
  for (const [index, scope] of spec.list('scopes').entries()) {
    if (!scopes.includes(String(scope))) spec.invalid(`scopes[${index}]`, 'unsupported scope', scope)
  }
}

function resourceQuotaUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const scopes = (object: KubeObject): readonly string[] =>
    listOf(fieldsOf(object['spec'])['scopes'])
      .map(String)
      .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  if (!isEqual(scopes(next), scopes(old))) problems.push(invalid('spec.scopes', scopes(next), 'field is immutable'))
}

function limitRange(object: Part): void {
  const seen = new Set<string>()
  for (const item of object.part('spec').parts('limits')) {
    const type = item.text('type')
    if (type === '') item.required('type')
    else if (seen.has(type)) item.problems.push(duplicate(item.place('type'), type))
    seen.add(type)
    for (const name of ['max', 'min', 'default', 'defaultRequest']) checkAmounts(item, name)
    if (type === 'Pod') {
      for (const name of ['default', 'defaultRequest']) {
        if (item.has(name)) item.forbidden(name, `may not be specified when \`type\` is 'Pod'`)
      }
    }
    ordered(item)
  }
}

/** min <= defaultRequest <= default <= max. */
function ordered(item: Part): void {
  const order = ['min', 'defaultRequest', 'default', 'max'] as const
  for (const [index, low] of order.entries()) {
    for (const high of order.slice(index + 1)) {
      const limits = amountsIn(item.fields[high])
      for (const [name, amount] of amountsIn(item.fields[low])) {
        const limit = limits.get(name)
        if (!limit || compareQuantity(amount, limit) <= 0) continue
        const texts = [fieldsOf(item.fields[low])[name], fieldsOf(item.fields[high])[name]]
        item.invalid(
          `${low}[${name}]`,
          `${low} value ${String(texts[0])} is greater than ${high} value ${String(texts[1])}`,
          texts[0],
        )
      }
    }
  }
}

function endpoints(object: Part): void {
  for (const subset of object.parts('subsets')) {
    if (subset.list('addresses').length === 0 && subset.list('notReadyAddresses').length === 0) {
      subset.required('', 'must specify `addresses` or `notReadyAddresses`')
    }
    for (const list of ['addresses', 'notReadyAddresses']) {
      for (const address of subset.parts(list)) {
        if (!ipaddr.isValid(address.text('ip')))
          address.invalid('ip', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)', address.text('ip'))
      }
    }
    for (const port of subset.parts('ports')) {
      if (subset.list('ports').length > 1 && port.text('name') === '') port.required('name')
      port.between('port', 1, 65_535)
      port.oneOf('protocol', PROTOCOLS, true)
    }
  }
}

function node(object: Part): void {
  for (const taint of object.part('spec').parts('taints')) {
    if (taint.text('key') === '') taint.required('key')
    taint.oneOf('effect', ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], true)
  }
}

function event(object: Part): void {
  const namespace = object.part('metadata').text('namespace')
  const about = object.part('involvedObject').text('namespace') || object.part('regarding').text('namespace')
  const expected = about === '' ? 'default' : about
  if (namespace !== expected && namespace !== 'kube-system') {
    object.invalid(
      object.has('regarding') ? 'regarding.namespace' : 'involvedObject.namespace',
      'does not match event.namespace',
      about,
    )
  }
}

/** Checks of the kinds of the core group. */
export const clusterChecks: Readonly<Record<string, (object: Part) => void>> = {
  '/Pod': checkPod,
  '/Service': service,
  '/ConfigMap': configMap,
  '/Secret': secret,
  '/PersistentVolumeClaim': claim,
  '/PersistentVolume': volume,
  '/ResourceQuota': resourceQuota,
  '/LimitRange': limitRange,
  '/Endpoints': endpoints,
  '/Node': node,
  '/Event': event,
}

type UpdateCheck = (next: KubeObject, old: KubeObject, problems: FieldError[]) => void

/** What must stay as it was in the kinds of the core group. */
export const clusterUpdates: Readonly<Record<string, UpdateCheck>> = {
  '/Pod': checkPodUpdate,
  '/Service': serviceUpdate,
  '/ConfigMap': immutableData('data', 'binaryData'),
  '/Secret': secretUpdate,
  '/PersistentVolumeClaim': claimUpdate,
  '/PersistentVolume': volumeUpdate,
  '/ResourceQuota': resourceQuotaUpdate,
}
