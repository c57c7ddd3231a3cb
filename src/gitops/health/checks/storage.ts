import {
  always,
  type Check,
  type CheckTable,
  conditions,
  decideBy,
  degraded,
  firstOf,
  forKinds,
  health,
  healthy,
  itself,
  progressing,
  states,
  suspended,
  unknown,
  when,
} from '../notation.ts'
import { asFields, asObjects, at, conditionsOf, type Fields, numberAt, shown, textAt } from '../reading.ts'
import type { HealthStatus, HealthStatusCode } from '../status.ts'

const REPORT_TO_UPSTREAM =
  'Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues'

function beatHealth(object: Fields): HealthStatus {
  const state = at(object, 'status.health')
  const expected = at(object, 'status.expectedNodes')
  if (state === 'red') return degraded('Elastic Beat status is Red')
  if (state === 'green') return healthy('Elastic Beat status is Green')
  const isOpen = state === 'yellow' || (state === undefined && expected !== undefined)
  if (!isOpen) return unknown(`Elastic Beat status is unknown. ${REPORT_TO_UPSTREAM}`)
  const available = at(object, 'status.availableNodes')
  return progressing(
    state === 'yellow' && available !== undefined && expected !== undefined
      ? `Elastic Beat status is deploying, there is ${shown(available)} instance(s) on ${shown(expected)} expected`
      : 'Elastic Beat phase is progressing',
  )
}

const ELASTIC_HEALTH: Readonly<Record<string, HealthStatus>> = {
  green: healthy('Elasticsearch Cluster status is Green'),
  yellow: progressing('Elasticsearch Cluster status is Yellow. Check the status of indices, replicas and shards'),
  red: degraded('Elasticsearch Cluster status is Red. Check the status of indices, replicas and shards'),
}

const ELASTIC_PHASES: Readonly<Record<string, HealthStatus>> = {
  ApplyingChanges: progressing('Elasticsearch phase is ApplyingChanges'),
  MigratingData: progressing('Elasticsearch phase is MigratingData'),
  Invalid: degraded('Elasticsearch phase is Invalid'),
}

function elasticsearchHealth(object: Fields): HealthStatus {
  const lost = unknown(`Elasticsearch Cluster status is unknown. ${REPORT_TO_UPSTREAM}`)
  const available = at(object, 'status.availableNodes')
  if (typeof available !== 'number') return lost
  const wanted = asObjects(at(object, 'spec.nodeSets')).reduce((sum, set) => sum + numberAt(set, 'count'), 0)
  if (available < wanted) {
    return progressing(`The desired amount of availableNodes is ${wanted} but the current amount is ${available}`)
  }
  const state = textAt(object, 'status.health')
  const phase = textAt(object, 'status.phase')
  if (available > wanted || state === undefined || phase === undefined) return lost
  const [table, key] = phase === 'Ready' ? [ELASTIC_HEALTH, state] : [ELASTIC_PHASES, phase]
  return (Object.hasOwn(table, key) ? table[key] : undefined) ?? lost
}

function cassandraHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for Cassandra Cluster')
  if (at(object, 'status.racks') === undefined) return waiting
  const isWhole = Object.values(asFields(at(object, 'status.racks'))).every((rack) => {
    const { members, readyMembers } = asFields(rack)
    return members === undefined || readyMembers === undefined || members === readyMembers
  })
  return isWhole ? healthy() : waiting
}

function dataVolumeHealth(object: Fields): HealthStatus {
  const phase = textAt(object, 'status.phase')
  if (phase === 'Succeeded') return healthy(phase)
  if (phase === 'Paused') return suspended(phase)
  const failed = decideBy([when('Running=False:Error', 'Degraded')])(object)
  if (failed) return failed
  return phase === 'Failed' || phase === 'Unknown' ? degraded(phase) : progressing(phase ?? 'No status available')
}

function cephClusterHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return progressing('Waiting for status to be reported')
  const parts: string[] = []
  let status: HealthStatusCode = 'Progressing'
  const ceph = textAt(object, 'status.ceph.health')
  if (ceph !== undefined) {
    const details = asFields(at(object, 'status.ceph.details'))
    const texts = Object.keys(details)
      .toSorted()
      .flatMap((name) => textAt(asFields(details[name]), 'message') ?? [])
    if (ceph === 'HEALTH_ERR' || ceph === 'HEALTH_WARN') status = 'Degraded'
    else if (ceph === 'HEALTH_OK') status = 'Healthy'
    parts.push(`Ceph health is ${ceph}${texts.length > 0 ? ` (${texts.join('; ')})` : ''}`)
  }
  const state = textAt(object, 'status.state')
  if (state !== undefined && status === 'Healthy') {
    parts.push(`Ceph cluster state is ${state}`)
    if (state === 'Error') status = 'Degraded'
    else if (state !== 'Created' && state !== 'Connected') status = 'Progressing'
  }
  const message = textAt(object, 'status.message')
  if (message) parts.push(message)
  return health(status, parts.join(' - '))
}

function objectStoreHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return progressing('Waiting for status to be reported')
  const phase = textAt(object, 'status.phase')
  const endpoint = textAt(object, 'status.info.endpoint')
  const text = phase === undefined ? 'Waiting for status to be reported' : `Ceph object store phase is ${phase}`
  const status = phase === 'Ready' ? 'Healthy' : phase === 'Failure' ? 'Degraded' : 'Progressing'
  return health(status, endpoint ? `${text} - endpoint: ${endpoint}` : text)
}

/** New states of this kind are appended: the last one speaks. */
function clusterExternalSecretHealth(object: Fields): HealthStatus {
  const last = conditionsOf(object).at(-1)
  if (last?.status === 'True') {
    if (last.type === 'Ready') return healthy(last.message)
    if (last.type === 'PartiallyReady' || last.type === 'NotReady') return degraded(last.message)
  }
  return progressing('Waiting for ClusterExternalSecret')
}

const NO_STATUS = 'No status info available'

/** The first condition that is False ends it; without one all is well. */
function mariaHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing(NO_STATUS)
  const all = conditionsOf(object)
  const bad = all.find(({ status }) => status === 'False')
  if (!bad) return healthy(all.at(-1)?.message)
  return health(bad.reason === 'Failed' ? 'Degraded' : 'Progressing', bad.message)
}

function mariaBackupHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing(NO_STATUS)
  const all = conditionsOf(object)
  const bad = all.find(({ status }) => status === 'False')
  const last = bad ?? all.at(-1)
  const message = last ? `${shown(last.reason)} ${shown(last.message)}` : undefined
  if (!bad) return healthy(message)
  return health(bad.reason === 'CronJobScheduled' && bad.message === 'Failed' ? 'Degraded' : 'Progressing', message)
}

function mariaJobHealth(object: Fields): HealthStatus {
  let message = NO_STATUS
  for (const condition of conditionsOf(object)) {
    message = `${shown(condition.reason)} ${shown(condition.message)}`
    if (condition.status !== 'True') continue
    if (condition.reason === 'JobComplete') return healthy(message)
    if (condition.reason === 'JobFailed') return degraded(message)
  }
  return progressing(message)
}

function mariaPartHealth(object: Fields): HealthStatus {
  const all = conditionsOf(object)
  const ready = all.find(({ type }) => type === 'Ready')
  if (ready) return health(ready.status === 'True' ? 'Healthy' : 'Degraded', ready.message)
  const last = all.at(-1)
  return progressing(last ? last.message : NO_STATUS)
}

function kafkaClusterHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for KafkaCluster')
  const state = at(object, 'status.state')
  if (state === 'ClusterRollingUpgrading') return progressing('Kafka Cluster is Rolling Upgrading.')
  if (at(object, 'status.brokersState') === undefined) return waiting
  const isWhole = Object.values(asFields(at(object, 'status.brokersState'))).every((broker) => {
    const action = at(asFields(broker), 'gracefulActionState.cruiseControlState')
    const isDone = action === 'GracefulUpscaleSucceeded' || action === 'GracefulDownscaleSucceeded'
    return isDone && at(asFields(broker), 'configurationState') === 'ConfigInSync'
  })
  if (!isWhole) return degraded('Broker Config is out of Sync or CruiseControlState is not Ready')
  const topic = at(object, 'status.cruiseControlTopicStatus')
  if (topic === 'CruiseControlTopicReady' && state === 'ClusterRunning') {
    return healthy('Kafka Brokers, CruiseControl and cluster are in Healthy State.')
  }
  const isTopicMissing = topic === undefined || topic === 'CruiseControlTopicNotReady'
  return isTopicMissing && state === 'ClusterReconciling' ? progressing('Kafka Cluster is Reconciling.') : waiting
}

function virtualMachineHealth(object: Fields): HealthStatus {
  let status: HealthStatusCode = 'Progressing'
  let message = 'No status available'
  for (const condition of conditionsOf(object)) {
    if (condition.type === 'Paused' && condition.status === 'True') return suspended('Paused')
    if (condition.type !== 'Ready') continue
    const isCreated = at(object, 'status.created') === true
    if (condition.status === 'True') [status, message] = ['Healthy', 'Running']
    else if (isCreated) message = 'Starting'
    else [status, message] = ['Suspended', 'Stopped']
  }
  return health(status, textAt(object, 'status.printableStatus') ?? message)
}

const machinePhases = states('status.phase', {
  Failed: ['Degraded', itself],
  Pending: ['Progressing', itself],
  Scheduling: ['Progressing', itself],
  Scheduled: ['Progressing', itself],
  Succeeded: ['Suspended', itself],
  Unknown: ['Unknown', itself],
})

function machineInstanceHealth(object: Fields): HealthStatus {
  const phased = machinePhases(object)
  if (phased) return phased
  let found = progressing(textAt(object, 'status.phase') ?? 'No status available')
  for (const { type, status, message } of conditionsOf(object)) {
    if (type === 'Ready') found = status === 'True' ? healthy('Running') : degraded(message)
    else if (type === 'Paused' && status === 'True') return suspended(message)
  }
  return found
}

const MINIO_FAILURES: readonly string[] = [
  'Statefulset not controlled by operator',
  'Another MinIO Tenant already exists in the namespace',
  'Tenant credentials are not set properly',
  'Different versions across MinIO Pools',
  'Pool Decommissioning Not Allowed',
]

function minioHealth(object: Fields): HealthStatus {
  const state = textAt(object, 'status.currentState')
  if (state === undefined) return progressing(NO_STATUS)
  if (state === 'Initialized') return healthy(state)
  return MINIO_FAILURES.includes(state) ? degraded(state) : progressing(state)
}

/** CloudNativePG's phases: switching over is an outage, and what needs a person is suspended. */
const POSTGRES_PHASES: ReadonlyMap<string, HealthStatusCode> = new Map<string, HealthStatusCode>([
  ['Cluster in healthy state', 'Healthy'],
  ['Setting up primary', 'Progressing'],
  ['Creating a new replica', 'Progressing'],
  ['Upgrading cluster', 'Progressing'],
  ['Waiting for the instances to become active', 'Progressing'],
  ['Promoting to primary cluster', 'Progressing'],
  ['Switchover in progress', 'Degraded'],
  ['Failing over', 'Degraded'],
  ['Upgrading Postgres major version', 'Degraded'],
  ['Cluster upgrade delayed', 'Degraded'],
  ['Waiting for user action', 'Degraded'],
  ['Primary instance is being restarted in-place', 'Degraded'],
  ['Primary instance is being restarted without a switchover', 'Degraded'],
  ['Cluster cannot execute instance online upgrade due to missing architecture binary', 'Degraded'],
  ['Online upgrade in progress', 'Degraded'],
  ['Applying configuration', 'Degraded'],
  ['Unable to create required cluster objects', 'Suspended'],
  ['Cluster cannot proceed to reconciliation due to an unknown plugin being required', 'Suspended'],
  ['Cluster has incomplete or invalid image catalog', 'Suspended'],
  ['Cluster is unrecoverable and needs manual intervention', 'Suspended'],
])

function postgresHealth(object: Fields): HealthStatus {
  if (asFields(at(object, 'metadata.annotations'))['cnpg.io/reconciliationLoop'] === 'disabled') {
    return suspended('Cluster reconciliation is suspended')
  }
  const reason = textAt(object, 'status.phaseReason')
  if (at(object, 'status.conditions') === undefined) return progressing(reason)
  const hibernation = conditionsOf(object).find(({ type }) => type === 'cnpg.io/hibernation')
  if (hibernation) return health(hibernation.status === 'True' ? 'Suspended' : 'Degraded', hibernation.message)
  return health(POSTGRES_PHASES.get(textAt(object, 'status.phase') ?? '') ?? 'Unknown', reason)
}

const nodes = (object: Fields): string =>
  `${shown(at(object, 'status.ready'))}/${shown(at(object, 'status.size'))} node(s) are ready`

const MONGO_STATES: ReadonlyMap<unknown, HealthStatusCode> = new Map<unknown, HealthStatusCode>([
  ['initializing', 'Progressing'],
  ['ready', 'Healthy'],
  ['error', 'Degraded'],
  ['stopping', 'Progressing'],
  ['paused', 'Suspended'],
])

function mongoHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return unknown('Cluster status is unknown')
  return health(MONGO_STATES.get(at(object, 'status.state')) ?? 'Unknown', nodes(object))
}

function xtraDbMessages(object: Fields): string {
  const messages = at(object, 'status.message')
  return Array.isArray(messages) ? messages.map(shown).join(', ') : shown(messages)
}

const xtraDb = firstOf(
  states('status.state', {
    initializing: ['Progressing', (_state, object) => nodes(object)],
    ready: ['Healthy', (_state, object) => nodes(object)],
    paused: ['Unknown', 'Cluster is paused'],
    stopping: ['Degraded', (_state, object) => `Cluster is stopping (${nodes(object)})`],
    error: ['Degraded', (_state, object) => `Cluster is on error: ${xtraDbMessages(object)}`],
  }),
  always(unknown(`Cluster status is unknown. ${REPORT_TO_UPSTREAM}`)),
)

function connectorHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for Kafka Connector')
  const state = at(object, 'status.state')
  const failed = at(object, 'status.failedTasksCount')
  if (state === undefined) return waiting
  if (state === 'CREATED' && at(object, 'status.connectorState') === 'RUNNING' && failed === undefined) {
    return healthy('Connector running')
  }
  if (state === 'ERROR') {
    const [first] = conditionsOf(object)
    return degraded(first ? first.message : 'No conditions available')
  }
  return typeof failed === 'number' && failed > 0 ? degraded('Connector has failed tasks') : waiting
}

type Range = readonly [least: number, most: number]

/** How many executors a Spark application may have, when it says. */
function executorRange(object: Fields): Range | undefined {
  if (at(object, 'spec.dynamicAllocation.enabled') === true) {
    const least = numberAt(object, 'spec.dynamicAllocation.minExecutors')
    return [least, numberAt(object, 'spec.dynamicAllocation.maxExecutors', Infinity)]
  }
  const settings = asFields(at(object, 'spec.sparkConf'))
  for (const prefix of ['spark.streaming.dynamicAllocation', 'spark.dynamicAllocation']) {
    if (settings[`${prefix}.enabled`] !== 'true') continue
    const bound = (name: string, missing: number): number => {
      const value = settings[`${prefix}.${name}`]
      return value === undefined ? missing : Number(value)
    }
    return [bound('minExecutors', 0), bound('maxExecutors', Infinity)]
  }
  return undefined
}

function sparkRunning(object: Fields): HealthStatus | undefined {
  const executors = at(object, 'status.executorState')
  if (executors === undefined) return undefined
  const count = Object.values(asFields(executors)).filter((state) => state === 'RUNNING').length
  const instances = at(object, 'spec.executor.instances')
  const range = executorRange(object)
  const isUnbound = at(object, 'spec.dynamicAllocation') === undefined && instances === undefined
  const isEnough = instances === count || (range ? count >= range[0] && count <= range[1] : isUnbound && count >= 1)
  return isEnough ? healthy('SparkApplication is Running') : undefined
}

const errorMessage = (_state: string, object: Fields): string =>
  shown(at(object, 'status.applicationState.errorMessage'))

const spark: Check = firstOf(
  (object) => (at(object, 'status.applicationState.state') === 'RUNNING' ? sparkRunning(object) : undefined),
  states('status.applicationState.state', {
    '': ['Progressing', 'SparkApplication was added, enqueuing it for submission'],
    SUBMITTED: ['Progressing', 'SparkApplication was submitted successfully'],
    COMPLETED: ['Healthy', 'SparkApplication was Completed'],
    FAILED: ['Degraded', errorMessage],
    SUBMISSION_FAILED: ['Degraded', errorMessage],
    PENDING_RERUN: ['Progressing', 'SparkApplication is Pending Rerun'],
    INVALIDATING: ['Missing', 'SparkApplication is in InvalidatingState'],
    SUCCEEDING: [
      'Progressing',
      'The driver pod has been completed successfully. The executor pods terminate and are cleaned up.\n' +
        `${' '.repeat(32)}Under this circumstances, we assume the executor pod are completed.`,
    ],
    FAILING: ['Degraded', errorMessage],
    UNKNOWN: [
      'Progressing',
      'SparkApplication is in UnknownState because either driver pod or one or all executor pods in unknown state  ',
    ],
  }),
  always(progressing('Waiting for Executor pods')),
)

/** What keeps data. */
export const storageChecks: CheckTable = {
  'astra.netapp.io/AppVault': firstOf(
    states('status.state', {
      available: ['Healthy', (_state, object) => `${shown(object['kind'])} Available`],
      Available: ['Healthy', (_state, object) => `${shown(object['kind'])} Available`],
      failed: ['Degraded', (_state, object) => `${shown(object['kind'])} Failed`],
      Failed: ['Degraded', (_state, object) => `${shown(object['kind'])} Failed`],
    }),
    always(progressing('No status available')),
  ),
  'astra.netapp.io/Application': conditions(
    'No status available',
    when(
      'Ready=True',
      'Healthy',
      (_condition, object) =>
        `Astra Application Ready, protectionState: ${shown(at(object, 'status.protectionState'))}`,
    ),
    when('Ready=False', 'Degraded', ({ message }) => `Astra Application Degraded, message: ${shown(message)}`),
  ),
  'astra.netapp.io/ExecHook': (object) => {
    const enabled = at(object, 'spec.enabled')
    if (enabled === true) return healthy(`${shown(object['kind'])} enabled`)
    return enabled === false ? suspended(`${shown(object['kind'])} disabled`) : progressing('No status available')
  },
  'astra.netapp.io/Schedule': (object) => {
    const last = at(object, 'status.lastScheduleTime')
    return healthy(
      last === undefined ? 'Protection policy not yet executed' : `Protection policy lastScheduleTime: ${shown(last)}`,
    )
  },
  'beat.k8s.elastic.co/Beat': beatHealth,
  'cassandra.rook.io/Cluster': cassandraHealth,
  'cdi.kubevirt.io/DataVolume': dataVolumeHealth,
  'ceph.rook.io/CephCluster': cephClusterHealth,
  'ceph.rook.io/CephObjectStore': objectStoreHealth,
  'elasticsearch.k8s.elastic.co/Elasticsearch': elasticsearchHealth,
  'external-secrets.io/ClusterExternalSecret': clusterExternalSecretHealth,
  'k8s.mariadb.com/Backup': mariaBackupHealth,
  'k8s.mariadb.com/MariaDB': mariaHealth,
  'k8s.mariadb.com/SqlJob': mariaJobHealth,
  'mariadb.mmontes.io/MariaDB': mariaHealth,
  ...forKinds('k8s.mariadb.com', ['Database', 'Grant', 'User'], () => mariaPartHealth),
  'kafka.banzaicloud.io/KafkaCluster': kafkaClusterHealth,
  'kubevirt.io/VirtualMachine': virtualMachineHealth,
  'kubevirt.io/VirtualMachineInstance': machineInstanceHealth,
  'minio.min.io/Tenant': minioHealth,
  'platform.confluent.io/Connector': connectorHealth,
  'postgresql.cnpg.io/Cluster': postgresHealth,
  'psmdb.percona.com/PerconaServerMongoDB': mongoHealth,
  'pxc.percona.com/PerconaXtraDBCluster': xtraDb,
  'sparkoperator.k8s.io/SparkApplication': spark,
  'trident.netapp.io/TridentBackendConfig': (object) => {
    const outcome = at(object, 'status.lastOperationStatus')
    const message = textAt(object, 'status.message')
    if (at(object, 'status.phase') === 'Bound' && outcome === 'Success') return healthy(message)
    return outcome === 'Failed' ? degraded(message) : progressing('Waiting for backend creation')
  },
  'zookeeper.pravega.io/ZookeeperCluster': (object) => {
    const ready = at(object, 'status.readyReplicas')
    const isWhole = at(object, 'status') !== undefined && ready !== 0 && ready === at(object, 'status.replicas')
    return isWhole
      ? healthy('All ZK Nodes have joined the ensemble')
      : progressing('Waiting for ZK Nodes to join the ensemble')
  },
}
