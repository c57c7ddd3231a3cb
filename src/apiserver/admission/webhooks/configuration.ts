import type { AdmissionRequest } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compileSelector, type LabelSelectorObject, matchesLabels } from '../../../kube/selector.ts'
import type { ClusterReader } from '../cluster-reader.ts'

/** One webhook of a configuration, with the defaults filled in. */
export interface Webhook {
  readonly configuration: string
  readonly name: string
  readonly client: WebhookClient
  readonly rules: readonly WebhookRule[]
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly matchPolicy: 'Exact' | 'Equivalent'
  readonly namespaceSelector: LabelSelectorObject
  readonly objectSelector: LabelSelectorObject
  readonly matchConditions: readonly MatchCondition[]
  readonly timeoutMs: number
  readonly hasSideEffects: boolean
  readonly reinvocationPolicy: 'Never' | 'IfNeeded'
}

/** Where a webhook is reached. */
export interface WebhookClient {
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string; readonly path: string; readonly port: number }
  /** PEM, base64 as in the object. */
  readonly caBundle?: string
}

/** A CEL expression that spares the webhook requests that do not concern it. */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

export interface WebhookRule {
  readonly operations: readonly string[]
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly scope: string
}

const GROUP = 'admissionregistration.k8s.io'
/** Never sent to a webhook: a webhook must not be able to lock its own removal. */
const exempt = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** Tells whether webhooks may see a request at all. */
export function isExempt({ resource }: AdmissionRequest): boolean {
  return resource.group === GROUP && exempt.has(resource.plural)
}

const DEFAULT_TIMEOUT_SECONDS = 10

/** Every webhook of the mutating or validating configurations, ordered by configuration and then as written. */
export function webhooksOf(reader: ClusterReader, type: 'mutating' | 'validating'): readonly Webhook[] {
  const configurations = reader.list(GROUP, `${type}webhookconfigurations`)
  return configurations
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .flatMap((configuration) =>
      listOf(configuration).map((webhook) => readWebhook(configuration.metadata.name ?? '', webhook)),
    )
}

type Fields = Readonly<Record<string, unknown>>

const listOf = (configuration: KubeObject): readonly Fields[] =>
  Array.isArray(configuration['webhooks']) ? (configuration['webhooks'] as readonly Fields[]) : []

/** Reads a `clientConfig`, whose shape was checked when it was written, and fills in its defaults. */
export function readClient(value: unknown): WebhookClient {
  const { service, ...client } = (value ?? {}) as WebhookClient
  return {
    ...client,
    ...(service ? { service: { ...service, path: service.path ?? '/', port: service.port ?? 443 } } : {}),
  }
}

/** The shape has been validated when the configuration was written; only defaults are added here. */
function readWebhook(configuration: string, fields: Fields): Webhook {
  const seconds = typeof fields['timeoutSeconds'] === 'number' ? fields['timeoutSeconds'] : DEFAULT_TIMEOUT_SECONDS
  return {
    configuration,
    name: String(fields['name']),
    client: readClient(fields['clientConfig']),
    rules: ((fields['rules'] ?? []) as readonly Partial<WebhookRule>[]).map(readRule),
    failurePolicy: fields['failurePolicy'] === 'Ignore' ? 'Ignore' : 'Fail',
    matchPolicy: fields['matchPolicy'] === 'Exact' ? 'Exact' : 'Equivalent',
    namespaceSelector: fields['namespaceSelector'] ?? {},
    objectSelector: fields['objectSelector'] ?? {},
    matchConditions: (fields['matchConditions'] ?? []) as readonly MatchCondition[],
    timeoutMs: Math.min(Math.max(seconds, 1), 30) * 1000,
    hasSideEffects: fields['sideEffects'] !== 'None' && fields['sideEffects'] !== 'NoneOnDryRun',
    reinvocationPolicy: fields['reinvocationPolicy'] === 'IfNeeded' ? 'IfNeeded' : 'Never',
  }
}

const readRule = ({
  operations = [],
  apiGroups = [],
  apiVersions = [],
  resources = [],
  scope = '*',
}: Partial<WebhookRule>): WebhookRule => ({
  operations,
  apiGroups,
  apiVersions,
  resources,
  scope,
})

const has = (list: readonly string[], wanted: string): boolean => list.includes('*') || list.includes(wanted)

/** Tells whether a rule names what a request is about. Equivalent versions of a resource count unless told otherwise. */
export function ruleMatches(
  rule: WebhookRule,
  request: AdmissionRequest,
  matchPolicy: Webhook['matchPolicy'],
): boolean {
  const { resource, operation, namespace, subresource } = request
  if (!has(rule.operations, operation) || !has(rule.apiGroups, resource.group)) return false
  if (matchPolicy === 'Exact' && !has(rule.apiVersions, resource.version)) return false
  // A Namespace object is in no namespace, though its requests carry one.
  const isNamespaced = namespace !== undefined && !(resource.group === '' && resource.plural === 'namespaces')
  if (rule.scope === 'Namespaced' && !isNamespaced) return false
  if (rule.scope === 'Cluster' && isNamespaced) return false
  return rule.resources.some((pattern) => resourceMatches(pattern, resource.plural, subresource))
}

function resourceMatches(pattern: string, plural: string, subresource: string | undefined): boolean {
  if (pattern === '*/*') return true
  const [wanted, wantedSub] = pattern.split('/')
  if (wanted !== '*' && wanted !== plural) return false
  if (wantedSub === undefined) return subresource === undefined
  return wantedSub === '*' || wantedSub === subresource
}

/** Tells whether a webhook's rules and selectors choose a request; its match conditions are asked separately. */
export function selects(webhook: Webhook, request: AdmissionRequest, reader: ClusterReader): boolean {
  return (
    webhook.rules.some((rule) => ruleMatches(rule, request, webhook.matchPolicy)) &&
    namespaceMatches(webhook.namespaceSelector, request, reader) &&
    objectMatches(webhook.objectSelector, request)
  )
}

const isEmpty = ({ matchLabels, matchExpressions }: LabelSelectorObject): boolean =>
  Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions?.length ?? 0) === 0

/** Objects outside namespaces are always selected; a Namespace is selected by its own labels. */
export function namespaceMatches(
  selector: LabelSelectorObject,
  request: AdmissionRequest,
  reader: ClusterReader,
): boolean {
  if (isEmpty(selector)) return true
  const { resource, namespace, object, oldObject, name } = request
  const isNamespace = resource.group === '' && resource.plural === 'namespaces'
  if (!isNamespace && namespace === undefined) return true
  const labels = isNamespace
    ? (object ?? oldObject)?.metadata.labels
    : reader.get('', 'namespaces', { name: namespace ?? name })?.metadata.labels
  const compiled = compileSelector(selector)
  return compiled.ok && matchesLabels(compiled.value, labels)
}

/** Either of the two versions of the object counts, so that a label cannot be used to slip past. */
export function objectMatches(selector: LabelSelectorObject, { object, oldObject }: AdmissionRequest): boolean {
  if (isEmpty(selector)) return true
  const compiled = compileSelector(selector)
  if (!compiled.ok) return false
  return [object, oldObject].some(
    (version) => version !== undefined && matchesLabels(compiled.value, version.metadata.labels),
  )
}
