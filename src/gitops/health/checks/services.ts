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
  shown,
  textAt,
} from '../reading.ts'
import type { HealthStatus, HealthStatusCode } from '../status.ts'

const SPIN_FAILURE = /timeout|failed/i

function spinAppHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return progressing('Waiting for status to be available')
  let available: boolean | undefined
  let said = ''
  let busy: string | undefined
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'Progressing' && status === 'False') {
      if (reason === 'ProgressDeadlineExceeded' || SPIN_FAILURE.test(message ?? '')) {
        return degraded(message ?? 'Application deployment has failed')
      }
    } else if (type === 'Progressing' && status === 'True') {
      busy = message ?? 'Application progress status'
    } else if (type === 'Available') {
      available = status === 'True'
      said = message ?? 'Application is not available'
    }
  }
  if (available !== true) return degraded(said)
  const ready = numberAt(object, 'status.readyReplicas')
  const wanted = numberAt(object, 'spec.replicas', 1)
  if (ready < wanted) return progressing(`Waiting for replicas to be ready (${ready}/${wanted})`)
  return busy === undefined
    ? healthy(`Application is healthy with ${ready}/${wanted} replicas ready`)
    : progressing(busy)
}

const datadogMetric: Check = firstOf(
  decideBy([
    when('Error=True', 'Degraded', ({ reason = '', message = 'DatadogMetric reported an error' }) =>
      reason === '' ? message : `${reason}: ${message}`,
    ),
  ]),
  decideBy([when('Valid=False', 'Degraded', ({ message }) => message ?? 'DatadogMetric is not valid')]),
  always(healthy('DatadogMetric is healthy')),
)

const atlas = (field: 'reason' | 'message', busy: readonly string[]): Check => {
  return (object) => {
    const ready = conditionsOf(object).find(({ type }) => type === 'Ready')
    if (!ready) return progressing('Waiting for Atlas Operator')
    if (ready.status === 'True') return healthy(ready.reason)
    return health(busy.includes(ready[field] ?? '') ? 'Progressing' : 'Degraded', ready.reason)
  }
}

const CANARY: Readonly<Record<string, HealthStatusCode>> = {
  Failed: 'Degraded',
  Progressing: 'Progressing',
  Finalising: 'Progressing',
  Promoting: 'Progressing',
  Succeeded: 'Healthy',
  Initialized: 'Healthy',
}

function canaryHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return unknown('No status')
  const phase = shown(at(object, 'status.phase'))
  const weight = Number(shown(at(object, 'status.canaryWeight')) || 0)
  const parts = conditionsOf(object).map(({ message }) => shown(message))
  if (weight > 0) parts.unshift(`Canary Weight: ${shown(at(object, 'status.canaryWeight'))} %`)
  const status = Object.hasOwn(CANARY, phase) ? CANARY[phase] : undefined
  return health(status ?? 'Unknown', `${phase} --- ${parts.join(' --- ')}`)
}

function flinkHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for Flink operator')
  if (at(object, 'status.reconciliationStatus') === undefined) return waiting
  const success = at(object, 'status.reconciliationStatus.success')
  const isDeployed = at(object, 'status.reconciliationStatus.state') === 'DEPLOYED'
  if ((success !== undefined && success !== false) || isDeployed) return healthy()
  const manager = at(object, 'status.jobManagerDeploymentStatus')
  if (manager === 'DEPLOYED_NOT_READY' || manager === 'DEPLOYING') return progressing('Waiting for deploying')
  return manager === 'ERROR' ? degraded(textAt(object, 'status.reconciliationStatus.error')) : waiting
}

function grafanaHealth(object: Fields): HealthStatus {
  const outcome = at(object, 'status.stageStatus')
  const stage = textAt(object, 'status.stage')
  if (outcome === undefined) return progressing('Waiting for Grafana status info')
  if (outcome === 'failed') return degraded(`Failed at stage ${shown(stage)}`)
  return stage === 'complete' && outcome === 'success' ? healthy('') : progressing(stage)
}

/** Every condition adds to the text; the first that is False ends it. */
function grafanaPartHealth(object: Fields): HealthStatus {
  let status: HealthStatusCode = 'Progressing'
  let text = ''
  for (const { type, status: value, reason, message } of conditionsOf(object)) {
    if (value === undefined) continue
    if (text !== '') text += ', '
    if (reason !== undefined) {
      text += reason
      if (type !== undefined) text += ` for ${type}${message === undefined ? '' : ` because ${message}`}`
    }
    if (value === 'False') return degraded(text)
    if (value === 'True') status = 'Healthy'
  }
  return health(status, text)
}

function grafanaDatasourceHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined || at(object, 'status.uid') === '') return progressing('')
  return at(object, 'status.NoMatchingInstances') === true
    ? degraded("can't find matching grafana instance")
    : healthy('')
}

const IAM_FAILURES: readonly unknown[] = ['Error', 'RolesMaxLimitReached', 'PolicyNotAllowed', 'RoleNameNotAvailable']

function iamRoleHealth(object: Fields): HealthStatus {
  const part = (name: string): string => shown(at(object, `status.${name}`)) || '<none>'
  const state = at(object, 'status.state')
  if (state === 'Ready') {
    return healthy(`Role '${part('roleName')}' exists with ARN '${part('roleARN')}' and ID '${part('roleID')}'.`)
  }
  if (!IAM_FAILURES.includes(state)) return progressing('Waiting for Iamrole to be reconciled')
  const retries = numberAt(object, 'status.retryCount')
  const error = textAt(object, 'status.errorDescription')
  return degraded(
    `Failed to reconcile the Iamrole ${retries > 0 ? `(retry ${retries}) ` : ''}` +
      `for role '${part('roleName')}' with ARN '${part('roleARN')}' and ID '${part('roleID')}'.` +
      (error === undefined ? '' : ` Reconciliation error was: ${error}`),
  )
}

/** Istio's operator writes its states by number or by name. */
const ISTIO: readonly (readonly [number, string, HealthStatus])[] = [
  [0, 'NONE', unknown('Component is not present.')],
  [1, 'UPDATING', progressing('Component is being updated to a different version.')],
  [
    2,
    'RECONCILING',
    progressing('Controller has started but not yet completed reconciliation loop for the component.'),
  ],
  [3, 'HEALTHY', healthy('Component is healthy.')],
  [4, 'ERROR', degraded('Component is in an error state.')],
]

function istioHealth(object: Fields): HealthStatus {
  const state = at(object, 'status.status')
  const found = ISTIO.find(([number, name]) => state === number || state === name)
  return found ? found[2] : progressing('Waiting for Istio Control Plane')
}

/** The oldest condition that decides wins; one without a time is the youngest. */
function keycloakHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) {
    return progressing('Waiting for Keycloak status conditions to exist')
  }
  const time = ({ lastTransitionTime }: { readonly lastTransitionTime?: string }) => lastTransitionTime ?? '~'
  const sorted = conditionsOf(object).toSorted((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0))
  for (const { type, status, message } of sorted) {
    if (type === 'Ready' && status === 'True') return healthy('')
    if (type === 'HasErrors' && status === 'True') return degraded(`Has Errors: ${shown(message)}`)
  }
  return progressing('')
}

/** KEDA: being ready, paused and fallen back are told apart. */
function kedaHealth(object: Fields, waiting: string, isBad: (type: unknown, status: unknown) => boolean): HealthStatus {
  let isReady = false
  let isPaused = false
  let isDegraded = false
  let message: string | undefined
  for (const condition of conditionsOf(object)) {
    const { type, status } = condition
    const bad = isBad(type, status)
    const good = type === 'Ready' && status === 'True'
    const paused = type === 'Paused' && status === 'True'
    if (bad || good || paused) message = condition.message
    isDegraded ||= bad
    isReady ||= good
    isPaused ||= paused
  }
  if (isDegraded) return degraded(message)
  if (!isReady) return progressing(waiting)
  return health(isPaused ? 'Suspended' : 'Healthy', message)
}

function externalSecretHealth(object: Fields): HealthStatus {
  const state = textAt(object, 'status.status')
  if (state === 'SUCCESS') return healthy('Fetched ExternalSecret.')
  if (state?.startsWith('ERROR')) return degraded(state.replaceAll('ERROR, ', ''))
  return progressing('Waiting for ExternalSecret.')
}

function collectorHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined) return progressing('Waiting for OpenTelemetry Collector status')
  const replicas = at(object, 'status.scale.statusReplicas')
  const mode = at(object, 'spec.mode')
  if (replicas === undefined) {
    return mode === 'sidecar'
      ? healthy('Collector is running in sidecar mode')
      : progressing('Scale status not available')
  }
  const [, ready, total] = /(\d+)\/(\d+)/.exec(shown(replicas)) ?? []
  if (ready === undefined || total === undefined) {
    return progressing(`Unable to parse replica status: ${shown(replicas)}`)
  }
  if (Number(ready) === 0) {
    return mode === 'daemonset' && Number(total) === 0
      ? healthy('DaemonSet has no eligible nodes (0/0)')
      : degraded('No replicas are ready')
  }
  return Number(ready) === Number(total) ? healthy('All replicas are ready') : progressing('Replicas are starting up')
}

function functionHealth(object: Fields): HealthStatus {
  const found = decideBy([
    when('Ready=False', 'Degraded'),
    when('Stalled=True', 'Degraded'),
    when('Ready=True', 'Healthy'),
  ])(object)
  if (!found) return progressing('Waiting for Function')
  if (found.status !== 'Healthy' || numberAt(object, 'status.replicas') > 0) return found
  return suspended('No replicas available')
}

/** Knative's operator: how many of the conditions must be true, and which may not be false. */
function knativePart(kind: string, good: readonly string[], bad: readonly string[]): Check {
  return (object) => {
    if (at(object, 'status.conditions') === undefined) return progressing(`Waiting for ${kind}`)
    const all = conditionsOf(object)
    const isGood = all.filter(({ type = '', status }) => status === 'True' && good.includes(type)).length
    const isBad = all.some(
      ({ type = '', status }) => status === 'Unknown' || (status === 'False' && bad.includes(type)),
    )
    const message = all.map(({ type, status }, index) => `${index + 1}: ${shown(type)} | ${shown(status)}\n`).join('')
    if (isBad) return progressing(message)
    return isGood === good.length ? healthy(`${kind} is healthy.`) : degraded(message)
  }
}

const KNATIVE_SERVICE: readonly string[] = ['ConfigurationsReady', 'RoutesReady', 'Ready']

function knativeServiceHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing('Waiting for status update.')
  const all = conditionsOf(object)
  const bad = all.filter(({ status }) => status === 'False' || status === 'Unknown')
  const good = all.filter(({ type = '', status }) => status === 'True' && KNATIVE_SERVICE.includes(type))
  if (good.length === 3 && bad.length === 0) return healthy('Knative Service is healthy.')
  const text = bad
    .map(({ type, status, reason, message }) => {
      const since = reason ? `, since ${reason}.` : ''
      return `${shown(type)} is ${shown(status)}${since}${message ? ` ${message}` : ''}\n`
    })
    .join('')
  return health(bad.some(({ status }) => status === 'False') ? 'Degraded' : 'Progressing', text)
}

function inferenceHealth(object: Fields): HealthStatus {
  if (at(object, 'status') === undefined || at(object, 'status.conditions') === undefined) {
    return progressing('Waiting for InferenceService to report status...')
  }
  const all = conditionsOf(object)
  if (all.some(({ type, status }) => type === 'Stopped' && status === 'True')) {
    return suspended('InferenceService is Stopped')
  }
  const transition = at(object, 'status.modelStatus') && shown(at(object, 'status.modelStatus.transitionStatus'))
  const isBusy = transition === 'InProgress'
  const isBad = transition !== undefined && transition !== 'UpToDate' && !isBusy
  const open = all
    .map((condition, index) => ({ ...condition, place: index + 1 }))
    .filter(({ type, status }) => status !== 'True' && type !== 'Stopped')
  const hasDoubt = all.some(({ type, status }) => status === 'Unknown' || (status === 'False' && type !== 'Stopped'))
  if (!isBusy && !isBad && !hasDoubt) return healthy('InferenceService is healthy.')
  const text = open
    .map(({ place, type, status, reason, message }) =>
      [` | ${place}: ${shown(type)}`, shown(status), ...[reason, message].filter((part) => part)].join(' | '),
    )
    .join('')
  const first = isBusy || isBad ? `0: transitionStatus | ${shown(transition)}` : ''
  return health(isBad ? 'Degraded' : 'Progressing', first + text)
}

const UPDATE_STATES: Readonly<Record<string, readonly [HealthStatusCode, string]>> = {
  expanding: ['Progressing', 'Reconciliation in progress'],
  paused: ['Suspended', 'Reconciliation is paused'],
  failed: ['Degraded', 'Reconciliation failed'],
}

function victoriaHealth(object: Fields): HealthStatus {
  const waiting = progressing('Waiting for the operator to reconcile')
  if (at(object, 'status') === undefined) return waiting
  const observed = at(object, 'status.observedGeneration')
  const generation = at(object, 'metadata.generation')
  if (observed !== undefined && generation !== undefined && observed !== generation) return waiting
  const state = shown(at(object, 'status.updateStatus'))
  if (state === 'operational') return healthy('All components are operational')
  const known = Object.hasOwn(UPDATE_STATES, state) ? UPDATE_STATES[state] : undefined
  if (!known) return progressing('Waiting for the operator to report status')
  return health(known[0], textAt(object, 'status.reason') || known[1])
}

function prometheusHealth(object: Fields): HealthStatus {
  const available = conditionsOf(object).findLast(({ type }) => type === 'Available')
  if (!available) return progressing('Waiting for initialization')
  if (available.status === 'True') return healthy('All instances are available')
  const isStarting = available.reason === 'SomePodsNotReady'
  return health(isStarting ? 'Progressing' : 'Degraded', available.message ?? available.reason)
}

const ansible = (object: Fields): HealthStatus => {
  const result = asFields(at(object, 'status.ansibleJobResult'))
  const found = states(
    'status',
    Object.fromEntries(
      (
        [
          ['Healthy', ['successful']],
          ['Degraded', ['failed', 'error', 'canceled']],
          ['Progressing', ['new', 'pending', 'waiting', 'running']],
        ] as const
      ).flatMap(([code, names]) =>
        names.map((name) => [name, [code, (state: string) => `${state} job - ${shown(result['url'])}`] as const]),
      ),
    ),
  )(result)
  return found ?? progressing('Waiting for AnsibleJob')
}

/** Only conditions that were seen count, the strongest first. */
function serviceDiscoveryHealth(object: Fields): HealthStatus {
  const of = (wanted: string) => conditionsOf(object).findLast(({ type }) => type === wanted) ?? { status: 'Unknown' }
  const adopted = of('Adopted')
  const advertised = of('Advertised')
  const discovered = of('Discoverable')
  if (adopted.status === 'False') return degraded(adopted.message)
  if (advertised.reason === 'AdvertiseError' || advertised.reason === 'UnadvertiseError') {
    return degraded(advertised.message)
  }
  if (discovered.reason === 'DiscoveryError') return unknown(discovered.message)
  return health(discovered.status === 'True' ? 'Healthy' : 'Progressing', discovered.message)
}

/** Clouds' service brokers. */
function sapHealth(object: Fields): HealthStatus {
  if (at(object, 'metadata.deletionTimestamp') !== undefined) return progressing('Resource is being deleted')
  if (!Array.isArray(at(object, 'status.conditions'))) return progressing('Waiting for status')
  const generation = at(object, 'metadata.generation')
  for (const { type, status, message, observedGeneration: seen } of conditionsIn(at(object, 'status.conditions'))) {
    if (seen !== undefined && generation !== undefined && seen !== generation) {
      return progressing('Waiting for spec update to be observed')
    }
    const hasFailed = (type === 'Succeeded' && status === 'False') || (type === 'Failed' && status === 'True')
    if (hasFailed) return degraded(message ?? '')
  }
  return healthy('Ready to use')
}

function pulumiHealth(object: Fields): HealthStatus {
  if (
    at(object, 'status') === undefined ||
    at(object, 'status.observedGeneration') !== at(object, 'metadata.generation')
  ) {
    return progressing('Waiting for the operator to observe the latest spec change')
  }
  const found = decideBy([
    when('Stalled=True', 'Degraded'),
    when('Reconciling=True', 'Progressing'),
    when('Ready=True', 'Healthy'),
  ])(object)
  return found ?? progressing('Waiting for the stack to be reconciled')
}

function spotHealth(object: Fields): HealthStatus | undefined {
  if (at(object, 'status.conditions') === undefined) return undefined
  const found = decideBy([
    when('InvalidSpec', 'Degraded'),
    when('Progressing:RolloutAborted', 'Degraded'),
    when('Progressing:ProgressDeadlineExceeded', 'Degraded'),
    when('Paused=True', 'Suspended', 'Rollout is paused'),
  ])(object)
  if (found) return found
  return at(object, 'status.phase') === 'Progressing' ? progressing('Waiting for rollout to finish steps') : healthy('')
}

/** What serves other programs: functions, dashboards, meshes, brokers of clouds. */
export const serviceChecks: CheckTable = {
  'core.spinkube.dev/SpinApp': spinAppHealth,
  'datadoghq.com/DatadogMetric': datadogMetric,
  'db.atlasgo.io/AtlasMigration': atlas('reason', ['Reconciling']),
  'db.atlasgo.io/AtlasSchema': atlas('message', ['Reconciling', 'GettingDevDB']),
  'flagger.app/Canary': canaryHealth,
  'flink.apache.org/FlinkDeployment': flinkHealth,
  'grafana.integreatly.org/Grafana': grafanaHealth,
  'grafana.integreatly.org/GrafanaDashboard': grafanaPartHealth,
  'grafana.integreatly.org/GrafanaDatasource': grafanaDatasourceHealth,
  'grafana.integreatly.org/GrafanaFolder': grafanaPartHealth,
  'iammanager.keikoproj.io/Iamrole': iamRoleHealth,
  'install.istio.io/IstioOperator': istioHealth,
  'k8s.keycloak.org/Keycloak': keycloakHealth,
  'keda.sh/ScaledJob': (object) =>
    kedaHealth(
      object,
      'Waiting for ScaledJob',
      (type, status) => type === 'Ready' && (status === 'False' || status === 'Unknown'),
    ),
  'keda.sh/ScaledObject': (object) =>
    kedaHealth(
      object,
      'Creating HorizontalPodAutoscaler Object',
      (type, status) => (type === 'Ready' && status === 'False') || (type === 'Fallback' && status === 'True'),
    ),
  'kiali.io/Kiali': conditions(
    'Waiting for Kiali',
    when('Successful=True', 'Healthy'),
    when('Failure=True', 'Degraded'),
    when('Running:Running', 'Progressing'),
  ),
  'kubernetes-client.io/ExternalSecret': externalSecretHealth,
  'metrics.keptn.sh/Analysis': (object) => {
    const pass = at(object, 'status.pass')
    if (pass === true) return healthy('Analysis is healthy')
    if (at(object, 'status.warning') === true) return healthy('Analysis is healthy with warnings')
    return pass === false ? degraded('Analysis is degraded') : progressing('Analysis is progressing')
  },
  'metrics.keptn.sh/KeptnMetric': (object) => {
    const error = shown(at(object, 'status.errMsg'))
    if (error !== '') return degraded('KeptnMetric is degraded')
    return at(object, 'status.value') === undefined
      ? progressing('KeptnMetric is progressing')
      : healthy('KeptnMetric is healthy')
  },
  'monitoring.coreos.com/Prometheus': prometheusHealth,
  'openfaas.com/Function': functionHealth,
  'opentelemetry.io/OpenTelemetryCollector': collectorHealth,
  'operator.knative.dev/KnativeEventing': knativePart('KnativeEventing', ['Ready', 'InstallSucceeded'], ['Ready']),
  'operator.knative.dev/KnativeServing': knativePart(
    'KnativeServing',
    ['Ready', 'InstallSucceeded', 'DependenciesInstalled', 'DeploymentsAvailable'],
    ['Ready', 'DeploymentsAvailable'],
  ),
  'proclaim.dogmatiq.io/DNSSDServiceInstance': serviceDiscoveryHealth,
  'pulumi.com/Stack': pulumiHealth,
  ...forKinds('services.cloud.sap.com', ['ServiceBinding', 'ServiceInstance'], () => sapHealth),
  'serving.knative.dev/Service': knativeServiceHealth,
  'serving.kserve.io/InferenceService': inferenceHealth,
  'spot.io/SpotDeployment': spotHealth,
  'tower.ansible.com/AnsibleJob': ansible,
  'solr.apache.org/SolrCloud': (object) => {
    if (at(object, 'status.solrNodes') === undefined) return progressing('Waiting for solr to exist')
    const isWhole = asObjects(at(object, 'status.solrNodes')).every(({ ready }) => ready === true)
    return isWhole ? healthy('Solr is ready') : progressing('Not all replicas are ready')
  },
}

/** Whole groups. */
export const serviceGroups: CheckTable = {
  'grafana-org-operator.kubitus-project.gitlab.io/*': firstOf(
    decideBy([when('Ready=False', 'Degraded'), when('Ready=True', 'Healthy'), when('Ready', 'Progressing')]),
    always(progressing('Waiting ...')),
  ),
  'operator.victoriametrics.com/*': victoriaHealth,
}
