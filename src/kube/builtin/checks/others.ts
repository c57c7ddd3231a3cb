import ipaddr from 'ipaddr.js'
import { isEqual } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkPathSegment,
  checkPortName,
  checkQualifiedName,
} from '../../names.ts'
import { type FieldError, invalid, notSupported } from '../../schema/field-error.ts'
import { fieldsOf } from '../defaulting.ts'
import { checkAtMostWhole, checkCountOrPercent, checkPort, checkSelector, type Part } from './report.ts'

// Semantics: kubernetes 1.36, pkg/apis/{rbac,networking,policy,autoscaling,storage,scheduling,admissionregistration,coordination}/validation.

const RBAC = 'rbac.authorization.k8s.io'

function role(object: Part): void {
  const isNamespaced = object.text('kind') === 'Role'
  for (const rule of object.parts('rules')) {
    if (rule.list('verbs').length === 0) rule.required('verbs', 'verbs must contain at least one value')
    const urls = rule.list('nonResourceURLs').length
    if (urls > 0) {
      if (isNamespaced) {
        rule.invalid('nonResourceURLs', 'namespaced rules cannot apply to non-resource URLs')
      }
      const others = ['apiGroups', 'resources', 'resourceNames'].some((name) => rule.list(name).length > 0)
      if (others) rule.invalid('nonResourceURLs', 'rules cannot apply to both regular resources and non-resource URLs')
      continue
    }
    if (rule.list('apiGroups').length === 0) {
      rule.required('apiGroups', 'resource rules must supply at least one api group')
    }
    if (rule.list('resources').length === 0) {
      rule.required('resources', 'resource rules must supply at least one resource')
    }
  }
  if (!object.has('aggregationRule')) return
  const selectors = object.part('aggregationRule').parts('clusterRoleSelectors')
  if (selectors.length === 0)
    object.required(
      'aggregationRule.clusterRoleSelectors',
      'at least one clusterRoleSelector required if aggregationRule is non-nil',
    )
  for (const selector of selectors) checkSelector(selector)
}

function binding(object: Part): void {
  const isCluster = object.text('kind') === 'ClusterRoleBinding'
  const reference = object.part('roleRef')
  reference.oneOf('apiGroup', [RBAC])
  reference.oneOf('kind', isCluster ? ['ClusterRole'] : ['Role', 'ClusterRole'], true)
  reference.name('name', checkPathSegment)
  for (const subject of object.parts('subjects')) {
    const kind = subject.text('kind')
    if (subject.text('name') === '') subject.required('name')
    if (kind === 'ServiceAccount') {
      subject.name('name', checkDnsSubdomain, false)
      subject.oneOf('apiGroup', [''])
      if (isCluster && subject.text('namespace') === '') subject.required('namespace')
    } else if (kind === 'User' || kind === 'Group') subject.oneOf('apiGroup', [RBAC])
    else subject.problems.push(notSupported(subject.place('kind'), kind, ['ServiceAccount', 'User', 'Group']))
  }
}

function bindingUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  if (!isEqual(next['roleRef'], old['roleRef']))
    problems.push(invalid('roleRef', next['roleRef'], 'cannot change roleRef'))
}

const POLICY_TYPES = ['Ingress', 'Egress'] as const

function networkPolicy(object: Part): void {
  const spec = object.part('spec')
  checkSelector(spec.part('podSelector'))
  for (const [list, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const rule of spec.parts(list)) {
      for (const port of rule.parts('ports')) networkPort(port)
      for (const peer of rule.parts(peers)) networkPeer(peer)
    }
  }
  for (const [index, type] of spec.list('policyTypes').entries()) {
    if (!POLICY_TYPES.some((one) => one === type)) {
      spec.problems.push(notSupported(`${spec.place('policyTypes')}[${index}]`, type, POLICY_TYPES))
    }
  }
}

function networkPort(port: Part): void {
  port.oneOf('protocol', ['TCP', 'UDP', 'SCTP'])
  checkPort(port, 'port', checkPortName)
  const end = port.number('endPort')
  if (end === undefined) return
  const start = port.number('port')
  if (!port.has('port')) port.invalid('endPort', 'may not be specified when `port` is not specified')
  else if (start === undefined) port.invalid('endPort', 'may not be specified when `port` is non-numeric')
  else if (end < start) port.invalid('endPort', 'must be greater than or equal to `port`')
  port.between('endPort', 1, 65_535)
}

type Cidr = ReturnType<typeof ipaddr.parseCIDR>

function cidrOf(text: string): Cidr | undefined {
  return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined
}

/** Tells whether the second range lies inside the first and is smaller. */
function contains([network, bits]: Cidr, [address, more]: Cidr): boolean {
  return network.kind() === address.kind() && bits < more && address.match(network, bits)
}

function networkPeer(peer: Part): void {
  const given = ['podSelector', 'namespaceSelector', 'ipBlock'].filter((name) => peer.has(name))
  if (given.length === 0) peer.required('', 'must specify a peer')
  else if (given.length > 1 && peer.has('ipBlock')) peer.forbidden('', 'may not specify both ipBlock and another peer')
  for (const name of ['podSelector', 'namespaceSelector']) if (peer.has(name)) checkSelector(peer.part(name))
  if (!peer.has('ipBlock')) return
  const block = peer.part('ipBlock')
  const range = cidrOf(block.text('cidr'))
  if (block.text('cidr') === '') block.required('cidr')
  else if (!range) block.invalid('cidr', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')
  for (const [index, text] of block.list('except').entries()) {
    const hole = typeof text === 'string' ? cidrOf(text) : undefined
    if (!hole)
      block.invalid(`except[${index}]`, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)', text)
    else if (range && !contains(range, hole))
      block.invalid(`except[${index}]`, 'must be a strict subset of `cidr`', text)
  }
}

const WILDCARD = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function checkHost(part: Part, name: string, host: unknown): void {
  if (typeof host !== 'string' || host === '') return
  if (host.includes('*')) {
    if (!WILDCARD.test(host)) {
      part.invalid(
        name,
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com')",
        host,
      )
    }
    return
  }
  if (ipaddr.isValid(host)) part.invalid(name, 'must be a DNS name, not an IP address', host)
  else for (const because of checkDnsSubdomain(host)) part.invalid(name, because, host)
}

function ingress(object: Part): void {
  const spec = object.part('spec')
  if (spec.list('rules').length === 0 && !spec.has('defaultBackend')) {
    spec.invalid('', 'either `defaultBackend` or `rules` must be specified', [])
  }
  if (spec.has('defaultBackend')) backend(spec.part('defaultBackend'))
  spec.name('ingressClassName', checkDnsSubdomain, false)
  for (const rule of spec.parts('rules')) {
    checkHost(rule, 'host', rule.fields['host'])
    if (!rule.has('http')) continue
    const paths = rule.part('http').parts('paths')
    if (paths.length === 0) rule.required('http.paths')
    for (const path of paths) ingressPath(path)
  }
  for (const tls of spec.parts('tls')) {
    for (const [index, host] of tls.list('hosts').entries()) checkHost(tls, `hosts[${index}]`, host)
    tls.name('secretName', checkDnsSubdomain, false)
  }
}

function ingressPath(path: Part): void {
  const [type, text] = [path.text('pathType'), path.text('path')]
  path.oneOf('pathType', ['Exact', 'ImplementationSpecific', 'Prefix'], true)
  if ((type === 'Exact' || type === 'Prefix') && !text.startsWith('/')) {
    path.invalid('path', 'must be an absolute path', text)
  } else if (type === 'Exact' || type === 'Prefix') {
    for (const part of ['//', '/./', '/../', '%2f', '%2F']) {
      if (text.includes(part)) path.invalid('path', `must not contain '${part}'`)
    }
    for (const end of ['/..', '/.']) if (text.endsWith(end)) path.invalid('path', `cannot end with '${end}'`)
  } else if (text !== '' && !text.startsWith('/')) path.invalid('path', 'must be an absolute path')
  backend(path.part('backend'))
}

function backend(part: Part): void {
  const [hasService, hasResource] = [part.has('service'), part.has('resource')]
  if (hasService && hasResource) part.invalid('', 'cannot set both resource and service backends', '')
  else if (!hasService && !hasResource) part.required('', 'must specify a backend: `service` or `resource`')
  if (!hasService) return
  const service = part.part('service')
  service.name('name', checkDns1035Label)
  const port = service.part('port')
  if (port.text('name') !== '' && (port.number('number') ?? 0) > 0)
    service.invalid('port', 'cannot set both port name & port number', '')
  else if (port.text('name') !== '')
    for (const because of checkPortName(port.text('name'))) port.invalid('name', because)
  else if (!port.number('number')) service.required('port', 'port name or number is required')
  else port.between('number', 1, 65_535)
}

function disruptionBudget(object: Part): void {
  const spec = object.part('spec')
  if (spec.has('minAvailable') && spec.has('maxUnavailable')) {
    spec.invalid('', 'minAvailable and maxUnavailable cannot be both set', spec.fields)
  }
  for (const name of ['minAvailable', 'maxUnavailable']) {
    checkCountOrPercent(spec, name)
    checkAtMostWhole(spec, name)
  }
  checkSelector(spec.part('selector'))
  spec.oneOf('unhealthyPodEvictionPolicy', ['AlwaysAllow', 'IfHealthyBudget'])
}

function autoscaler(object: Part): void {
  const spec = object.part('spec')
  const [least, most] = [spec.number('minReplicas'), spec.number('maxReplicas') ?? 0]
  if (least !== undefined && least < 1) spec.invalid('minReplicas', 'must be greater than or equal to 1')
  if (most < 1) spec.invalid('maxReplicas', 'must be greater than 0', most)
  else if (least !== undefined && most < least)
    spec.invalid('maxReplicas', 'must be greater than or equal to `minReplicas`')
  const target = spec.part('scaleTargetRef')
  target.name('kind', checkPathSegment)
  target.name('name', checkPathSegment)
  for (const metric of spec.parts('metrics')) {
    metric.oneOf('type', ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'], true)
    const type = metric.text('type')
    const field = type === '' ? '' : `${type.charAt(0).toLowerCase()}${type.slice(1)}`
    if (field !== '' && !metric.has(field)) metric.required(field, `must populate the given metric source (${field})`)
  }
  for (const name of ['scaleUp', 'scaleDown']) {
    const rules = spec.part('behavior').part(name)
    if (rules.has('stabilizationWindowSeconds')) rules.between('stabilizationWindowSeconds', 0, 3_600)
    rules.oneOf('selectPolicy', ['Disabled', 'Max', 'Min'])
    for (const policy of rules.parts('policies')) {
      policy.oneOf('type', ['Percent', 'Pods'], true)
      policy.positive('value', 'periodSeconds')
    }
  }
}

function storageClass(object: Part): void {
  if (object.text('provisioner') === '') object.required('provisioner')
  object.oneOf('reclaimPolicy', ['Delete', 'Retain'])
  object.oneOf('volumeBindingMode', ['Immediate', 'WaitForFirstConsumer'], true)
}

const fixedFields =
  (...names: readonly string[]) =>
  (next: KubeObject, old: KubeObject, problems: FieldError[]): void => {
    for (const name of names) {
      if (!isEqual(next[name], old[name])) problems.push(invalid(name, next[name] ?? '', 'field is immutable'))
    }
  }

/** Values above this are for the system's own classes. */
const HIGHEST_PRIORITY = 1_000_000_000
const systemClasses: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])

function priorityClass(object: Part): void {
  const name = object.part('metadata').text('name')
  const value = object.number('value') ?? 0
  if (name.startsWith('system-')) {
    if (systemClasses.get(name) !== value) {
      object.forbidden(
        'metadata.name',
        "priority class names with 'system-' prefix are reserved for system use only. error: " +
          `${name} is not a known system priority class with the value ${value}`,
      )
    }
  } else if (value > HIGHEST_PRIORITY) {
    object.forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_PRIORITY}`)
  }
  object.oneOf('preemptionPolicy', ['Never', 'PreemptLowerPriority'])
}

function lease(object: Part): void {
  const spec = object.part('spec')
  for (const name of ['leaseDurationSeconds']) {
    if (spec.has(name) && (spec.number(name) ?? 0) <= 0) spec.invalid(name, 'must be greater than 0')
  }
  spec.notNegative('leaseTransitions')
}

function webhooks(object: Part): void {
  const names = new Set<string>()
  for (const hook of object.parts('webhooks')) {
    const name = hook.text('name')
    if (name === '') hook.required('name')
    else {
      for (const because of checkDnsSubdomain(name)) hook.invalid('name', because)
      if (name.split('.').length < 3)
        hook.invalid('name', 'should be a domain with at least three segments separated by dots')
      if (names.has(name)) hook.invalid('name', 'must be unique among webhooks')
    }
    names.add(name)
    hook.oneOf('failurePolicy', ['Fail', 'Ignore'])
    hook.oneOf('matchPolicy', ['Equivalent', 'Exact'])
    hook.oneOf('reinvocationPolicy', ['IfNeeded', 'Never'])
    hook.oneOf('sideEffects', ['None', 'NoneOnDryRun'], true)
    if (hook.has('timeoutSeconds')) hook.between('timeoutSeconds', 1, 30)
    const versions = hook.list('admissionReviewVersions')
    if (versions.length === 0) hook.required('admissionReviewVersions', 'must specify one of v1, v1beta1')
    else if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
      hook.invalid('admissionReviewVersions', 'must include at least one of v1, v1beta1')
    }
    for (const name of ['namespaceSelector', 'objectSelector']) checkSelector(hook.part(name))
    for (const rule of hook.parts('rules')) checkRule(rule)
    clientConfig(hook.part('clientConfig'))
  }
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'] as const

function checkRule(rule: Part): void {
  const operations = rule.list('operations')
  if (operations.length === 0) rule.required('operations')
  if (operations.length > 1 && operations.includes('*')) {
    rule.invalid('operations', "if '*' is present, must not specify other operations")
  }
  for (const [index, operation] of operations.entries()) {
    if (!OPERATIONS.some((one) => one === operation)) {
      rule.problems.push(notSupported(`${rule.place('operations')}[${index}]`, operation, OPERATIONS))
    }
  }
  for (const name of ['apiGroups', 'apiVersions', 'resources']) {
    const list = rule.list(name)
    if (list.length === 0) rule.required(name)
    if (name !== 'resources' && list.length > 1 && list.includes('*')) {
      rule.invalid(
        name,
        `if '*' is present, must not specify other ${name === 'apiGroups' ? 'API groups' : 'API versions'}`,
      )
    }
  }
  rule.oneOf('scope', ['*', 'Cluster', 'Namespaced'])
}

function clientConfig(config: Part): void {
  const [hasUrl, hasService] = [config.has('url'), config.has('service')]
  if (hasUrl === hasService) config.required('', 'exactly one of url or service is required')
  else if (hasUrl) {
    if (!URL.canParse(config.text('url')))
      config.invalid('url', 'url must be a valid URL. Desired format: https://host[/path]')
    else if (new URL(config.text('url')).protocol !== 'https:') {
      config.invalid('url', "'https' is the only allowed URL scheme. Desired format: https://host[/path]")
    }
  } else {
    const service = config.part('service')
    for (const name of ['name', 'namespace']) if (service.text(name) === '') service.required(name)
    if (service.has('port')) service.between('port', 1, 65_535)
  }
}

function admissionPolicy(object: Part): void {
  const spec = object.part('spec')
  spec.oneOf('failurePolicy', ['Fail', 'Ignore'])
  const validations = spec.parts('validations')
  if (
    object.text('kind') === 'ValidatingAdmissionPolicy' &&
    validations.length === 0 &&
    spec.list('auditAnnotations').length === 0
  ) {
    spec.required('validations', 'validations or auditAnnotations must be non-empty')
  }
  if (!spec.has('matchConstraints')) spec.required('matchConstraints')
  else {
    const rules = spec.part('matchConstraints').parts('resourceRules')
    if (rules.length === 0) spec.required('matchConstraints.resourceRules')
    for (const rule of rules) checkRule(rule)
  }
  for (const validation of validations) {
    if (validation.text('expression').trim() === '') validation.required('expression', 'expression is not specified')
    validation.oneOf('reason', ['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge'])
  }
  const names = new Set<string>()
  for (const list of ['variables', 'matchConditions']) {
    for (const one of spec.parts(list)) {
      if (one.text('name') === '') one.required('name')
      else if (list === 'matchConditions')
        for (const because of checkQualifiedName(one.text('name'))) one.invalid('name', because)
      if (names.has(`${list}/${one.text('name')}`)) one.invalid('name', 'must be unique')
      names.add(`${list}/${one.text('name')}`)
      if (one.text('expression').trim() === '') one.required('expression')
    }
  }
}

function policyBinding(object: Part): void {
  const spec = object.part('spec')
  if (spec.text('policyName') === '') spec.required('policyName')
  if (object.text('kind') === 'ValidatingAdmissionPolicyBinding') {
    const actions = spec.list('validationActions')
    if (actions.length === 0) spec.required('validationActions')
    for (const [index, action] of actions.entries()) {
      const known = ['Audit', 'Deny', 'Warn']
      if (!known.includes(String(action)))
        spec.problems.push(notSupported(`${spec.place('validationActions')}[${index}]`, action, known))
    }
    if (actions.includes('Deny') && actions.includes('Warn')) {
      spec.invalid(
        'validationActions',
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      )
    }
  }
  const reference = spec.part('paramRef')
  if (!spec.has('paramRef')) return
  if (reference.has('name') === reference.has('selector'))
    reference.required('name', 'one of name or selector must be specified')
  reference.oneOf('parameterNotFoundAction', ['Allow', 'Deny'], true)
}

function endpointSlice(object: Part): void {
  object.oneOf('addressType', ['FQDN', 'IPv4', 'IPv6'], true)
  for (const endpoint of object.parts('endpoints')) {
    if (endpoint.list('addresses').length === 0) endpoint.required('addresses', 'must contain at least 1 address')
  }
}

function runtimeClass(object: Part): void {
  object.name('handler', checkDnsLabel)
}

function apiService(object: Part): void {
  const spec = object.part('spec')
  const name = `${spec.text('version')}.${spec.text('group')}`
  if (object.part('metadata').text('name') !== name) {
    object.invalid(
      'metadata.name',
      `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`,
      object.part('metadata').text('name'),
    )
  }
}

/** Checks of the other kinds. */
export const otherChecks: Readonly<Record<string, (object: Part) => void>> = {
  [`${RBAC}/Role`]: role,
  [`${RBAC}/ClusterRole`]: role,
  [`${RBAC}/RoleBinding`]: binding,
  [`${RBAC}/ClusterRoleBinding`]: binding,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'networking.k8s.io/Ingress': ingress,
  'policy/PodDisruptionBudget': disruptionBudget,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'storage.k8s.io/StorageClass': storageClass,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'coordination.k8s.io/Lease': lease,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBinding,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': policyBinding,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'node.k8s.io/RuntimeClass': runtimeClass,
  'apiregistration.k8s.io/APIService': apiService,
}

type UpdateCheck = (next: KubeObject, old: KubeObject, problems: FieldError[]) => void

/** What must stay as it was in the other kinds. */
export const otherUpdates: Readonly<Record<string, UpdateCheck>> = {
  [`${RBAC}/RoleBinding`]: bindingUpdate,
  [`${RBAC}/ClusterRoleBinding`]: bindingUpdate,
  'storage.k8s.io/StorageClass': fixedFields('parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'),
  'scheduling.k8s.io/PriorityClass': fixedFields('value', 'preemptionPolicy'),
  'node.k8s.io/RuntimeClass': fixedFields('handler'),
  'discovery.k8s.io/EndpointSlice': fixedFields('addressType'),
  'apps/ControllerRevision': fixedFields('data'),
  'networking.k8s.io/IngressClass': (next, old, problems) => {
    const controller = (object: KubeObject): unknown => fieldsOf(object['spec'])['controller']
    if (controller(next) !== controller(old))
      problems.push(invalid('spec.controller', controller(next) ?? '', 'field is immutable'))
  },
}
