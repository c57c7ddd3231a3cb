import type { KubeObject } from '../../object.ts'
import {
  ageColumn,
  ageText,
  at,
  column,
  type Column,
  conditionOf,
  count,
  createdColumn,
  nameColumn,
  numberAt,
  objectsAt,
  plainText,
  orNone,
  textAt,
  wide,
} from './column.ts'
import { fieldsOf, listOf } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/printers/internalversion/printers.go.

const ROLE_LABEL = 'node-role.kubernetes.io/'

function nodeStatus(node: KubeObject): string {
  const ready = textAt(conditionOf(node, 'Ready'), 'status')
  const status = ready === '' ? 'Unknown' : ready === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

function nodeRoles({ metadata }: KubeObject): string {
  const labels = Object.entries(metadata.labels ?? {})
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_LABEL)) return [key.slice(ROLE_LABEL.length)]
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return orNone(
    [...new Set(roles)]
      .filter((role) => role !== '')
      .toSorted()
      .join(','),
  )
}

const address = (type: string) => (node: KubeObject) =>
  orNone(
    textAt(
      objectsAt(node, 'status', 'addresses').find((one) => one['type'] === type),
      'address',
    ),
  )

const nodeInfo = (field: string) => (node: KubeObject) => textAt(node, 'status', 'nodeInfo', field) || '<unknown>'

const modeNames: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

const modesText = (modes: unknown): string =>
  Object.keys(modeNames)
    .filter((mode) => listOf(modes).includes(mode))
    .map((mode) => modeNames[mode])
    .join(',')

const isGone = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined

const classOf = (object: KubeObject): string =>
  object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? textAt(object, 'spec', 'storageClassName')

const unset = (text: string): string => (text === '' ? '<unset>' : text)
const volumeMode = wide('VolumeMode', 'A file system or a block device.', (object) =>
  unset(textAt(object, 'spec', 'volumeMode')),
)
const attributesClass = column('VolumeAttributesClass', "The class of the volume's attributes.", (object) =>
  unset(textAt(object, 'spec', 'volumeAttributesClassName')),
)

const claim: readonly Column[] = [
  nameColumn,
  column('Status', 'Whether the claim has a volume.', (object) =>
    isGone(object) ? 'Terminating' : textAt(object, 'status', 'phase'),
  ),
  column('Volume', 'The volume that the claim has.', (object) => textAt(object, 'spec', 'volumeName')),
  column('Capacity', 'How large the volume is.', (object) =>
    textAt(object, 'spec', 'volumeName') === '' ? '' : textAt(object, 'status', 'capacity', 'storage'),
  ),
  column('Access Modes', 'How the volume may be used.', (object) =>
    textAt(object, 'spec', 'volumeName') === '' ? '' : modesText(at(object, 'status', 'accessModes')),
  ),
  column('StorageClass', 'The class of the storage.', classOf),
  attributesClass,
  ageColumn,
  volumeMode,
]

const volume: readonly Column[] = [
  nameColumn,
  column('Capacity', 'How large the volume is.', (object) => textAt(object, 'spec', 'capacity', 'storage')),
  column('Access Modes', 'How the volume may be used.', (object) => modesText(at(object, 'spec', 'accessModes'))),
  column('Reclaim Policy', 'What becomes of the volume after its claim.', (object) =>
    textAt(object, 'spec', 'persistentVolumeReclaimPolicy'),
  ),
  column('Status', 'Whether the volume has a claim.', (object) =>
    isGone(object) ? 'Terminating' : textAt(object, 'status', 'phase'),
  ),
  column('Claim', 'The claim that has the volume.', (object) => {
    const { namespace, name } = fieldsOf(at(object, 'spec', 'claimRef'))
    return name === undefined ? '' : `${plainText(namespace)}/${plainText(name)}`
  }),
  column('StorageClass', 'The class of the storage.', classOf),
  attributesClass,
  column('Reason', 'Why the volume is in its state.', (object) => textAt(object, 'status', 'reason')),
  ageColumn,
  volumeMode,
]

const event: readonly Column[] = [
  column('Last Seen', 'When it happened last.', (object, nowMs) => lastSeen(object, nowMs)),
  column('Type', 'Normal or Warning.', (object) => textAt(object, 'type')),
  column('Reason', 'What happened, in a word.', (object) => textAt(object, 'reason')),
  column('Object', 'What it happened to.', (object) => {
    const about = fieldsOf(object['involvedObject'] ?? object['regarding'])
    const kind = textAt(about, 'kind').toLowerCase()
    return textAt(about, 'name') === '' ? kind : `${kind}/${textAt(about, 'name')}`
  }),
  wide('Subobject', 'The part that it happened to.', (object) =>
    textAt(fieldsOf(object['involvedObject'] ?? object['regarding']), 'fieldPath'),
  ),
  wide('Source', 'Who says so.', sourceText),
  column('Message', 'What happened.', (object) => (textAt(object, 'message') || textAt(object, 'note')).trim()),
  wide('First Seen', 'When it happened first.', (object, nowMs) =>
    ageText(object['firstTimestamp'] ?? object['deprecatedFirstTimestamp'] ?? object['eventTime'], nowMs),
  ),
  wide('Count', 'How often it happened.', (object) => String(eventCount(object))),
  { ...nameColumn, priority: 1 },
]

function eventCount(object: KubeObject): number {
  const series = numberAt(object, 'series', 'count')
  if (series > 0) return series
  return numberAt(object, 'count') || numberAt(object, 'deprecatedCount') || 1
}

function sourceText(object: KubeObject): string {
  const source = fieldsOf(object['source'] ?? object['deprecatedSource'])
  const component =
    textAt(source, 'component') || textAt(object, 'reportingComponent') || textAt(object, 'reportingController')
  const place = textAt(source, 'host') || textAt(object, 'reportingInstance')
  return place === '' ? component : `${component}, ${place}`
}

function lastSeen(object: KubeObject, nowMs: number): string {
  const last = object['lastTimestamp'] ?? object['deprecatedLastTimestamp']
  const series = at(object, 'series', 'lastObservedTime')
  return ageText(series ?? last ?? object['firstTimestamp'] ?? object['eventTime'], nowMs)
}

const sizeOf =
  (...fields: readonly string[]) =>
  (object: KubeObject) =>
    fields.reduce((sum, field) => sum + Object.keys(fieldsOf(object[field])).length, 0)

/** What of a quota is used: `pods: 1/10, requests.cpu: 1/4`. */
const quotaText = (isLimit: boolean) => (object: KubeObject) =>
  Object.entries(fieldsOf(at(object, 'status', 'hard')))
    .filter(([name]) => name.startsWith('limits.') === isLimit)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${textAt(object, 'status', 'used', name) || '0'}/${plainText(hard)}`)
    .join(', ')

/** The tables of the core kinds but Pods, by group and kind. */
export const clusterColumns: Readonly<Record<string, readonly Column[]>> = {
  '/Node': [
    nameColumn,
    column('Status', 'Whether the node is ready, and takes Pods.', nodeStatus),
    column('Roles', 'What the node is for.', nodeRoles),
    ageColumn,
    column('Version', 'The version of its kubelet.', (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', 'Its address inside the cluster.', address('InternalIP')),
    wide('External-IP', 'Its address outside the cluster.', address('ExternalIP')),
    wide('OS-Image', 'Its operating system.', nodeInfo('osImage')),
    wide('Kernel-Version', 'Its kernel.', nodeInfo('kernelVersion')),
    wide('Container-Runtime', 'What runs its containers.', nodeInfo('containerRuntimeVersion')),
  ],
  '/Namespace': [
    nameColumn,
    column('Status', 'Active or Terminating.', (object) => textAt(object, 'status', 'phase')),
    ageColumn,
  ],
  '/Secret': [
    nameColumn,
    column('Type', 'What the Secret is for.', (object) => textAt(object, 'type')),
    count('Data', 'How many keys it has.', sizeOf('data')),
    ageColumn,
  ],
  '/ConfigMap': [nameColumn, count('Data', 'How many keys it has.', sizeOf('data', 'binaryData')), ageColumn],
  '/ServiceAccount': [
    nameColumn,
    count('Secrets', 'How many Secrets it names.', (object) => listOf(object['secrets']).length),
    ageColumn,
  ],
  '/PersistentVolume': volume,
  '/PersistentVolumeClaim': claim,
  '/Event': event,
  'events.k8s.io/Event': event,
  '/ResourceQuota': [
    nameColumn,
    column('Request', 'What is used of what may be asked for.', quotaText(false)),
    column('Limit', 'What is used of the limits.', quotaText(true)),
    ageColumn,
  ],
  '/LimitRange': [nameColumn, createdColumn],
  '/ComponentStatus': [
    nameColumn,
    column('Status', 'Healthy or not.', (object) => componentText(object, 'status')),
    column('Message', 'What it says.', (object) => componentText(object, 'message')),
    column('Error', 'What is wrong.', (object) => componentText(object, 'error')),
  ],
}

function componentText(object: KubeObject, field: string): string {
  const condition = objectsAt(object, 'conditions').find((one) => one['type'] === 'Healthy')
  const text = textAt(condition, field)
  return field === 'status' ? (text === 'True' ? 'Healthy' : text === 'False' ? 'Unhealthy' : 'Unknown') : text
}
