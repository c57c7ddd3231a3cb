import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { podSpecOf, type PodSpec } from '../../kube/pod.ts'
import type { Level, PodUnderCheck } from '../../kube/pod-security/check.ts'
import {
  describeViolations,
  findViolations,
  formatStandard,
  parseStandardVersion,
  type Standard,
} from '../../kube/pod-security/evaluate.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

const PREFIX = 'pod-security.kubernetes.io/'
type Mode = 'enforce' | 'audit' | 'warn'
const levels: ReadonlySet<string> = new Set(['privileged', 'baseline', 'restricted'] satisfies Level[])

/** Where the kinds that make Pods keep their template. */
const templates: ReadonlyMap<string, readonly string[]> = new Map([
  ['pods', []],
  ['podtemplates', ['template']],
  ['replicationcontrollers', ['spec', 'template']],
  ['deployments.apps', ['spec', 'template']],
  ['replicasets.apps', ['spec', 'template']],
  ['statefulsets.apps', ['spec', 'template']],
  ['daemonsets.apps', ['spec', 'template']],
  ['jobs.batch', ['spec', 'template']],
  ['cronjobs.batch', ['spec', 'jobTemplate', 'spec', 'template']],
])

const keyOf = ({ resource: { group, plural } }: AdmissionRequest): string =>
  group === '' ? plural : `${plural}.${group}`

/** Holds Pods to the standard that their namespace's labels ask for; what makes Pods is warned of early. */
export function podSecurity(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
      request.subresource === undefined &&
      templates.has(keyOf(request)),
    validate(request) {
      const namespace = reader.get('', 'namespaces', { name: request.namespace ?? '' })
      const pod = request.object && podIn(request.object, templates.get(keyOf(request)) ?? [])
      if (!namespace || !pod || isUntouched(request)) return Promise.resolve({ allowed: true })
      const labels = namespace.metadata.labels ?? {}
      const denied = isAbout(request, 'pods') ? violation(pod, standardOf(labels, 'enforce')) : undefined
      if (denied)
        return Promise.resolve({ allowed: false, status: forbidden(request, `violates PodSecurity ${denied}`) })
      const warned = violation(pod, standardOf(labels, 'warn'))
      const audited = violation(pod, standardOf(labels, 'audit'))
      return Promise.resolve({
        allowed: true,
        ...(warned ? { warnings: [`would violate PodSecurity ${warned}`] } : {}),
        ...(audited
          ? { auditAnnotations: { [`${PREFIX}audit-violations`]: `would violate PodSecurity ${audited}` } }
          : {}),
      })
    },
  }
}

/** A change that leaves the spec alone is not judged again. */
function isUntouched({ operation, object, oldObject }: AdmissionRequest): boolean {
  return operation === 'UPDATE' && JSON.stringify(object?.['spec']) === JSON.stringify(oldObject?.['spec'])
}

function podIn(object: KubeObject, path: readonly string[]): PodUnderCheck | undefined {
  let current: unknown = object
  for (const name of path) current = (current as Readonly<Record<string, unknown>> | undefined)?.[name]
  if (typeof current !== 'object' || current === null) return undefined
  const { metadata = {}, spec } = current as { readonly metadata?: ObjectMeta; readonly spec?: PodSpec }
  return { metadata, spec: spec ?? podSpecOf(object) }
}

/** What the labels ask for; a level that nobody knows is taken as the strictest, so that a typing error opens nothing. */
function standardOf(labels: Readonly<Record<string, string>>, mode: Mode): Standard {
  const asked = labels[`${PREFIX}${mode}`]
  if (asked === undefined) return { level: 'privileged', minor: Number.POSITIVE_INFINITY }
  const minor = parseStandardVersion(labels[`${PREFIX}${mode}-version`] ?? 'latest') ?? Number.POSITIVE_INFINITY
  return { level: levels.has(asked) ? (asked as Level) : 'restricted', minor }
}

function violation(pod: PodUnderCheck, standard: Standard): string | undefined {
  const findings = findViolations(pod, standard)
  return findings.length === 0
    ? undefined
    : `${JSON.stringify(formatStandard(standard))}: ${describeViolations(findings)}`
}
