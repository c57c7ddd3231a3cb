import ipaddr from 'ipaddr.js'
import { isEqual } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from '../../names.ts'
import { duplicate, type FieldError, forbidden, invalid } from '../../schema/field-error.ts'
import { checkAnnotations, checkLabels } from '../../schema/object-meta.ts'
import { type Fields, fieldsOf, listOf } from '../defaulting.ts'
import { checkContainer, checkResources, checkSubPath, type PodParts } from './containers.ts'
import { checkSelector, Part } from './report.ts'

// Semantics: kubernetes 1.36, pkg/apis/core/validation/validation.go.

interface SpecOptions {
  /** A template's restart policy may be narrower; checked by the kind. */
  readonly claims?: readonly string[]
}

/** A Pod template: its labels and annotations, and the Pods' spec. */
export function checkTemplate(template: Part, options: SpecOptions = {}): void {
  const metadata = fieldsOf(template.fields['metadata'])
  template.problems.push(
    ...checkLabels(metadata['labels'], template.place('metadata.labels')),
    ...checkAnnotations(metadata['annotations'], template.place('metadata.annotations')),
  )
  checkPodSpec(template.part('spec'), options)
}

/** What a Pod is wished to be. */
export function checkPodSpec(spec: Part, { claims = [] }: SpecOptions = {}): void {
  const volumes = new Set(claims)
  for (const volume of spec.parts('volumes')) checkVolume(volume, volumes)
  const parts: PodParts = { volumes, mayHaveOthers: false }
  checkContainers(spec, parts)
  spec.oneOf('restartPolicy', ['Always', 'OnFailure', 'Never'])
  spec.oneOf('dnsPolicy', ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'])
  spec.oneOf('preemptionPolicy', ['PreemptLowerPriority', 'Never'])
  spec.labels('nodeSelector')
  spec.name('serviceAccountName', checkDnsSubdomain, false)
  spec.name('nodeName', checkDnsSubdomain, false)
  spec.name('hostname', checkDnsLabel, false)
  spec.name('subdomain', checkDnsLabel, false)
  spec.name('priorityClassName', checkDnsSubdomain, false)
  spec.name('runtimeClassName', checkDnsSubdomain, false)
  spec.notNegative('terminationGracePeriodSeconds')
  if (spec.has('activeDeadlineSeconds')) spec.between('activeDeadlineSeconds', 1, 2 ** 31 - 1)
  if (spec.text('dnsPolicy') === 'None' && listOf(fieldsOf(spec.fields['dnsConfig'])['nameservers']).length === 0) {
    spec.required('dnsConfig.nameservers', 'must provide at least one DNS nameserver when `dnsPolicy` is None')
  }
  for (const alias of spec.parts('hostAliases')) {
    if (!ipaddr.isValid(alias.text('ip')))
      alias.invalid('ip', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
    for (const [index, host] of alias.list('hostnames').entries()) {
      for (const because of checkDnsSubdomain(String(host))) alias.invalid(`hostnames[${index}]`, because, host)
    }
  }
  for (const toleration of spec.parts('tolerations')) checkToleration(toleration)
  for (const constraint of spec.parts('topologySpreadConstraints')) checkSpread(constraint)
  checkAffinity(spec.part('affinity'))
  if (spec.has('resources')) checkResources(spec.part('resources'))
  checkSecurity(spec)
}

function checkContainers(spec: Part, parts: PodParts): void {
  if (spec.list('containers').length === 0) spec.required('containers')
  const names = new Set<string>()
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const
  for (const list of lists) {
    for (const container of spec.parts(list)) {
      checkContainer(container, parts, list === 'initContainers')
      const name = container.text('name')
      if (name !== '' && names.has(name)) spec.problems.push(duplicate(container.place('name'), name))
      names.add(name)
    }
  }
}

function checkVolume(volume: Part, names: Set<string>): void {
  const name = volume.text('name')
  volume.name('name', checkDnsLabel)
  if (name !== '' && names.has(name)) volume.problems.push(duplicate(volume.place('name'), name))
  if (name !== '') names.add(name)
  const sources = Object.keys(volume.fields).filter((field) => field !== 'name')
  if (sources.length === 0) volume.required('', 'must specify a volume type')
  for (const source of sources.slice(1)) volume.forbidden(source, 'may not specify more than 1 volume type')
  const [source] = sources
  if (source !== undefined) checkSource(source, volume.part(source))
}

const MODES = ['defaultMode', 'mode'] as const

function checkMode(part: Part): void {
  for (const name of MODES) {
    const mode = part.number(name)
    if (mode !== undefined && (mode < 0 || mode > 0o777)) {
      part.invalid(name, 'must be a number between 0 and 0777 (octal), both inclusive')
    }
  }
}

function checkItems(part: Part): void {
  for (const item of part.parts('items')) {
    if (item.text('key') === '' && !item.has('fieldRef') && !item.has('resourceFieldRef')) item.required('key')
    if (item.text('path') === '') item.required('path')
    checkSubPath(item, 'path')
    checkMode(item)
  }
}

function checkSource(kind: string, source: Part): void {
  checkMode(source)
  switch (kind) {
    case 'configMap':
      if (source.text('name') === '') source.required('name')
      checkItems(source)
      break
    case 'secret':
      if (source.text('secretName') === '') source.required('secretName')
      checkItems(source)
      break
    case 'persistentVolumeClaim':
      if (source.text('claimName') === '') source.required('claimName')
      break
    case 'hostPath':
      checkHostPath(source)
      break
    case 'projected':
      for (const projection of source.parts('sources')) checkProjection(projection)
      break
    case 'downwardAPI':
      checkItems(source)
      break
    case 'nfs':
      if (source.text('server') === '') source.required('server')
      if (source.text('path') === '') source.required('path')
      break
    case 'csi':
      if (source.text('driver') === '') source.required('driver')
      break
    default:
  }
}

function checkHostPath(source: Part): void {
  if (source.text('path') === '') source.required('path')
  else if (source.text('path').split('/').includes('..')) source.invalid('path', "must not contain '..'")
  const types = ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice']
  source.oneOf('type', types)
}

function checkProjection(projection: Part): void {
  const given = Object.keys(projection.fields)
  if (given.length > 1) projection.forbidden('', 'may not specify more than 1 volume type')
  for (const name of ['configMap', 'secret']) {
    if (!projection.has(name)) continue
    if (projection.part(name).text('name') === '') projection.part(name).required('name')
    checkItems(projection.part(name))
  }
  if (!projection.has('serviceAccountToken')) return
  const token = projection.part('serviceAccountToken')
  if ((token.number('expirationSeconds') ?? 600) < 600) {
    token.invalid('expirationSeconds', 'may not specify a duration less than 10 minutes')
  }
  if (token.text('path') === '') token.required('path')
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const

function checkToleration(toleration: Part): void {
  const [key, operator] = [toleration.text('key'), toleration.text('operator')]
  for (const because of key === '' ? [] : checkQualifiedName(key)) toleration.invalid('key', because)
  if (key === '' && operator !== 'Exists') {
    toleration.invalid(
      'operator',
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      operator,
    )
  }
  if (toleration.has('tolerationSeconds') && toleration.text('effect') !== 'NoExecute') {
    toleration.invalid(
      'effect',
      "effect must be 'NoExecute' when `tolerationSeconds` is set",
      toleration.text('effect'),
    )
  }
  if (operator === 'Exists' && toleration.text('value') !== '') {
    toleration.invalid('operator', "value must be empty when `operator` is 'Exists'", toleration.text('value'))
  }
  if (operator === '' || operator === 'Equal') {
    for (const because of checkLabelValue(toleration.text('value')))
      toleration.invalid('operator', because, toleration.text('value'))
  }
  toleration.oneOf('operator', ['Equal', 'Exists', 'Lt', 'Gt'])
  toleration.oneOf('effect', EFFECTS)
}

function checkSpread(constraint: Part): void {
  if ((constraint.number('maxSkew') ?? 0) <= 0)
    constraint.invalid('maxSkew', 'must be greater than zero', constraint.number('maxSkew') ?? 0)
  if (constraint.text('topologyKey') === '') constraint.required('topologyKey', 'can not be empty')
  constraint.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway'], true)
  if (constraint.has('labelSelector')) checkSelector(constraint.part('labelSelector'))
  if (constraint.has('minDomains') && (constraint.number('minDomains') ?? 0) <= 0) {
    constraint.invalid('minDomains', 'must be greater than zero')
  }
}

function checkAffinity(affinity: Part): void {
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const part = affinity.part(kind)
    const weighted = part.parts('preferredDuringSchedulingIgnoredDuringExecution')
    for (const one of weighted) one.between('weight', 1, 100)
    const terms = [
      ...part.parts('requiredDuringSchedulingIgnoredDuringExecution'),
      ...weighted.map((one) => one.part('podAffinityTerm')),
    ]
    for (const term of terms) {
      if (term.text('topologyKey') === '') term.required('topologyKey', 'can not be empty')
      if (term.has('labelSelector')) checkSelector(term.part('labelSelector'))
    }
  }
  const node = affinity.part('nodeAffinity')
  const wanted = node.part('requiredDuringSchedulingIgnoredDuringExecution')
  if (node.has('requiredDuringSchedulingIgnoredDuringExecution') && wanted.list('nodeSelectorTerms').length === 0) {
    wanted.required('nodeSelectorTerms', 'must have at least one node selector term')
  }
  const preferred = node.parts('preferredDuringSchedulingIgnoredDuringExecution')
  for (const one of preferred) one.between('weight', 1, 100)
  for (const term of [...wanted.parts('nodeSelectorTerms'), ...preferred.map((one) => one.part('preference'))]) {
    for (const rule of term.parts('matchExpressions')) checkNodeRule(rule)
  }
}

function checkNodeRule(rule: Part): void {
  const count = rule.list('values').length
  switch (rule.text('operator')) {
    case 'In':
    case 'NotIn':
      if (count === 0) rule.required('values', "must be specified when `operator` is 'In' or 'NotIn'")
      break
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) rule.forbidden('values', "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      break
    case 'Gt':
    case 'Lt':
      if (count !== 1) rule.required('values', "must be specified single value when `operator` is 'Lt' or 'Gt'")
      break
    default:
      rule.invalid('operator', 'not a valid selector operator', rule.text('operator'))
  }
  for (const because of checkQualifiedName(rule.text('key'))) rule.invalid('key', because)
}

function checkSecurity(spec: Part): void {
  const context = spec.part('securityContext')
  context.notNegative('runAsUser', 'runAsGroup', 'fsGroup')
  context.oneOf('fsGroupChangePolicy', ['OnRootMismatch', 'Always'])
  for (const container of [...spec.parts('initContainers'), ...spec.parts('containers')]) {
    const own = container.part('securityContext')
    own.notNegative('runAsUser', 'runAsGroup')
    if (own.fields['privileged'] === true && own.fields['allowPrivilegeEscalation'] === false) {
      own.invalid('', 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true', own.fields)
    }
  }
}

/** A Pod that is to be created or replaced. */
export function checkPod(pod: Part): void {
  checkPodSpec(pod.part('spec'))
}

/** The fields of a Pod's spec that may change while it lives. */
function comparable(spec: Fields, old: Fields): Fields {
  const images = (list: string): unknown =>
    listOf(spec[list]).map((container, index) => {
      const before = fieldsOf(listOf(old[list])[index])
      return { ...fieldsOf(container), image: before['image'] }
    })
  const { activeDeadlineSeconds, tolerations, terminationGracePeriodSeconds, schedulingGates } = old
  const kept = { activeDeadlineSeconds, tolerations, schedulingGates }
  const changed = {
    ...spec,
    ...kept,
    ...(Array.isArray(spec['containers']) ? { containers: images('containers') } : {}),
    ...(Array.isArray(spec['initContainers']) ? { initContainers: images('initContainers') } : {}),
    // A grace period that was negative may become one.
    ...(spec['terminationGracePeriodSeconds'] === 1 && Number(terminationGracePeriodSeconds) < 0
      ? { terminationGracePeriodSeconds }
      : {}),
  }
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))
}

/** What must stay as it was in a Pod. */
export function checkPodUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const [spec, before] = [fieldsOf(next['spec']), fieldsOf(old['spec'])]
  for (const list of ['containers', 'initContainers']) {
    if (listOf(spec[list]).length === listOf(before[list]).length) continue
    problems.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'))
    return
  }
  const [deadline, oldDeadline] = [spec['activeDeadlineSeconds'], before['activeDeadlineSeconds']]
  if (typeof oldDeadline === 'number' && (typeof deadline !== 'number' || deadline > oldDeadline)) {
    problems.push(invalid('spec.activeDeadlineSeconds', deadline ?? '', `must be less than or equal to previous value`))
  }
  checkAddedTolerations(listOf(spec['tolerations']), listOf(before['tolerations']), problems)
  if (isEqual(comparable(spec, before), before)) return
  const fields =
    '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
  problems.push(forbidden('spec', `pod updates may not change fields other than ${fields}`))
}

function checkAddedTolerations(next: readonly unknown[], old: readonly unknown[], problems: FieldError[]): void {
  const without = (toleration: unknown): Fields => ({ ...fieldsOf(toleration), tolerationSeconds: undefined })
  if (old.every((one) => next.some((other) => isEqual(without(one), without(other))))) return
  problems.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
}

/** A Part for a whole object. */
export const wholeOf = (object: KubeObject, problems: FieldError[]): Part => new Part(object, '', problems)
