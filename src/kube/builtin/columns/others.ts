import type { KubeObject } from '../../object.ts'
import { fieldsOf, listOf } from '../defaulting.ts'
import {
  ageColumn,
  at,
  column,
  type Column,
  conditionOf,
  count,
  createdColumn,
  durationText,
  nameColumn,
  numberAt,
  objectsAt,
  plainText,
  orNone,
  textAt,
  wide,
} from './column.ts'
import { metricsText } from './metrics.ts'

// Semantics: kubernetes 1.36, pkg/printers/internalversion/printers.go.

const text = (name: string, description: string, ...path: readonly string[]): Column =>
  column(name, description, (object) => textAt(object, ...path))
const flag = (name: string, description: string, ...path: readonly string[]): Column => ({
  ...column(name, description, (object) => at(object, ...path) === true),
  type: 'boolean',
})

const subjects = (kind: string) => (binding: KubeObject) =>
  objectsAt(binding, 'subjects')
    .filter((subject) => subject['kind'] === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${textAt(subject, 'namespace')}/` : '') + textAt(subject, 'name'))
    .join(', ')

const binding: readonly Column[] = [
  nameColumn,
  column(
    'Role',
    'What is granted.',
    (object) => `${textAt(object, 'roleRef', 'kind')}/${textAt(object, 'roleRef', 'name')}`,
  ),
  ageColumn,
  wide('Users', 'The users that it is granted to.', subjects('User')),
  wide('Groups', 'The groups that it is granted to.', subjects('Group')),
  wide('ServiceAccounts', 'The accounts that it is granted to.', subjects('ServiceAccount')),
]

const orAbsent = (value: unknown): string => (value === undefined ? 'N/A' : plainText(value))

const webhooks: readonly Column[] = [
  nameColumn,
  count('Webhooks', 'How many webhooks it has.', (object) => listOf(object['webhooks']).length),
  ageColumn,
]

function paramKind(object: KubeObject): string {
  const kind = at(object, 'spec', 'paramKind')
  return kind === undefined ? '<unset>' : `${textAt(kind, 'apiVersion')}/${textAt(kind, 'kind')}`
}

function paramRef(object: KubeObject): string {
  const reference = at(object, 'spec', 'paramRef')
  if (reference === undefined) return '<unset>'
  const { namespace, name } = fieldsOf(reference)
  return name === undefined ? '*' : `${namespace ? `${plainText(namespace)}/` : ''}${plainText(name)}`
}

const policyBinding: readonly Column[] = [
  nameColumn,
  text('PolicyName', 'The policy that is bound.', 'spec', 'policyName'),
  column('ParamRef', 'Its parameters.', paramRef),
  ageColumn,
]

const policy = (field: string, name: string): readonly Column[] => [
  nameColumn,
  count(name, 'How many there are.', (object) => listOf(at(object, 'spec', field)).length),
  column('ParamKind', 'The kind of its parameters.', paramKind),
  ageColumn,
]

/** What became of a request: Pending until somebody decides, then what was decided, and whether it was issued. */
function requestCondition(object: KubeObject): string {
  const types = objectsAt(object, 'status', 'conditions').map((condition) => textAt(condition, 'type'))
  const decided = ['Approved', 'Denied', 'Failed'].filter((type) => types.includes(type))
  const state = decided.length === 0 ? ['Pending'] : decided
  return [...state, ...(textAt(object, 'status', 'certificate') === '' ? [] : ['Issued'])].join(',')
}

const isDefaultClass = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
  metadata.annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true'

/** The tables of the other kinds, by group and kind. */
export const otherColumns: Readonly<Record<string, readonly Column[]>> = {
  'rbac.authorization.k8s.io/Role': [nameColumn, createdColumn],
  'rbac.authorization.k8s.io/ClusterRole': [nameColumn, createdColumn],
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'autoscaling/HorizontalPodAutoscaler': [
    nameColumn,
    column('Reference', 'What is scaled.', (object) => {
      const target = fieldsOf(at(object, 'spec', 'scaleTargetRef'))
      return `${textAt(target, 'kind')}/${textAt(target, 'name')}`
    }),
    column('Targets', 'What is measured, and what it should be.', metricsText),
    column('MinPods', 'The fewest replicas.', (object) => textAt(object, 'spec', 'minReplicas') || '<unset>'),
    count('MaxPods', 'The most replicas.', (object) => numberAt(object, 'spec', 'maxReplicas')),
    count('Replicas', 'How many there are.', (object) => numberAt(object, 'status', 'currentReplicas')),
    ageColumn,
  ],
  'policy/PodDisruptionBudget': [
    nameColumn,
    column('Min Available', 'The fewest Pods that must be left.', (object) =>
      orAbsent(at(object, 'spec', 'minAvailable')),
    ),
    column('Max Unavailable', 'The most Pods that may be away.', (object) =>
      orAbsent(at(object, 'spec', 'maxUnavailable')),
    ),
    count('Allowed Disruptions', 'How many Pods may leave now.', (object) =>
      numberAt(object, 'status', 'disruptionsAllowed'),
    ),
    ageColumn,
  ],
  'storage.k8s.io/StorageClass': [
    {
      ...nameColumn,
      cell: (object) => `${object.metadata.name ?? ''}${isDefaultClass(object) ? ' (default)' : ''}`,
    },
    text('Provisioner', 'Who makes the volumes.', 'provisioner'),
    text('ReclaimPolicy', 'What becomes of them.', 'reclaimPolicy'),
    text('VolumeBindingMode', 'When they are made.', 'volumeBindingMode'),
    flag('AllowVolumeExpansion', 'Whether they may grow.', 'allowVolumeExpansion'),
    ageColumn,
  ],
  'storage.k8s.io/VolumeAttributesClass': [
    nameColumn,
    text('DriverName', 'Whose attributes.', 'driverName'),
    ageColumn,
  ],
  'storage.k8s.io/CSIDriver': [
    nameColumn,
    flag('AttachRequired', 'Whether volumes are attached.', 'spec', 'attachRequired'),
    flag('PodInfoOnMount', 'Whether it is told of Pods.', 'spec', 'podInfoOnMount'),
    flag('StorageCapacity', 'Whether it tells of capacity.', 'spec', 'storageCapacity'),
    column('TokenRequests', 'The tokens that it gets.', (object) => {
      const audiences = objectsAt(object, 'spec', 'tokenRequests').map((one) => textAt(one, 'audience'))
      return audiences.length === 0 ? '<unset>' : audiences.join(',')
    }),
    flag('RequiresRepublish', 'Whether it is called again.', 'spec', 'requiresRepublish'),
    column('Modes', 'What volumes it makes.', (object) =>
      orNone(
        listOf(at(object, 'spec', 'volumeLifecycleModes'))
          .map(plainText)
          .join(','),
      ),
    ),
    ageColumn,
  ],
  'storage.k8s.io/CSINode': [
    nameColumn,
    count('Drivers', 'How many drivers it has.', (object) => listOf(at(object, 'spec', 'drivers')).length),
    ageColumn,
  ],
  'storage.k8s.io/VolumeAttachment': [
    nameColumn,
    text('Attacher', 'Who attaches the volume.', 'spec', 'attacher'),
    text('PV', 'The volume.', 'spec', 'source', 'persistentVolumeName'),
    text('Node', 'The node.', 'spec', 'nodeName'),
    flag('Attached', 'Whether it is attached.', 'status', 'attached'),
    ageColumn,
  ],
  'scheduling.k8s.io/PriorityClass': [
    nameColumn,
    count('Value', 'The priority.', (object) => numberAt(object, 'value')),
    flag('Global-Default', 'Whether Pods without a class have it.', 'globalDefault'),
    ageColumn,
    text('PreemptionPolicy', 'Whether others give way.', 'preemptionPolicy'),
  ],
  'node.k8s.io/RuntimeClass': [nameColumn, text('Handler', 'What runs the containers.', 'handler'), ageColumn],
  'coordination.k8s.io/Lease': [nameColumn, text('Holder', 'Who has it.', 'spec', 'holderIdentity'), ageColumn],
  'certificates.k8s.io/CertificateSigningRequest': [
    nameColumn,
    ageColumn,
    text('SignerName', 'Who is asked.', 'spec', 'signerName'),
    text('Requestor', 'Who asks.', 'spec', 'username'),
    column('RequestedDuration', 'For how long.', (object) => {
      const seconds = at(object, 'spec', 'expirationSeconds')
      return typeof seconds === 'number' ? durationText(seconds * 1_000) : '<none>'
    }),
    column('Condition', 'What was decided.', requestCondition),
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [nameColumn, createdColumn],
  'apiregistration.k8s.io/APIService': [
    nameColumn,
    column('Service', 'Who serves it.', (object) => {
      const service = at(object, 'spec', 'service')
      return service === undefined ? 'Local' : `${textAt(service, 'namespace')}/${textAt(service, 'name')}`
    }),
    column('Available', 'Whether it is served.', (object) => {
      const { status = '', reason } = conditionOf(object, 'Available')
      return status === 'True' || reason === undefined
        ? plainText(status)
        : `${plainText(status)} (${plainText(reason)})`
    }),
    ageColumn,
  ],
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': policy('validations', 'Validations'),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBinding,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': policy('mutations', 'Mutations'),
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': policyBinding,
  'flowcontrol.apiserver.k8s.io/FlowSchema': [
    nameColumn,
    text('PriorityLevel', 'Where requests wait.', 'spec', 'priorityLevelConfiguration', 'name'),
    count('MatchingPrecedence', 'The order of matching.', (object) => numberAt(object, 'spec', 'matchingPrecedence')),
    column('DistinguisherMethod', 'How flows are told apart.', (object) =>
      orNone(textAt(object, 'spec', 'distinguisherMethod', 'type')),
    ),
    ageColumn,
    column(
      'MissingPL',
      'Whether the level is missing.',
      (object) => textAt(conditionOf(object, 'Dangling'), 'status') || '?',
    ),
  ],
}
