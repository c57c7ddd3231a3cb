import {
  always,
  type Check,
  type CheckTable,
  conditions,
  decideBy,
  firstOf,
  forKinds,
  healthy,
  itself,
  messageOr,
  progressing,
  readiness,
  states,
  suspended,
  unknown,
  when,
} from '../notation.ts'
import { at, conditionsOf, type Fields, textAt } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

// Kinds that one condition or one text of their status judges.

const netappStates: Check = firstOf(
  states(
    'status.state',
    {
      Completed: ['Healthy', (_state, object) => `${textAt(object, 'kind')} Completed`],
      Running: ['Progressing', (_state, object) => `${textAt(object, 'kind')} Running`],
    },
    ['Degraded', itself],
  ),
  always(progressing('No status available')),
)

const humioStates: Check = firstOf(
  states('status.state', {
    Exists: ['Healthy', 'Component state: Exists.'],
    NotFound: ['Missing', 'Component state: NotFound.'],
    ConfigError: ['Degraded', 'Component state: ConfigError.'],
    Unknown: ['Unknown', 'Component state: Unknown.'],
  }),
  always(progressing('Update in progress')),
)

const orMessage =
  (missing: string) =>
  (_state: string, object: Fields): string =>
    textAt(object, 'status.message') ?? missing

const humioCluster: Check = firstOf(
  states('status.state', {
    Running: ['Healthy', orMessage('Cluster is in a healthy running state')],
    Restarting: ['Progressing', orMessage('Cluster pods are being restarted')],
    Upgrading: ['Progressing', orMessage('Cluster pods are being upgraded')],
    ConfigError: ['Degraded', orMessage('User-provided cluster specification resulted in a configuration error')],
    Pending: ['Progressing', orMessage('Cluster is waiting on resources to be provisioned')],
    Unknown: ['Unknown', orMessage('Component state: Unknown.')],
  }),
  always(progressing('Update in progress')),
)

/** Conditions that are true decide, in their order; `3scale` is upstream's name in every text. */
function scaleCheck(kind: string, good: string, bad: Readonly<Record<string, string>>): Check {
  return conditions(
    `Waiting for 3scale ${kind} status...`,
    when(`${good}=True`, 'Healthy', `3scale ${kind} is ${good === 'Synced' ? 'synced' : 'ready'}`),
    ...Object.entries(bad).map(([type, text]) => when(`${type}=True`, 'Degraded', messageOr(`3scale ${kind} ${text}`))),
  )
}

const INVALID = 'configuration is invalid'
const ORPHAN = 'references non-existing resources'
const FAILED = 'synchronization failed'

const developerUser = firstOf(
  (object): HealthStatus | undefined =>
    at(object, 'status.developerUserState') === 'suspended'
      ? suspended('3scale Developer user is waiting for admin approval')
      : undefined,
  scaleCheck('DeveloperUser', 'Ready', { Invalid: INVALID, Orphan: ORPHAN, Failed: FAILED }),
)

const scaleChecks: CheckTable = {
  'capabilities.3scale.net/ActiveDoc': scaleCheck('ActiveDoc', 'Ready', {
    Invalid: INVALID,
    Orphan: ORPHAN,
    Failed: FAILED,
  }),
  'capabilities.3scale.net/ApplicationAuth': scaleCheck('ApplicationAuth', 'Ready', { Failed: 'failed' }),
  'capabilities.3scale.net/Backend': scaleCheck('Backend', 'Synced', { Invalid: INVALID, Failed: FAILED }),
  'capabilities.3scale.net/CustomPolicyDefinition': scaleCheck('CustomPolicyDefinition', 'Ready', {
    Invalid: INVALID,
    Failed: FAILED,
  }),
  'capabilities.3scale.net/DeveloperAccount': conditions(
    'Waiting for 3scale DeveloperAccount status...',
    when('Ready=True', 'Healthy', '3scale DeveloperAccount is ready'),
    when('Invalid=True', 'Degraded', messageOr(`3scale DeveloperAccount ${INVALID}`)),
    when('Failed=True', 'Degraded', messageOr(`3scale DeveloperAccount ${FAILED}`)),
    when('Waiting=True', 'Suspended', messageOr('3scale DeveloperAccount is waiting for approval')),
  ),
  'capabilities.3scale.net/DeveloperUser': developerUser,
  'capabilities.3scale.net/OpenAPI': scaleCheck('OpenAPI', 'Ready', {
    Invalid: INVALID,
    Failed: 'reconciliation failed',
  }),
  'capabilities.3scale.net/Product': scaleCheck('Product', 'Synced', {
    Invalid: INVALID,
    Orphan: ORPHAN,
    Failed: FAILED,
  }),
  'capabilities.3scale.net/ProxyConfigPromote': conditions(
    'Waiting for 3scale ProxyConfigPromote status...',
    when('Ready=True', 'Healthy', '3scale ProxyConfigPromote is ready'),
    when('In-progress=True', 'Progressing', messageOr('3scale ProxyConfigPromote is in progress')),
    when('Failed=True', 'Degraded', messageOr('3cale ProxyConfigPromote failed')),
  ),
}

const strimzi =
  (thing: string, bad: string = 'NotReady=True'): Check =>
  (object) =>
    conditions(`Waiting for ${thing}`, when(bad, 'Degraded'), when('Ready=True', 'Healthy', ''))(object)

/** A Kafka that is being created is not ready either: that is no failure. */
const strimziKafka: Check = firstOf(
  decideBy([when('NotReady=True', 'Degraded'), when('Ready=True', 'Healthy', '')], (object) =>
    conditionsOf(object).filter(({ type, reason }) => type !== 'NotReady' || reason !== 'Creating'),
  ),
  always(progressing('Waiting for Kafka Cluster')),
)

const confluent = (kind: string): Check =>
  firstOf(
    states('status.phase', {
      RUNNING: ['Healthy', `${kind} running`],
      PROVISIONING: ['Progressing', `${kind} provisioning`],
    }),
    always(progressing(`Waiting for ${kind}`)),
  )

const clickhouse = (name: string): Check =>
  firstOf(
    states(
      'status.status',
      {
        Completed: ['Healthy', `${name} installation completed successfully`],
        InProgress: ['Progressing', `${name} installation in progress`],
      },
      ['Degraded', (state) => `${name} status: ${state}`],
    ),
    always(progressing(`${name} status not yet available`)),
  )

const keptn =
  (path: string) =>
  (kind: string): Check =>
    firstOf(
      states(path, { Succeeded: ['Healthy', `${kind} is healthy`], Failed: ['Degraded', `${kind} is degraded`] }),
      always(progressing(`${kind} is progressing`)),
    )

const rabbitObject = (kind: string): Check => {
  const name = `RabbitMQ ${kind.toLowerCase()}`
  return firstOf(
    decideBy([
      when('Ready=True:SuccessfulCreateOrUpdate', 'Healthy', `${name} ready`),
      when('Ready=False:FailedCreateOrUpdate', 'Degraded', `${name} failed to be created or updated`),
    ]),
    always(unknown(`${name} status is unknown`)),
  )
}

/** Kinds whose whole state is one field or one condition. */
export const simpleChecks: CheckTable = {
  ...scaleChecks,
  ...forKinds(
    'astra.netapp.io',
    ['Backup', 'ExecHooksRun', 'ResourceBackup', 'ResticVolumeBackup', 'Snapshot'],
    () => netappStates,
  ),
  ...forKinds(
    'core.humio.com',
    ['HumioAction', 'HumioAlert', 'HumioIngestToken', 'HumioParser', 'HumioRepository', 'HumioView'],
    () => humioStates,
  ),
  ...forKinds('certmanager.k8s.io', ['Certificate'], () => readiness('Waiting for certificate')),
  ...forKinds('certmanager.k8s.io', ['Issuer'], () => readiness('Initializing issuer')),
  ...forKinds('coralogix.com', ['Alert', 'RecordingRuleGroupSet'], () =>
    readiness('Waiting for status to be updated', 'RemoteSynced', 'Resource is ready'),
  ),
  ...forKinds('external-secrets.io', ['ClusterSecretStore', 'ExternalSecret', 'PushSecret', 'SecretStore'], (kind) =>
    readiness(`Waiting for ${kind}`),
  ),
  ...forKinds(
    'lifecycle.keptn.sh',
    ['KeptnAppVersion', 'KeptnTask', 'KeptnWorkloadInstance', 'KeptnWorkloadVersion'],
    keptn('status.status'),
  ),
  'lifecycle.keptn.sh/KeptnEvaluation': keptn('status.overallStatus')('KeptnEvaluation'),
  ...forKinds(
    'platform.confluent.io',
    ['Connect', 'ControlCenter', 'Kafka', 'KsqlDB', 'SchemaRegistry', 'Zookeeper'],
    confluent,
  ),
  ...forKinds(
    'rabbitmq.com',
    ['Binding', 'Exchange', 'Permission', 'Policy', 'Queue', 'Shovel', 'User', 'Vhost'],
    rabbitObject,
  ),
  'addons.cluster.x-k8s.io/ClusterResourceSet': readiness(
    'Initializing cluster resource set',
    'ResourcesApplied',
    'cluster resource set is applied',
  ),
  'bitnami.com/SealedSecret': readiness('Waiting for Sealed Secret to be decrypted', 'Synced'),
  'camel.apache.org/Integration': readiness('Waiting for Integration'),
  'cert-manager.io/Certificate': firstOf(
    decideBy([when('Issuing=True', 'Progressing')]),
    readiness('Waiting for certificate'),
  ),
  'cert-manager.io/ClusterIssuer': readiness('Initializing ClusterIssuer'),
  'cert-manager.io/Issuer': readiness('Initializing issuer'),
  'clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation': clickhouse('ClickHouseKeeper'),
  'clickhouse.altinity.com/ClickHouseInstallation': clickhouse('ClickHouse'),
  'core.humio.com/HumioCluster': humioCluster,
  'karpenter.k8s.aws/EC2NodeClass': readiness('Waiting for EC2NodeClass to be ready', 'Ready', 'EC2NodeClass is ready'),
  'karpenter.sh/NodePool': readiness('Waiting for NodePool to be ready'),
  'kafka.strimzi.io/Kafka': strimziKafka,
  'kafka.strimzi.io/KafkaBridge': strimzi('KafkaBridge'),
  'kafka.strimzi.io/KafkaConnect': strimzi('Kafka Connect'),
  'kafka.strimzi.io/KafkaConnector': strimzi('KafkaConnector'),
  'kafka.strimzi.io/KafkaTopic': strimzi('Kafka Topic'),
  'kafka.strimzi.io/KafkaUser': strimzi('Kafka User'),
  ...kyvernoChecks(),
  'onepassword.com/OnePasswordItem': readiness('Waiting for controller to report status'),
  'acid.zalan.do/postgresql': firstOf(
    states(
      'status.PostgresClusterStatus',
      { Running: ['Healthy', itself], Creating: ['Progressing', itself], Updating: ['Progressing', itself] },
      ['Degraded', itself],
    ),
    always(progressing('Waiting for postgres cluster status...')),
  ),
  'jaegertracing.io/Jaeger': firstOf(
    states('status.phase', {
      Running: ['Healthy', 'Jaeger is Running'],
      Failed: ['Degraded', 'Jaeger Failed For Some Reason'],
    }),
    always(progressing('Waiting for Jaeger')),
  ),
  'logstash.k8s.elastic.co/Logstash': firstOf(
    states('status.health', {
      green: ['Healthy', 'Logstash status is Green'],
      yellow: ['Progressing', 'Logstash status is Yellow'],
      red: ['Degraded', 'Logstash status is Red'],
    }),
    always(progressing('Waiting for Logstash')),
  ),
  'objectbucket.io/ObjectBucketClaim': firstOf(
    states(
      'status.phase',
      {
        Bound: ['Healthy', (phase) => `Object bucket claim phase is ${phase}`],
        Failed: ['Degraded', (phase) => `Object bucket claim phase is ${phase}`],
      },
      ['Progressing', (phase) => `Object bucket claim phase is ${phase}`],
    ),
    (object) => (at(object, 'status') === undefined ? undefined : progressing('Waiting for phase to be reported')),
    always(progressing('Waiting for status to be reported')),
  ),
  'rabbitmq.com/RabbitmqCluster': rabbitCluster,
  'trident.netapp.io/TridentOrchestrator': firstOf(
    states('status.status', {
      Installed: ['Healthy', orMessage('')],
      Failed: ['Degraded', orMessage('')],
      Error: ['Degraded', orMessage('')],
    }),
    always(progressing('Waiting for trident installation')),
  ),
}

/** A policy is ready when Kyverno says so in these words; upstream checks Policy only, and a ClusterPolicy is no different. */
function kyvernoChecks(): CheckTable {
  const check = (kind: string): Check =>
    firstOf(
      decideBy([when('Ready=True:Succeeded', 'Healthy', `${kind} is ready`)], (object) =>
        conditionsOf(object).filter(({ message }) => message === 'Ready'),
      ),
      always(progressing(`Waiting for ${kind} to be ready`)),
    )
  return { 'kyverno.io/Policy': check('Policy'), 'kyverno.io/ClusterPolicy': check('ClusterPolicy') }
}

/** Conditions that are not known yet belong to a cluster that is still forming. */
function rabbitCluster(object: Fields): HealthStatus {
  const bad = decideBy([when('ReconcileSuccess=False', 'Degraded')])(object)
  if (bad) return bad
  const found = new Map<unknown, unknown>()
  for (const { type, status } of conditionsOf(object)) found.set(type, status)
  const available = found.get('ClusterAvailable')
  const ready = found.get('AllReplicasReady')
  if (available === 'Unknown' || ready === 'Unknown') {
    return progressing('Waiting for RabbitMQ cluster readiness (conditions unknown)')
  }
  if (available === 'False') return progressing('Waiting for RabbitMQ cluster formation')
  if (ready === 'False') return progressing('Waiting for RabbitMQ instances ready')
  return available === 'True' && ready === 'True'
    ? healthy('RabbitMQ cluster ready')
    : progressing('Waiting for RabbitMQ Operator')
}
