import {
  type Check,
  type CheckTable,
  degraded,
  forKinds,
  health,
  healthy,
  progressing,
  suspended,
} from '../notation.ts'
import { at, conditionsIn, conditionsOf, type Fields, shown } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

const WITHOUT_STATUS = [
  'Composition',
  'CompositionRevision',
  'DeploymentRuntimeConfig',
  'ClusterProviderConfig',
  'ProviderConfig',
  'ProviderConfigUsage',
  'ControllerConfig',
]
const PROVISIONING = progressing('Provisioning ...')
const UP_TO_DATE = healthy('Resource is up-to-date.')

/** Managed and composite resources of any provider: which conditions mean that they are there. */
function managedResource(good: readonly string[], withoutStatus: readonly string[]): Check {
  return (object) => {
    const status = at(object, 'status')
    const isBlank = typeof status === 'object' && status !== null && Object.keys(status).length === 0
    const kind = shown(object['kind'])
    // Upstream reads a missing status as healthy whatever the kind, and an empty one only of kinds that never have any.
    if (status === undefined || (isBlank && withoutStatus.includes(kind))) return UP_TO_DATE
    if (at(object, 'status.conditions') === undefined) {
      const isConfig = kind === 'ProviderConfig' || kind === 'ClusterProviderConfig'
      return isConfig && at(object, 'status.users') !== undefined ? healthy('Resource is in use.') : PROVISIONING
    }
    let found = PROVISIONING
    for (const condition of conditionsOf(object)) {
      const { type = '', status: value, message } = condition
      if ((type === 'LastAsyncOperation' || type === 'Synced') && value === 'False') return degraded(message)
      if (good.includes(type) && value === 'True') found = UP_TO_DATE
    }
    return found
  }
}

/** The first AWS provider's kinds, by their Ready and Synced conditions; `noun` is in the waiting messages. */
const classicAws =
  (noun: string): Check =>
  (object) => {
    if (at(object, 'status.conditions') === undefined) return progressing(`Waiting for ${noun} to be created`)
    let ready = false
    let synced = false
    let pause: string | undefined
    let readyReason: string | undefined
    let failure: string | undefined
    for (const { type, status, reason, message } of conditionsOf(object)) {
      if (type === 'Ready') {
        ready = status === 'True'
        readyReason = reason
      } else if (type === 'Synced') {
        synced = status === 'True'
        if (reason === 'ReconcileError') failure = message
        else if (reason === 'ReconcilePaused') pause = reason
      }
    }
    if (ready && synced) return healthy(readyReason)
    if (!synced && pause !== undefined) return suspended(pause)
    return !ready && synced && pause === undefined
      ? progressing(`Waiting for ${noun} to be available`)
      : degraded(failure)
  }

function providerHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing('Waiting for provider to be installed')
  const all = conditionsOf(object)
  const installed = all.findLast(({ type }) => type === 'Installed')
  const well = all.findLast(({ type }) => type === 'Healthy')
  const isGood = installed?.status === 'True' && well?.status === 'True'
  return health(isGood ? 'Healthy' : 'Degraded', `${shown(installed?.reason)} ${shown(well?.reason)}`)
}

function stackInstallHealth(object: Fields): HealthStatus {
  const ready = conditionsIn(at(object, 'status.conditionedStatus.conditions')).filter(({ type }) => type === 'Ready')
  const good = ready.find(({ status }) => status === 'True')
  if (good) return healthy(good.reason)
  const last = ready.at(-1)
  return progressing(last ? last.reason : 'Waiting for stack to be installed')
}

/** Google's Config Connector. */
function configConnectorHealth(object: Fields): HealthStatus {
  const waiting = progressing('Update in progress')
  const observed = at(object, 'status.observedGeneration')
  if (observed !== undefined && observed !== at(object, 'metadata.generation')) return waiting
  const kind = shown(object['kind'])
  const well = at(object, 'status.healthy')
  if ((kind === 'ConfigConnector' || kind === 'ConfigConnectorContext') && well !== undefined) {
    return well === true ? healthy(`${kind} is healthy`) : degraded(`${kind} is not healthy`)
  }
  for (const { reason, status, message } of conditionsOf(object)) {
    if (reason === 'UpToDate' && status === 'True') return healthy(message)
    if (reason === 'UpdateFailed' || reason === 'DependencyNotFound') return degraded(message)
    if (reason === 'DependencyNotReady') return suspended(message)
  }
  return waiting
}

/** AWS Controllers for Kubernetes. */
function awsControllerHealth(object: Fields): HealthStatus {
  for (const { type, status, message } of conditionsOf(object)) {
    if (type === 'ACK.Terminal' && status === 'True') return degraded(message)
    if (type === 'Ready' && status === 'False') return progressing(message)
    if (type === 'Ready' && status === 'True') return healthy('')
  }
  return progressing('Waiting for resource to be ready')
}

/** Clouds as objects: Crossplane and its kin, by kind. */
export const crossplaneChecks: CheckTable = {
  'cloudfront.aws.crossplane.io/Distribution': classicAws('distribution'),
  ...forKinds('iam.aws.crossplane.io', ['Policy', 'Role', 'RolePolicyAttachment'], classicAws),
  ...forKinds('rds.aws.crossplane.io', ['DBCluster', 'DBInstance'], classicAws),
  'route53.aws.crossplane.io/ResourceRecordSet': classicAws('resourcrecordset'),
  's3.aws.crossplane.io/Bucket': classicAws('Bucket'),
  'pkg.crossplane.io/Provider': providerHealth,
  'stacks.crossplane.io/ClusterStackInstall': stackInstallHealth,
}

/** Whole groups, by the end of their name. */
export const crossplaneGroups: Readonly<Record<string, Check>> = {
  '*.cnrm.cloud.google.com/*': configConnectorHealth,
  '*.crossplane.io/*': managedResource(
    ['Ready', 'Healthy', 'Offered', 'Established', 'ValidPipeline', 'RevisionHealthy'],
    WITHOUT_STATUS,
  ),
  '*.services.k8s.aws/*': awsControllerHealth,
  '*.upbound.io/*': managedResource(['Ready'], ['ClusterProviderConfig', 'ProviderConfig', 'ProviderConfigUsage']),
}
