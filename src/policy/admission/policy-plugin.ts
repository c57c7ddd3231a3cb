import type { AdmissionPlugin, AdmissionRequest, Mutation, Verdict } from '../../kube/admission.ts'
import { matchesLabels } from '../../kube/selector.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Catalog, PolicyCatalog } from '../catalog/policy-catalog.ts'
import type { PolicySource } from '../catalog/policy-source.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import { nobody, type PolicyRequest } from '../engine/policy-request.ts'
import { policyKey, type PolicyResponse } from '../engine/rule-response.ts'
import type { SetResponse } from '../engine/policy-set.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import { evaluateFully, type FetchFacts } from '../facts/evaluate-fully.ts'
import type { PolicySettings } from '../settings/policy-settings.ts'
import { parentKind, subjectFor } from './subresource.ts'
import { isFollowed } from '../requests/follow-objects.ts'
import { isFiltered } from '../settings/resource-filter.ts'
import type { UserRoles } from '../settings/user-roles.ts'
import type { PolicyMetrics } from '../metrics.ts'
import { blockedMessage, celMessages, denial, isBlocking, isCel, undecidable, warningsOf } from './messages.ts'
import { withoutEmptied } from './emptied-lists.ts'

/** What was said of a request that went through, or did not: for reports, Events and the work of the background. */
export interface Judged {
  readonly phase: 'mutate' | 'validate'
  readonly request: PolicyRequest
  readonly responses: readonly PolicyResponse[]
  readonly isDenied: boolean
  readonly catalog: Catalog
}

/** What admission works with. */
export interface PolicyPluginPorts {
  readonly catalog: Pick<PolicyCatalog, 'current'>
  readonly source: PolicySource
  readonly settings: () => PolicySettings
  readonly users: UserRoles
  readonly fetch: (signal: AbortSignal) => FetchFacts
  readonly clock: Clock
  readonly worldOf: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly log: Log
  readonly metrics: PolicyMetrics
  /** Hears of every request that policies had to do with, unless it is only tried. */
  readonly judged: (judged: Judged) => void
}

/** The kinds of policies are judged as policies, not by policies. */
const ownGroups = new Set([
  'kyverno.io',
  'policies.kyverno.io',
  'reports.kyverno.io',
  'wgpolicyk8s.io',
  'openreports.io',
])
/** A cluster must stay mendable: nothing stands between an administrator and these. */
const guardedGroups = new Set(['admissionregistration.k8s.io'])

/** Policies inside the API server: what Kyverno does behind webhooks, without the way there, so that it cannot be down. */
export function policyPlugin(ports: PolicyPluginPorts): AdmissionPlugin {
  const { catalog, settings } = ports

  return {
    name: 'Kyverno',
    handles(request) {
      if (request.operation === 'CONNECT' && request.subresource === undefined) return false
      const { set } = catalog.current()
      if (set.policies.length === 0 || !isGoverned(request, ports)) return false
      if (isFollowed(request.oldObject)) return true
      const about = sketchOf(request)
      if (phases.some((phase) => set.concerned(phase, about).length > 0)) return true
      // What was generated because of an object may go with it, although its policy does not ask for deletions.
      return request.operation === 'DELETE' && set.concerned('generate', { ...about, operation: 'CREATE' }).length > 0
    },
    mutate: (request, signal) => mutate(request, ports, signal),
    validate: (request, signal) => validate(request, ports, signal),
  }

  /** Whether policies may look at a request at all: what is filtered, who is excluded, where they do not reach. */
  function isGoverned(request: AdmissionRequest, { source }: PolicyPluginPorts): boolean {
    const { kind, namespace, resource, user } = request
    if (ownGroups.has(resource.group) || guardedGroups.has(resource.group)) return false
    const current = settings()
    if (isExcluded(user.groups, current.excludeGroups) || isExcluded([user.username], current.excludeUsernames)) {
      return false
    }
    const isNamespace = kind.kind === 'Namespace' && resource.group === ''
    const object = request.object ?? request.oldObject
    const labels = isNamespace
      ? object?.metadata.labels
      : namespace === undefined
        ? undefined
        : source.get('', 'namespaces', { name: namespace })?.metadata.labels
    if ((isNamespace || namespace !== undefined) && !matchesLabels(current.namespaceSelector, labels ?? {}))
      return false
    return !isFiltered(current.filters, { ...request, name: nameOf(request) })
  }
}

const isExcluded = (values: readonly string[], patterns: readonly string[]): boolean =>
  patterns.some((pattern) => values.some((value) => matchesWildcard(pattern, value)))

const nameOf = ({ name, object }: AdmissionRequest): string =>
  name || object?.metadata.name || object?.metadata.generateName || ''

const phases: readonly Phase[] = ['validate', 'mutate', 'generate', 'mutate-existing']

/** As much of a request as tells which policies it concerns. */
const sketchOf = (request: AdmissionRequest): PolicyRequest => ({
  ...request,
  source: 'admission',
  kind: parentKind(request),
  user: nobody,
})

/** The request as policies see it. */
export function requestOf(
  request: AdmissionRequest,
  { users, source }: Pick<PolicyPluginPorts, 'users' | 'source'>,
): PolicyRequest {
  const { namespace } = request
  const kind = parentKind(request)
  const isNamespace = kind.kind === 'Namespace' && kind.group === ''
  const namespaceObject =
    namespace === undefined || isNamespace ? undefined : source.get('', 'namespaces', { name: namespace })
  return {
    source: 'admission',
    operation: request.operation,
    kind,
    resource: request.resource,
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    name: nameOf(request),
    ...(request.object ? { object: subjectFor(request, request.object) } : {}),
    ...(request.oldObject ? { oldObject: subjectFor(request, request.oldObject) } : {}),
    user: users.of(request.user),
    ...(namespaceObject ? { namespaceObject } : {}),
    uid: request.uid,
    dryRun: request.dryRun,
    options: request.options,
  }
}

async function ask(
  phase: Phase,
  request: PolicyRequest,
  ports: PolicyPluginPorts,
  signal: AbortSignal,
): Promise<{ readonly answer: SetResponse; readonly catalog: Catalog }> {
  const catalog = ports.catalog.current()
  const world = ports.worldOf(catalog)
  const admission = {
    evaluate: (asked: Phase, about: PolicyRequest, known: PolicyWorld) =>
      catalog.set.evaluate(asked, about, known, isForAdmission),
  }
  const answer = await evaluateFully(admission, phase, request, { world, fetch: ports.fetch(signal) })
  return { answer, catalog }
}

const isForAdmission = (policy: CompiledPolicy): boolean => policy.isAdmission

function failurePolicies({ set }: Catalog): ReadonlyMap<string, 'Fail' | 'Ignore'> {
  const known = failurePoliciesOf.get(set)
  if (known) return known
  const made = new Map(
    set.policies.map(({ identity, failurePolicy }) => [`${identity.kind} ${policyKey(identity)}`, failurePolicy]),
  )
  failurePoliciesOf.set(set, made)
  return made
}
const failurePoliciesOf = new WeakMap<Catalog['set'], ReadonlyMap<string, 'Fail' | 'Ignore'>>()

const failurePolicyOf = (catalog: Catalog, { policy }: PolicyResponse): 'Fail' | 'Ignore' =>
  failurePolicies(catalog).get(`${policy.kind} ${policyKey(policy)}`) ?? 'Fail'

async function mutate(request: AdmissionRequest, ports: PolicyPluginPorts, signal: AbortSignal): Promise<Mutation> {
  // The number of replicas is judged, not changed.
  if (!request.object || request.subresource === 'scale') return { allowed: true }
  const began = ports.clock.now()
  const about = requestOf(request, ports)
  const { answer, catalog } = await ask('mutate', about, ports, signal)
  const { policies: responses } = answer
  if (responses.length === 0) return { allowed: true }
  ports.metrics.reviewed(responses, about, ports.clock.now() - began)
  for (const response of responses) {
    const failed = response.rules.filter(
      ({ verdict }) => (verdict === 'error' || verdict === 'fail') && failurePolicyOf(catalog, response) === 'Fail',
    )
    if (failed.length === 0) continue
    ports.judged({ phase: 'mutate', request: about, responses: [response], isDenied: true, catalog })
    return { allowed: false, status: mutationDenial(response, about) }
  }
  const warnings = warningsOf(responses)
  if (!request.dryRun) ports.judged({ phase: 'mutate', request: about, responses, isDenied: false, catalog })
  return {
    allowed: true,
    ...(answer.object && answer.object !== request.object ? { object: withoutEmptied(request, answer.object) } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  }
}

function mutationDenial(response: PolicyResponse, { namespace, name, kind }: PolicyRequest): ReturnType<typeof denial> {
  const failed = response.rules.filter(({ verdict }) => verdict === 'error' || verdict === 'fail')
  const told = failed.map(({ rule, message }) => `${rule}: ${message}`).join(' ')
  const who = response.policy.name
  if (!isCel(response)) {
    return denial(
      'mutate.kyverno.svc-fail',
      `mutation policy ${who} error: failed to apply policy ${who} rules [${told}]`,
    )
  }
  const errors = failed.map(({ message }) => `Policy ${who}: ${message}`).join(' ')
  return denial(
    'mpol.mutate.kyverno.svc-fail',
    `Resource: ${namespace ?? ''}/${name}, Kind: ${kind.kind}, Errors: [${errors}]`,
  )
}

async function validate(request: AdmissionRequest, ports: PolicyPluginPorts, signal: AbortSignal): Promise<Verdict> {
  const began = ports.clock.now()
  const about = requestOf(request, ports)
  const { answer, catalog } = await ask('validate', about, ports, signal)
  const { policies: responses } = answer
  if (responses.length > 0) ports.metrics.reviewed(responses, about, ports.clock.now() - began)
  const blocking = responses.filter((response) =>
    response.rules.some((rule) => isBlocking(rule, failurePolicyOf(catalog, response))),
  )
  if (blocking.length > 0) {
    if (!request.dryRun) ports.judged({ phase: 'validate', request: about, responses, isDenied: true, catalog })
    return {
      allowed: false,
      status: validationDenial(blocking, about, catalog),
      warnings: warningsOf(responses.filter(isCel)),
    }
  }
  if (!request.dryRun) ports.judged({ phase: 'validate', request: about, responses, isDenied: false, catalog })
  const warnings = warningsOf(responses)
  const annotations = responses.flatMap(({ rules }) =>
    rules.flatMap(({ auditAnnotations }) => (auditAnnotations ? [auditAnnotations] : [])),
  )
  return {
    allowed: true,
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(annotations.length > 0
      ? { auditAnnotations: Object.assign({}, ...annotations) as Record<string, string> }
      : {}),
  }
}

/** Classic policies are told together, as one webhook would; those in CEL by another one. */
function validationDenial(
  blocking: readonly PolicyResponse[],
  request: PolicyRequest,
  catalog: Catalog,
): ReturnType<typeof denial> {
  const classic = blocking.filter((response) => !isCel(response))
  if (classic.length > 0) {
    const suffix = classic.some((response) => failurePolicyOf(catalog, response) === 'Fail') ? 'fail' : 'ignore'
    return denial(`validate.kyverno.svc-${suffix}`, blockedMessage(request, classic))
  }
  const undecided = blocking.flatMap(({ rules }) => rules.filter(({ isUndecided }) => isUndecided === true))
  if (undecided.length > 0) return undecidable(request, undecided)
  const suffix = blocking.some((response) => failurePolicyOf(catalog, response) === 'Fail') ? 'fail' : 'ignore'
  const told = blocking.flatMap((response) =>
    celMessages(response, (rule) => isBlocking(rule, failurePolicyOf(catalog, response))),
  )
  return denial(`vpol.validate.kyverno.svc-${suffix}`, told.join('; '))
}
