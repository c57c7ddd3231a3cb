import {
  type Check,
  type CheckTable,
  decideBy,
  degraded,
  firstOf,
  forKinds,
  health,
  healthy,
  progressing,
  suspended,
  when,
} from '../notation.ts'
import {
  asFields,
  asObjects,
  at,
  conditionsIn,
  conditionsOf,
  type Fields,
  type Seen,
  shown,
  textAt,
} from '../reading.ts'
import type { HealthStatus } from '../status.ts'

/** What keeps a route, listener or gateway from working, said behind a prefix. */
function obstacle(conditions: readonly Seen[], prefix: string, thing: string): HealthStatus | undefined {
  for (const wanted of ['ResolvedRefs', 'Accepted']) {
    const failed = conditions.find(({ type, status }) => type === wanted && status === 'False')
    if (failed) return degraded(`${prefix}${failed.message ?? `Failed condition: ${wanted}`}`)
  }
  const pending = conditions.find(({ type, status }) => type === 'Programmed' && status !== 'True')
  return pending ? progressing(`${prefix}${pending.message ?? `${thing} is still being programmed`}`) : undefined
}

/** Tells whether conditions speak of the present generation; those that do not say are believed. */
function isCurrent(object: Fields, conditions: readonly Seen[]): boolean {
  const generation = at(object, 'metadata.generation')
  if (generation === undefined) return true
  return (
    conditions.length > 0 &&
    conditions.every(({ observedGeneration: seen }) => seen === undefined || seen === generation)
  )
}

/** A route is well when every parent of the present generation takes it. */
function routeHealth(kind: string, checksGeneration: boolean): Check {
  return (object) => {
    const parents = asObjects(at(object, 'status.parents')).map((parent) => ({
      name: shown(at(parent, 'parentRef.name')),
      conditions: conditionsIn(parent['conditions']),
    }))
    const current = checksGeneration ? parents.filter(({ conditions }) => isCurrent(object, conditions)) : parents
    for (const { name, conditions } of current) {
      const found = obstacle(conditions, `Parent ${name}: `, 'Route')
      if (found) return found
    }
    return current.some(({ conditions }) => conditions.length > 0)
      ? healthy(`${kind} is healthy`)
      : progressing(`Waiting for ${kind} status`)
  }
}

function gatewayHealth(object: Fields): HealthStatus {
  const own = obstacle(conditionsOf(object), '', 'Gateway')
  if (own) return own
  const listeners = asObjects(at(object, 'status.listeners'))
  for (const listener of listeners) {
    const found = obstacle(conditionsIn(listener['conditions']), 'Listener: ', 'Listener')
    if (found) return found
  }
  return at(object, 'status.conditions') !== undefined || listeners.length > 0
    ? healthy('Gateway is healthy')
    : progressing('Waiting for Gateway status')
}

function gatewayClassHealth(object: Fields): HealthStatus {
  const generation = at(object, 'metadata.generation')
  const accepted = conditionsOf(object).find(
    ({ type, observedGeneration: seen }) =>
      type === 'Accepted' && (generation === undefined || seen === undefined || seen === generation),
  )
  const { status, message } = accepted ?? {}
  if (status === 'True') return healthy(message ?? 'GatewayClass is accepted')
  if (status === 'False') return degraded(message ?? 'GatewayClass is not accepted')
  return progressing(message ?? 'Waiting for GatewayClass status')
}

interface Policy {
  readonly kind: string
  /** A condition without a generation is one that was not updated. */
  readonly mustSayGeneration: boolean
  /** An ancestor that says nothing about acceptance has refused. */
  readonly mustBeAccepted: boolean
}

/** A policy is well when every ancestor accepts it. */
function policyHealth(object: Fields, { kind, mustSayGeneration, mustBeAccepted }: Policy): HealthStatus {
  const generation = at(object, 'metadata.generation')
  const ancestors = asObjects(at(object, 'status.ancestors')).map((ancestor) => ({
    name: shown(at(ancestor, 'ancestorRef.name')),
    conditions: conditionsIn(ancestor['conditions']),
  }))
  const isStale = ({ observedGeneration: seen }: Seen): boolean =>
    generation !== undefined && (seen === undefined ? mustSayGeneration : seen !== generation)
  const late = ancestors.find(({ conditions }) => conditions.some(isStale))
  if (late) return progressing(`Waiting for Ancestor ${late.name} to update ${kind} status`)
  let found = progressing(`Waiting for ${kind} status`)
  for (const { name, conditions } of ancestors) {
    const refused = conditions.find(
      ({ type, status }) => (type === 'Accepted' || type === 'ResolvedRefs') && status !== 'True',
    )
    if (refused) return degraded(`Ancestor ${name}: ${shown(refused.message)}`)
    if (conditions.some(({ type }) => type === 'Accepted')) found = healthy(`${kind} is healthy`)
    else if (mustBeAccepted) found = degraded(`Ancestor ${name}: ${kind} is not accepted`)
  }
  return found
}

/** Of Airlock's kinds only the policies have a status. */
function airlockHealth(object: Fields): HealthStatus {
  const kind = shown(object['kind'])
  if (!kind.endsWith('Policy')) return healthy(`${kind} is healthy`)
  return policyHealth(object, { kind, mustSayGeneration: true, mustBeAccepted: true })
}

/** Gloo writes its states by name or by number. */
function glooState(status: Fields): HealthStatus | undefined {
  const { state } = status
  if (state === 'Accepted' || state === 1) return healthy('The resource has been validated')
  if (state === 'Pending' || state === 0) return suspended('The resource has not yet been validated')
  const isBad = state === 'Warning' || state === 'Rejected' || state === 2 || state === 3
  return isBad ? degraded(textAt(status, 'reason')) : undefined
}

function glooHealth(object: Fields): HealthStatus {
  for (const status of Object.values(asFields(at(object, 'status.statuses')))) {
    const found = glooState(asFields(status))
    if (found) return found
  }
  return glooState(asFields(object['status'])) ?? progressing('Update in progress')
}

/** Contour's conditions count only for the present generation. */
const contourConditions = (object: Fields): readonly Seen[] =>
  conditionsOf(object).filter(({ observedGeneration: seen }) => seen === at(object, 'metadata.generation'))

/** A proxy that includes others depends on them, and they on it: an invalid one of those is not ill by itself. */
function proxyHealth(object: Fields): HealthStatus {
  const description = textAt(object, 'status.description')
  let found = progressing('Waiting for status')
  if (at(object, 'status.conditions') === undefined) {
    return at(object, 'status.currentStatus') === undefined ? found : progressing(description)
  }
  for (const { type, status } of contourConditions(object)) {
    if (type === 'Valid' && status === 'True') return healthy(description)
    if (at(object, 'spec.includes') !== undefined && status === 'False') {
      found = healthy('HTTPProxy inclusions cannot be health checked')
    } else if (type === 'Valid' && status === 'False') {
      return degraded(description)
    }
  }
  return found
}

function openshiftRouteHealth(object: Fields): HealthStatus {
  const waiting = progressing('Route is still getting admitted')
  if (at(object, 'status.ingress') === undefined) return waiting
  const ingresses = asObjects(at(object, 'status.ingress'))
  const admitted = ingresses.flatMap(({ conditions }) =>
    conditionsIn(conditions).filter(({ type }) => type === 'Admitted'),
  )
  if (admitted.filter(({ status }) => status === 'True').length === ingresses.length) return healthy('Route is healthy')
  return admitted.some(({ status }) => status === 'False') ? degraded('Route is degraded') : waiting
}

/** How traffic comes in. */
export const gatewayChecks: CheckTable = {
  'gateway.networking.k8s.io/BackendTLSPolicy': (object) =>
    policyHealth(object, { kind: 'BackendTLSPolicy', mustSayGeneration: false, mustBeAccepted: false }),
  'gateway.networking.k8s.io/GRPCRoute': routeHealth('GRPCRoute', false),
  'gateway.networking.k8s.io/HTTPRoute': routeHealth('HTTPRoute', true),
  'gateway.networking.k8s.io/Gateway': gatewayHealth,
  'gateway.networking.k8s.io/GatewayClass': gatewayClassHealth,
  ...forKinds(
    'gateway.solo.io',
    ['Gateway', 'MatchableHttpGateway', 'RouteOption', 'RouteTable', 'VirtualHostOption', 'VirtualService'],
    () => glooHealth,
  ),
  ...forKinds('gloo.solo.io', ['Proxy', 'Settings', 'Upstream', 'UpstreamGroup'], () => glooHealth),
  'projectcontour.io/ExtensionService': firstOf(
    decideBy([when('Valid=True', 'Healthy'), when('Valid=False', 'Degraded')], contourConditions),
    () => progressing('Waiting for status'),
  ),
  'projectcontour.io/HTTPProxy': proxyHealth,
  'route.openshift.io/Route': openshiftRouteHealth,
  'operator.openshift.io/IngressController': firstOf(
    decideBy([
      when('Degraded=True', 'Degraded'),
      when('DeploymentReplicasAllAvailable=False', 'Progressing'),
      when('Progressing=True', 'Progressing', ({ reason }) => reason),
      when('Available=True', 'Healthy', 'IngressController is available'),
    ]),
    () => progressing('Status of IngressController is not known yet'),
  ),
  'networking.gke.io/ManagedCertificate': (object) => {
    const isLost = asObjects(at(object, 'status.domainStatus')).some(({ status }) => status === 'FailedNotVisible')
    if (isLost) return degraded('At least one certificate has failed to be provisioned')
    return at(object, 'status.certificateStatus') === 'Active'
      ? health('Healthy', 'All certificates are active')
      : progressing('At least one certificate is still being provisioned')
  },
}

/** Whole groups. */
export const gatewayGroups: CheckTable = { 'microgateway.airlock.com/*': airlockHealth }
