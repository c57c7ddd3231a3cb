import { isEqual } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import { compileSelector, matchesLabels } from '../../selector.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported } from '../../schema/field-error.ts'
import { type Fields, fieldsOf } from '../defaulting.ts'
import { isCronSchedule } from './cron.ts'
import { checkTemplate } from './pod.ts'
import { checkAtMostWhole, checkCountOrPercent, checkSelector, isEmptySelector, type Part } from './report.ts'

// Semantics: kubernetes 1.36, pkg/apis/apps/validation/validation.go and pkg/apis/batch/validation/validation.go.

/** The selector must be there, say something, and match what the template makes. */
function checkMatching(spec: Part, kind: string): void {
  const selector = spec.part('selector')
  if (!spec.has('selector')) {
    spec.required('selector')
    return
  }
  checkSelector(selector)
  if (isEmptySelector(selector)) {
    spec.invalid('selector', `empty selector is invalid for ${kind}`)
    return
  }
  const compiled = compileSelector(selector.fields)
  const labels = fieldsOf(fieldsOf(spec.part('template').fields['metadata'])['labels'])
  if (compiled.ok && !matchesLabels(compiled.value, labels as Readonly<Record<string, string>>)) {
    spec.invalid('template.metadata.labels', '`selector` does not match template `labels`', labels)
  }
}

/** Pods that a controller keeps running are always restarted, and have no deadline. */
function checkForever(spec: Part, claims: readonly string[] = []): void {
  const template = spec.part('template')
  checkTemplate(template, { claims })
  const pods = template.part('spec')
  const policy = pods.text('restartPolicy')
  if (policy !== '' && policy !== 'Always') {
    pods.problems.push(notSupported(pods.place('restartPolicy'), policy, ['Always']))
  }
  if (pods.has('activeDeadlineSeconds'))
    pods.forbidden('activeDeadlineSeconds', 'activeDeadlineSeconds in workload is not Supported')
}

function checkRolling(strategy: Part, words: readonly string[]): void {
  const type = strategy.text('type')
  strategy.oneOf('type', words, true)
  const rolling = strategy.part('rollingUpdate')
  if (type !== 'RollingUpdate') {
    if (strategy.has('rollingUpdate')) {
      strategy.forbidden('rollingUpdate', `may not be specified when strategy \`type\` is '${type}'`)
    }
    return
  }
  for (const name of ['maxUnavailable', 'maxSurge']) checkCountOrPercent(rolling, name)
  checkAtMostWhole(rolling, 'maxUnavailable')
  const isZero = (value: unknown): boolean => value === 0 || value === '0%'
  if (isZero(rolling.fields['maxUnavailable']) && isZero(rolling.fields['maxSurge'])) {
    rolling.invalid('maxUnavailable', 'may not be 0 when `maxSurge` is 0')
  }
}

function deployment(object: Part): void {
  const spec = object.part('spec')
  spec.notNegative('replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds')
  checkMatching(spec, 'deployment')
  checkForever(spec)
  checkRolling(spec.part('strategy'), ['Recreate', 'RollingUpdate'])
  const deadline = spec.number('progressDeadlineSeconds')
  if (deadline !== undefined && deadline <= (spec.number('minReadySeconds') ?? 0)) {
    spec.invalid('progressDeadlineSeconds', 'must be greater than minReadySeconds')
  }
}

function replicaSet(object: Part): void {
  const spec = object.part('spec')
  spec.notNegative('replicas', 'minReadySeconds')
  checkMatching(spec, 'deployment')
  checkForever(spec)
}

function daemonSet(object: Part): void {
  const spec = object.part('spec')
  spec.notNegative('minReadySeconds', 'revisionHistoryLimit')
  checkMatching(spec, 'daemonset')
  checkForever(spec)
  checkRolling(spec.part('updateStrategy'), ['RollingUpdate', 'OnDelete'])
}

function statefulSet(object: Part): void {
  const spec = object.part('spec')
  spec.notNegative('replicas', 'minReadySeconds', 'revisionHistoryLimit')
  spec.oneOf('podManagementPolicy', ['OrderedReady', 'Parallel'], true)
  spec.part('updateStrategy').oneOf('type', ['RollingUpdate', 'OnDelete'], true)
  spec.part('updateStrategy').part('rollingUpdate').notNegative('partition')
  for (const name of ['whenDeleted', 'whenScaled']) {
    spec.part('persistentVolumeClaimRetentionPolicy').oneOf(name, ['Retain', 'Delete'])
  }
  checkMatching(spec, 'statefulset')
  const claims = spec.parts('volumeClaimTemplates').map((claim) => claim.part('metadata').text('name'))
  checkForever(spec, claims)
}

const mutableStatefulSetFields: readonly string[] = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

function statefulSetUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const rest = (object: KubeObject): Fields =>
    Object.fromEntries(
      Object.entries(fieldsOf(object['spec'])).filter(([name]) => !mutableStatefulSetFields.includes(name)),
    )
  if (isEqual(rest(next), rest(old))) return
  const because =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
  problems.push(forbidden('spec', because))
}

function job(object: Part): void {
  jobSpec(object.part('spec'), object.has('metadata'))
}

function jobSpec(spec: Part, isJob: boolean): void {
  spec.notNegative(
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  )
  spec.oneOf('completionMode', ['NonIndexed', 'Indexed'])
  spec.oneOf('podReplacementPolicy', ['Failed', 'TerminatingOrFailed'])
  if (spec.text('completionMode') === 'Indexed' && !spec.has('completions')) {
    spec.required('completions', 'when completion mode is Indexed')
  }
  checkTemplate(spec.part('template'))
  const pods = spec.part('template').part('spec')
  const policy = pods.text('restartPolicy')
  if (policy === 'Always') {
    pods.problems.push(
      invalid(pods.place('restartPolicy'), policy, 'Required value: supported values: "OnFailure", "Never"'),
    )
  }
  if (isJob && spec.has('selector')) checkMatching(spec, 'job')
}

const fixed =
  (...names: readonly string[]) =>
  (next: KubeObject, old: KubeObject, problems: FieldError[]): void => {
    const [spec, before] = [fieldsOf(next['spec']), fieldsOf(old['spec'])]
    for (const name of names) {
      if (!isEqual(spec[name], before[name]))
        problems.push(invalid(`spec.${name}`, spec[name] ?? null, 'field is immutable'))
    }
  }

/** A suspended Job that never started may still be told where to run. */
function jobUpdate(next: KubeObject, old: KubeObject, problems: FieldError[]): void {
  const before = fieldsOf(old['spec'])
  const mayMove = before['suspend'] === true && fieldsOf(old['status'])['startTime'] === undefined
  const isIndexed = before['completionMode'] === 'Indexed'
  fixed('selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy')(next, old, problems)
  if (!isIndexed) fixed('completions')(next, old, problems)
  if (!mayMove) fixed('template')(next, old, problems)
}

function cronJob(object: Part): void {
  const spec = object.part('spec')
  const schedule = spec.text('schedule')
  if (schedule === '') spec.required('schedule')
  else if (!isCronSchedule(schedule)) spec.invalid('schedule', 'cannot be read as a schedule of five fields')
  else if (/TZ=/.test(schedule)) {
    spec.invalid('schedule', 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
  }
  spec.oneOf('concurrencyPolicy', ['Allow', 'Forbid', 'Replace'])
  spec.notNegative('startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit')
  const zone = spec.text('timeZone')
  if (spec.has('timeZone') && (zone === '' || zone.toLowerCase() === 'local' || /\s/.test(zone))) {
    spec.invalid('timeZone', 'timeZone must be nil or non-empty string')
  }
  const template = spec.part('jobTemplate').part('spec')
  jobSpec(template, false)
  if (template.has('selector'))
    template.problems.push(
      invalid(template.place('selector'), template.fields['selector'], '`selector` will be auto-generated'),
    )
}

function replicationController(object: Part): void {
  const spec = object.part('spec')
  spec.notNegative('replicas', 'minReadySeconds')
  const selector = fieldsOf(spec.fields['selector'])
  if (Object.keys(selector).length === 0) spec.required('selector')
  if (!spec.has('template')) {
    spec.required('template')
    return
  }
  const labels = fieldsOf(fieldsOf(spec.part('template').fields['metadata'])['labels'])
  if (!Object.entries(selector).every(([key, value]) => labels[key] === value)) {
    spec.invalid('template.metadata.labels', '`selector` does not match template `labels`', labels)
  }
  checkForever(spec)
}

/** Names of claim templates that appear twice. */
function claimNames(object: Part): void {
  const seen = new Set<string>()
  for (const claim of object.part('spec').parts('volumeClaimTemplates')) {
    const name = claim.part('metadata').text('name')
    if (name !== '' && seen.has(name)) claim.problems.push(duplicate(claim.place('metadata.name'), name))
    seen.add(name)
  }
}

/** Checks of the kinds that make Pods. */
export const workloadChecks: Readonly<Record<string, (object: Part) => void>> = {
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/DaemonSet': daemonSet,
  'apps/StatefulSet': (object) => {
    statefulSet(object)
    claimNames(object)
  },
  'batch/Job': job,
  'batch/CronJob': cronJob,
  '/ReplicationController': replicationController,
  '/PodTemplate': (object) => checkTemplate(object.part('template')),
}

type UpdateCheck = (next: KubeObject, old: KubeObject, problems: FieldError[]) => void

/** What must stay as it was in the kinds that make Pods. */
export const workloadUpdates: Readonly<Record<string, UpdateCheck>> = {
  'apps/Deployment': fixed('selector'),
  'apps/ReplicaSet': fixed('selector'),
  'apps/DaemonSet': fixed('selector'),
  'apps/StatefulSet': statefulSetUpdate,
  'batch/Job': jobUpdate,
}
