import {
  always,
  type CheckTable,
  decideBy,
  degraded,
  firstOf,
  health,
  healthy,
  progressing,
  states,
  suspended,
  unknown,
  when,
} from '../notation.ts'
import {
  asFields,
  asObjects,
  at,
  conditionsIn,
  conditionsOf,
  type Fields,
  numberAt,
  type Seen,
  shown,
  textAt,
} from '../reading.ts'
import type { HealthStatus } from '../status.ts'

/** Ready is False with severity Info all the while a cluster is being made: that is no failure. */
function clusterHealth(object: Fields): HealthStatus {
  if (at(object, 'spec.paused') === true) return suspended('Cluster is paused')
  const bad = conditionsOf(object).find(
    ({ type, status, severity }) => type === 'Ready' && status === 'False' && severity !== 'Info',
  )
  if (bad) return degraded(bad.message)
  const phase = at(object, 'status.phase')
  if (phase === 'Provisioned') return healthy('Cluster is running')
  return phase === 'Failed' ? degraded('') : progressing('Waiting for clusters')
}

function machineHealth(object: Fields): HealthStatus {
  const phase = at(object, 'status.phase')
  if (phase === 'Running') return healthy('Machine is running')
  const notReady = conditionsOf(object).find(({ type, status }) => type === 'Ready' && status === 'False')
  return health(phase === 'Failed' ? 'Degraded' : 'Progressing', notReady ? notReady.message : 'Condition is unknown')
}

function machineHealthCheckHealth(object: Fields): HealthStatus {
  const current = at(object, 'status.currentHealthy')
  if (current === undefined) return progressing('')
  return health(at(object, 'status.expectedMachines') === current ? 'Healthy' : 'Degraded', '')
}

const POOL_PHASES: Readonly<Record<string, 'Healthy' | 'Degraded'>> = {
  Running: 'Healthy',
  Scaling: 'Healthy',
  Failed: 'Degraded',
  Unknown: 'Degraded',
}

function machinePoolHealth(object: Fields): HealthStatus {
  const phase = textAt(object, 'status.phase')
  const status = phase !== undefined && Object.hasOwn(POOL_PHASES, phase) ? POOL_PHASES[phase] : undefined
  const text = phase === undefined ? '' : `MachinePool is ${phase}`
  const missing = conditionsOf(object)
    .filter((condition) => condition.type !== undefined && condition.status === 'False')
    .map(({ type, reason }) => `Not ${shown(type)}${reason === undefined ? '' : ` (${reason})`}`)
  return health(status ?? 'Progressing', missing.length > 0 ? `${text}: ${missing.join(', ')}` : text)
}

function awsControlPlaneHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return progressing('Provisioning...')
  const generation = at(object, 'metadata.generation')
  const observed = at(object, 'status.observedGeneration')
  if (generation !== undefined && observed !== undefined && observed !== generation) {
    return progressing('Waiting for the control plane spec to be reconciled')
  }
  const failure = textAt(object, 'status.failureMessage') ?? ''
  if (failure !== '') return degraded(failure)
  if (at(object, 'status.conditions') === undefined) return progressing('Provisioning...')
  const all = conditionsOf(object)
  if (all.some(({ type, status }) => type === 'EKSControlPlaneUpdating' && status === 'True')) {
    return progressing('EKS control plane is updating')
  }
  if (all.some(({ type, status }) => type === 'Ready' && status === 'True')) return healthy('Control plane is ready')
  const errors = all.filter(({ status, severity }) => status === 'False' && severity === 'Error')
  if (errors.length > 0) return degraded(errors.map(({ message }) => `${shown(message)} `).join(''))
  return progressing(
    at(object, 'status.ready') === false
      ? 'Control plane is not ready (.status.ready is false)'
      : 'Control plane is not ready',
  )
}

/** A claim that is being disrupted is not ill; one that is not ready tells how far it came. */
function nodeClaimHealth(object: Fields): HealthStatus {
  const generation = at(object, 'metadata.generation')
  const observed = at(object, 'status.observedGeneration')
  if (generation !== undefined && observed !== undefined && generation !== observed) {
    return progressing('Waiting for NodeClaim spec to be reconciled')
  }
  const found = firstOf(
    decideBy([when('Disrupting=True', 'Suspended')]),
    decideBy([when('Ready=True', 'Healthy'), when('Ready=False', 'Degraded')]),
    decideBy([when('Initialized=True', 'Progressing', 'Node initialized, waiting for Ready')]),
    decideBy([when('Registered=True', 'Progressing', 'Node registered, waiting for initialization')]),
    decideBy([when('Launched=True', 'Progressing', 'Node launched, waiting for registration')]),
  )(object)
  return found ?? progressing('Waiting for NodeClaim to be launched')
}

const SHOOT: Readonly<Record<string, HealthStatus>> = {
  healthy: healthy('Component state: Healthy'),
  progressing: progressing('Component state: Update in progress'),
  unhealthy: degraded('Component state: Unhealthy'),
  unknown: unknown('Component state: Unknown'),
}

function shootHealth(object: Fields): HealthStatus {
  const state = shown(asFields(at(object, 'metadata.labels'))['shoot.gardener.cloud/status'])
  return (Object.hasOwn(SHOOT, state) ? SHOOT[state] : undefined) ?? progressing('Update in progress')
}

/** A binding that was made for a dependency names no clusters: then what was reported is all there is. */
function bindingHealth(object: Fields, mustNameClusters: boolean): HealthStatus {
  const waiting = progressing('Current resource status is insufficient')
  const clusters = at(object, 'spec.clusters')
  const reported = at(object, 'status.aggregatedStatus')
  const count = Array.isArray(clusters) ? clusters.length : undefined
  if (count === 0 || (count === undefined && mustNameClusters)) return waiting
  if (!Array.isArray(reported) || reported.length === 0) return waiting
  if (count !== undefined && count !== reported.length) return waiting
  const isBad = asObjects(reported).some(
    ({ health: state, applied }) => state === 'Unhealthy' || (state === 'Unknown' && applied !== true),
  )
  return isBad ? degraded('Current resource status is unhealthy') : healthy()
}

const REPORT = 'Waiting for the status to be reported'

function configurationPolicyHealth(object: Fields): HealthStatus {
  const compliant = at(object, 'status.compliant')
  if (compliant === undefined) return progressing(REPORT)
  if (at(object, 'status.lastEvaluatedGeneration') !== at(object, 'metadata.generation')) {
    return progressing('Waiting for the status to be updated')
  }
  const details = at(object, 'status.compliancyDetails')
  if (details === undefined) return progressing('Waiting for compliance')
  const messages = asObjects(details).flatMap(({ conditions }) =>
    conditionsIn(conditions)
      .filter(({ type, message }) => type !== undefined && message !== undefined)
      .map(({ type, message }) => `${shown(type)} - ${shown(message)}`),
  )
  return health(compliant === 'Compliant' ? 'Healthy' : 'Degraded', messages.join('; '))
}

function operatorPolicyHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing(REPORT)
  const observed = at(object, 'status.observedGeneration')
  if (observed !== undefined && observed !== at(object, 'metadata.generation')) {
    return progressing('Waiting for the status to be updated')
  }
  const compliant = conditionsOf(object).find(({ type }) => type === 'Compliant')
  if (!compliant) return progressing('Waiting for the compliance condition')
  return health(compliant.status === 'True' ? 'Healthy' : 'Degraded', compliant.message)
}

/** A root policy tells of clusters, its replicas of templates. */
function policyHealth(object: Fields): HealthStatus {
  if (at(object, 'spec.disabled') === true) return healthy('Policy is disabled')
  const compliant = at(object, 'status.compliant')
  const clusters = at(object, 'status.status')
  const placement = at(object, 'status.placement')
  if (compliant === undefined) {
    return clusters === undefined && Array.isArray(placement) && placement.length > 0
      ? healthy('No clusters match this policy')
      : progressing(REPORT)
  }
  const details = at(object, 'status.details')
  const status = compliant === 'Compliant' ? 'Healthy' : 'Degraded'
  if (clusters === undefined && details === undefined) return health(status)
  const [word, names] =
    clusters === undefined
      ? (['templates', failing(details).map((entry) => shown(at(entry, 'templateMeta.name')))] as const)
      : (['clusters', failing(clusters).map(({ clustername }) => shown(clustername))] as const)
  return health(status, names.length === 0 ? `All ${word} are compliant` : `NonCompliant ${word}: ${names.join(', ')}`)
}

const failing = (entries: unknown): readonly Fields[] =>
  asObjects(entries).filter(({ compliant }) => compliant !== 'Compliant')

function storageClusterHealth(object: Fields): HealthStatus {
  const all = conditionsOf(object)
  for (const [type, status] of [
    ['Degraded', 'Degraded'],
    ['Progressing', 'Progressing'],
    ['Available', 'Healthy'],
  ] as const) {
    const found = all.findLast((condition) => condition.type === type && condition.status === 'True')
    if (found) return health(status, found.message)
  }
  return unknown('StorageCluster is in an unknown state.')
}

function deploymentConfigHealth(object: Fields): HealthStatus {
  const waiting = progressing('replication controller is waiting for pods to run')
  const replicas = at(object, 'status.replicas')
  if (at(object, 'status.conditions') === undefined || replicas === undefined) return waiting
  const good = conditionsOf(object).filter(
    ({ type, status, reason }) =>
      status === 'True' &&
      (type === 'Available' || (type === 'Progressing' && reason === 'NewReplicationControllerAvailable')),
  ).length
  if (good === 2 || replicas === 0) return healthy('replication controller successfully rolled out')
  return good === 1 ? waiting : degraded('Deployment config is degraded')
}

function apiManagerHealth(object: Fields): HealthStatus {
  const deployments = asFields(at(object, 'status.deployments'))
  const isWhole =
    deployments['ready'] !== undefined && deployments['starting'] === undefined && deployments['stopped'] === undefined
  if (isWhole) return healthy('3scale APIManager is available')
  for (const { type, status, reason = '' } of conditionsOf(object)) {
    if (type !== 'Available') continue
    if (status === 'True') return healthy('3scale APIManager is available')
    if (reason !== '') return degraded(`3scale APIManager is degraded: ${reason}`)
  }
  return progressing('Waiting for 3scale APIManager status...')
}

function scaleApplicationHealth(object: Fields): HealthStatus {
  if (at(object, 'status.state') === 'suspended') return suspended('3scale Application is suspended')
  const hasId = numberAt(object, 'status.adminId') > 0
  for (const { type, status, message } of conditionsOf(object)) {
    if (type !== 'Ready') continue
    if (status === 'True') return healthy('3scale Application is ready')
    if (!hasId) return degraded(message ?? '3scale Application is not ready')
  }
  return progressing('Waiting for 3scale Application status...')
}

function scaleTenantHealth(object: Fields): HealthStatus {
  const ready = conditionsOf(object).filter(({ type }) => type === 'Ready')
  const hasIds = numberAt(object, 'status.tenantId') > 0 && numberAt(object, 'status.adminId') > 0
  if (hasIds && ready.some(({ status }) => status === 'True')) return healthy('3scale Tenant is ready')
  const bad = ready.find(({ status }) => status !== 'True')
  return bad ? degraded(bad.message ?? '3scale Tenant is degraded') : progressing('Waiting for 3scale Tenant status...')
}

const PENDING_STATES: readonly unknown[] = ['', 'UpgradeAvailable', 'UpgradePending']

/** An upgrade that waits for its user's approval is as it should be, once something is installed. */
function subscriptionHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) {
    return progressing('An install plan for a subscription is pending installation')
  }
  const all = conditionsOf(object)
  const isApprovalAwaited =
    at(object, 'spec.installPlanApproval') === 'Manual' &&
    at(object, 'status.installedCSV') !== undefined &&
    all.some(
      ({ type, status, reason }) => type === 'InstallPlanPending' && status === 'True' && reason === 'RequiresApproval',
    )
  const conditions = subscriptionConditions(all, isApprovalAwaited)
  const state = subscriptionState(at(object, 'status.state'), isApprovalAwaited)
  const verdicts = [...conditions.map(({ verdict }) => verdict), state.verdict]
  const message = [...conditions, state].map(({ line }) => line).join('')
  if (verdicts.includes('bad')) return degraded(message)
  return health(verdicts.includes('pending') ? 'Progressing' : 'Healthy', message)
}

interface Said {
  readonly line: string
  readonly verdict: 'good' | 'pending' | 'bad'
}

function subscriptionConditions(all: readonly Seen[], isApprovalAwaited: boolean): readonly Said[] {
  return all.flatMap(({ type = '', status, reason }, index): readonly Said[] => {
    const isPending = type === 'InstallPlanPending'
    if (isPending && isApprovalAwaited) return []
    const isTrue = status === 'True'
    const isLost = type === 'InstallPlanMissing' && reason !== 'ReferencedInstallPlanNotFound'
    const isBad = isLost || (isTrue && BAD_SUBSCRIPTION.includes(type))
    const verdict = isPending && isTrue ? 'pending' : isBad ? 'bad' : 'good'
    return [{ line: `${index + 1}: ${type} | ${shown(status)}\n`, verdict }]
  })
}

function subscriptionState(state: unknown, isApprovalAwaited: boolean): Said {
  if (state === undefined) return { line: '.status.state not yet known\n', verdict: 'pending' }
  if (state === 'UpgradePending' && isApprovalAwaited) {
    const line = ".status.state is 'UpgradePending' (manual InstallPlan approval pending; treated as healthy)\n"
    return { line, verdict: 'good' }
  }
  const verdict = PENDING_STATES.includes(state) ? 'pending' : state === 'UpgradeFailed' ? 'bad' : 'good'
  return { line: `.status.state is '${shown(state)}'\n`, verdict }
}

const BAD_SUBSCRIPTION: readonly string[] = ['CatalogSourcesUnhealthy', 'InstallPlanFailed', 'ResolutionFailed']

/** Clusters, their nodes, and the platforms on them. */
export const clusterChecks: CheckTable = {
  'apps.3scale.net/APIManager': apiManagerHealth,
  'apps.openshift.io/DeploymentConfig': deploymentConfigHealth,
  'capabilities.3scale.net/Application': scaleApplicationHealth,
  'capabilities.3scale.net/Tenant': scaleTenantHealth,
  'cluster.x-k8s.io/Cluster': clusterHealth,
  'cluster.x-k8s.io/Machine': machineHealth,
  'cluster.x-k8s.io/MachineDeployment': firstOf(
    (object) => (at(object, 'spec.paused') === true ? suspended('MachineDeployment is paused') : undefined),
    states('status.phase', {
      Running: ['Healthy', 'Machines are running under this deployment'],
      ScalingUp: ['Progressing', 'Cluster is spawning machines'],
      ScalingDown: ['Progressing', 'Cluster is stopping machines'],
      Failed: ['Degraded', 'MachineDeployment is failed'],
    }),
    always(progressing('Waiting for machines')),
  ),
  'cluster.x-k8s.io/MachineHealthCheck': machineHealthCheckHealth,
  'cluster.x-k8s.io/MachinePool': machinePoolHealth,
  'controlplane.cluster.x-k8s.io/AWSManagedControlPlane': awsControlPlaneHealth,
  'core.gardener.cloud/Shoot': shootHealth,
  'karpenter.sh/NodeClaim': nodeClaimHealth,
  'ocs.openshift.io/StorageCluster': storageClusterHealth,
  'operators.coreos.com/Subscription': subscriptionHealth,
  'policy.open-cluster-management.io/CertificatePolicy': firstOf(
    states('status.compliant', { Compliant: ['Healthy', 'All certificates found comply with the policy'] }, [
      'Degraded',
      'At least once certificate does not comply with the policy',
    ]),
    always(progressing(REPORT)),
  ),
  'policy.open-cluster-management.io/ConfigurationPolicy': configurationPolicyHealth,
  'policy.open-cluster-management.io/OperatorPolicy': operatorPolicyHealth,
  'policy.open-cluster-management.io/Policy': policyHealth,
  'work.karmada.io/ClusterResourceBinding': (object) => bindingHealth(object, true),
  'work.karmada.io/ResourceBinding': (object) => bindingHealth(object, false),
}
