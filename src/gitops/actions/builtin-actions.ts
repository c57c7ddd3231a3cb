import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { asFields, at, conditionsOf, numberAt, shown } from '../health/reading.ts'
import type { ActionRun, Impact, ResourceAction } from './action.ts'

/** One action of a kind: when it is there, when it can be used, and what it does. */
interface Definition {
  readonly name: string
  readonly displayName?: string
  readonly params?: (object: KubeObject) => ResourceAction['params']
  readonly isOffered?: (object: KubeObject) => boolean
  readonly isDisabled?: (object: KubeObject) => boolean
  readonly run: (run: ActionRun) => Result<readonly Impact[]>
}

const patched = (object: KubeObject): Result<readonly Impact[]> => succeed([{ operation: 'patch', object }])

/** An object with a field of its spec set, or taken away. */
function withSpec(object: KubeObject, field: string, value: unknown): KubeObject {
  const { [field]: _, ...spec } = asFields(object['spec'])
  return { ...object, spec: value === undefined ? spec : { ...spec, [field]: value } }
}

function withAnnotations(object: KubeObject, changes: Readonly<Record<string, string | undefined>>): KubeObject {
  const kept = Object.entries({ ...object.metadata.annotations, ...changes }).filter(([, value]) => value !== undefined)
  const annotations = Object.fromEntries(kept) as Record<string, string>
  return { ...object, metadata: { ...object.metadata, annotations } }
}

const setsSpec = (name: string, field: string, value: unknown, more: Partial<Definition> = {}): Definition => ({
  name,
  run: ({ object }) => patched(withSpec(object, field, value)),
  ...more,
})

const restart: Definition = {
  name: 'restart',
  run: ({ object, nowMs }) => {
    const spec = asFields(object['spec'])
    const template = asFields(spec['template'])
    const metadata = asFields(template['metadata'])
    const annotations = {
      ...asFields(metadata['annotations']),
      'kubectl.kubernetes.io/restartedAt': formatTime(nowMs),
    }
    return patched({ ...object, spec: { ...spec, template: { ...template, metadata: { ...metadata, annotations } } } })
  },
}

const isPaused = (object: KubeObject): boolean => at(object, 'spec.paused') === true
const isSuspended = (object: KubeObject): boolean => at(object, 'spec.suspend') === true

const pause = setsSpec('pause', 'paused', true, { isDisabled: isPaused })
const resume = setsSpec('resume', 'paused', undefined, { isDisabled: (object) => !isPaused(object) })

const badNumber = (text: string | undefined): Result<never> =>
  fail({ code: 'action-failed', at: 'replicas', message: `invalid number: ${text ?? ''}` })

const scale: Definition = {
  name: 'scale',
  params: () => [{ name: 'replicas' }],
  run: ({ object, params }) => {
    const replicas = Number(params['replicas'])
    const isNumber = params['replicas'] !== undefined && params['replicas'].trim() !== '' && Number.isInteger(replicas)
    return isNumber && replicas >= 0 ? patched(withSpec(object, 'replicas', replicas)) : badNumber(params['replicas'])
  },
}

function ownerOf(object: KubeObject, controls: boolean): OwnerReference {
  const { name = '', uid = '' } = object.metadata
  const reference = { apiVersion: object.apiVersion, kind: object.kind, name, uid }
  return controls ? { ...reference, blockOwnerDeletion: true, controller: true } : reference
}

/** `202611210855`, or without the century. */
const stamp = (nowMs: number): string => formatTime(nowMs).replaceAll(/[-:T]/g, '').slice(0, 12)

const inNamespace = ({ metadata }: KubeObject): { readonly namespace?: string } =>
  metadata.namespace === undefined ? {} : { namespace: metadata.namespace }

const createJob: Definition = {
  name: 'create-job',
  displayName: 'Create Job',
  run: ({ object, nowMs }) => {
    const template = asFields(at(object, 'spec.jobTemplate'))
    const metadata = asFields(template['metadata'])
    const job: KubeObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        ...metadata,
        name: `${object.metadata.name ?? ''}-${stamp(nowMs).slice(2)}`,
        ...inNamespace(object),
        annotations: {
          ...(asFields(metadata['annotations']) as Readonly<Record<string, string>>),
          'cronjob.kubernetes.io/instantiate': 'manual',
        },
        ownerReferences: [ownerOf(object, true)],
      },
      spec: asFields(template['spec']),
    }
    return succeed([{ operation: 'create', object: job }])
  },
}

const ENDS: readonly unknown[] = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet']
const hasEnded = (object: KubeObject): boolean =>
  conditionsOf(object).some(({ type, status }) => status === 'True' && ENDS.includes(type))

const jobActions: readonly Definition[] = [
  setsSpec('resume', 'suspend', false, { isOffered: (object) => !hasEnded(object) && isSuspended(object) }),
  setsSpec('suspend', 'suspend', true, { isOffered: (object) => !hasEnded(object) && !isSuspended(object) }),
  {
    name: 'terminate',
    isOffered: (object) => !hasEnded(object) && isObject(object['status']),
    run: ({ object, nowMs }) => {
      const status = asFields(object['status'])
      const ended = {
        type: 'FailureTarget',
        status: 'True',
        reason: 'ManuallyTerminated',
        message: 'Job was terminated explicitly through Argo CD',
        lastTransitionTime: formatTime(nowMs),
      }
      return patched({ ...object, status: { ...status, conditions: [...conditionsOf(object), ended] } })
    },
  },
]

/** A Workflow as `argo submit --from` makes it. */
const createWorkflow = (template: (object: KubeObject) => KubeObject): Definition => ({
  name: 'create-workflow',
  displayName: 'Create Workflow',
  run: ({ object, nowMs }) => {
    const made = template(object)
    const metadata = { ...made.metadata, name: `${object.metadata.name ?? ''}-${stamp(nowMs)}`, ...inNamespace(object) }
    return succeed([{ operation: 'create', object: { ...made, metadata } }])
  },
})

const fromTemplate = createWorkflow((object) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Workflow',
  metadata: {
    labels: { 'workflows.argoproj.io/workflow-template': object.metadata.name ?? '' },
    ownerReferences: [ownerOf(object, false)],
  },
  spec: { workflowTemplateRef: { name: object.metadata.name ?? '' } },
}))

const fromCron = createWorkflow((object) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Workflow',
  metadata: {
    ...asFields(at(object, 'spec.workflowMetadata')),
    labels: {
      ...(asFields(at(object, 'spec.workflowMetadata.labels')) as Readonly<Record<string, string>>),
      'workflows.argoproj.io/cron-workflow': object.metadata.name ?? '',
    },
    ownerReferences: [ownerOf(object, true)],
  },
  spec: asFields(at(object, 'spec.workflowSpec')),
}))

/** External Secrets look again when this annotation changes. */
const forceSync = (name: string): Definition => ({
  name,
  isDisabled: (object) => {
    const interval = at(object, 'spec.refreshInterval')
    const isNever = interval !== undefined && /^0(ns|us|µs|ms|s|m|h)?$/.test(shown(interval))
    return isNever && (name !== 'refresh' || at(object, 'spec.refreshPolicy') !== 'OnChange')
  },
  run: ({ object, nowMs }) => patched(withAnnotations(object, { 'force-sync': formatTime(nowMs) })),
})

const KEDA_PAUSED = 'autoscaling.keda.sh/paused'
const KEDA_REPLICAS = 'autoscaling.keda.sh/paused-replicas'
const kedaPaused = ({ metadata }: KubeObject): boolean => metadata.annotations?.[KEDA_PAUSED] === 'true'
const kedaHeld = (object: KubeObject): boolean =>
  kedaPaused(object) || object.metadata.annotations?.[KEDA_REPLICAS] !== undefined

const kedaPause: Definition = {
  name: 'pause',
  isDisabled: kedaHeld,
  run: ({ object }) => patched(withAnnotations(object, { [KEDA_PAUSED]: 'true' })),
}
const kedaResume: Definition = {
  name: 'resume',
  isDisabled: (object) => !kedaHeld(object),
  run: ({ object }) => patched(withAnnotations(object, { [KEDA_PAUSED]: undefined, [KEDA_REPLICAS]: undefined })),
}
const kedaReplicas: Definition = {
  name: 'paused-replicas',
  isDisabled: kedaPaused,
  params: ({ metadata }) => [{ name: 'replicas', default: metadata.annotations?.[KEDA_REPLICAS] ?? '0' }],
  run: ({ object, params }) => {
    const replicas = Number(params['replicas'])
    return params['replicas'] !== undefined && replicas >= 0
      ? patched(withAnnotations(object, { [KEDA_REPLICAS]: String(replicas) }))
      : badNumber(params['replicas'])
  },
}

const fluxSuspension: readonly Definition[] = [
  setsSpec('suspend', 'suspend', true, { isDisabled: isSuspended }),
  setsSpec('resume', 'suspend', false, { isDisabled: (object) => !isSuspended(object) }),
]
const flux: readonly Definition[] = [
  {
    name: 'reconcile',
    isDisabled: isSuspended,
    run: ({ object, nowMs }) =>
      patched(withAnnotations(object, { 'reconcile.fluxcd.io/requestedAt': formatTime(nowMs) })),
  },
  ...fluxSuspension,
]

const withStatus = (object: KubeObject, changes: Readonly<Record<string, unknown>>): KubeObject => {
  const status = { ...asFields(object['status']), ...changes }
  return { ...object, status: Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) }
}

const stepsOf = (object: KubeObject): readonly unknown[] => {
  const steps = at(object, 'spec.strategy.canary.steps')
  return Array.isArray(steps) ? steps : []
}
const isPromoted = (object: KubeObject): boolean =>
  at(object, 'status.stableRS') === at(object, 'status.currentPodHash')
const isAborted = (object: KubeObject): boolean => at(object, 'status.abort') === true
const hasPauses = (object: KubeObject): boolean => {
  const pauses = at(object, 'status.pauseConditions')
  return Array.isArray(pauses) && pauses.length > 0
}

const rollout: readonly Definition[] = [
  {
    name: 'restart',
    run: ({ object, nowMs }) => patched(withSpec(object, 'restartAt', formatTime(nowMs))),
  },
  {
    name: 'pause',
    isDisabled: (object) => isPromoted(object) || isAborted(object) || isPaused(object),
    run: ({ object }) => patched(withSpec(object, 'paused', true)),
  },
  {
    name: 'resume',
    isDisabled: (object) => !isPaused(object) && !hasPauses(object),
    run: ({ object }) => {
      const going = isPaused(object) ? withSpec(object, 'paused', false) : object
      return patched(hasPauses(object) ? withStatus(going, { pauseConditions: undefined }) : going)
    },
  },
  {
    name: 'abort',
    isDisabled: (object) => isPromoted(object) || isAborted(object),
    run: ({ object }) => patched(withStatus(object, { abort: true })),
  },
  {
    name: 'retry',
    isDisabled: (object) => isPromoted(object) || !isAborted(object),
    run: ({ object }) => patched(withStatus(object, { abort: undefined })),
  },
  {
    name: 'promote-full',
    isDisabled: isPromoted,
    run: ({ object }) => patched(withStatus(object, { promoteFull: true })),
  },
  {
    name: 'skip-current-step',
    isDisabled: (object) => {
      const steps = stepsOf(object)
      return steps.length === 0 || numberAt(object, 'status.currentStepIndex') >= steps.length
    },
    run: ({ object }) =>
      patched(
        withStatus(object, {
          pauseConditions: undefined,
          currentStepIndex: numberAt(object, 'status.currentStepIndex') + 1,
        }),
      ),
  },
]

const RUN_ENDS: readonly unknown[] = ['Successful', 'Failed', 'Error', 'Inconclusive']

/** An Application that is synced by itself stops being so, and the other way round. */
const toggleAutoSync: Definition = {
  name: 'toggle-auto-sync',
  displayName: 'Toggle Auto-Sync',
  run: ({ object }) => {
    const spec = asFields(object['spec'])
    const policy = asFields(spec['syncPolicy'])
    const automated = asFields(policy['automated'])
    const isOn = isObject(policy['automated']) && automated['enabled'] !== false
    const next = { ...policy, automated: { ...automated, enabled: !isOn } }
    return patched({ ...object, spec: { ...spec, syncPolicy: next } })
  },
}

const fluxKinds = ['Bucket', 'GitRepository', 'HelmChart', 'HelmRepository', 'OCIRepository'].map(
  (kind) => `source.toolkit.fluxcd.io/${kind}`,
)

const definitions: ReadonlyMap<string, readonly Definition[]> = new Map<string, readonly Definition[]>([
  ['apps/Deployment', [restart, pause, resume, scale]],
  ['apps/StatefulSet', [restart, scale]],
  ['apps/DaemonSet', [restart]],
  ['batch/Job', jobActions],
  [
    'batch/CronJob',
    [
      createJob,
      setsSpec('resume', 'suspend', false, { isOffered: isSuspended }),
      setsSpec('suspend', 'suspend', true, { isOffered: (object) => !isSuspended(object) }),
    ],
  ],
  ['argoproj.io/Application', [toggleAutoSync]],
  [
    'argoproj.io/AnalysisRun',
    [
      setsSpec('terminate', 'terminate', true, {
        isDisabled: (object) => at(object, 'spec.terminate') === true || RUN_ENDS.includes(at(object, 'status.phase')),
      }),
    ],
  ],
  ['argoproj.io/Rollout', rollout],
  ['argoproj.io/WorkflowTemplate', [fromTemplate]],
  ['argoproj.io/CronWorkflow', [fromCron]],
  ['external-secrets.io/ExternalSecret', [forceSync('refresh')]],
  ['external-secrets.io/PushSecret', [forceSync('push')]],
  ['keda.sh/ScaledJob', [kedaPause, kedaResume]],
  ['keda.sh/ScaledObject', [kedaPause, kedaReplicas, kedaResume]],
  ['helm.toolkit.fluxcd.io/HelmRelease', flux],
  ['kustomize.toolkit.fluxcd.io/Kustomization', flux],
  ['image.toolkit.fluxcd.io/ImageRepository', flux],
  ['image.toolkit.fluxcd.io/ImageUpdateAutomation', flux],
  ['notification.toolkit.fluxcd.io/Receiver', flux],
  ['notification.toolkit.fluxcd.io/Alert', fluxSuspension],
  ['notification.toolkit.fluxcd.io/Provider', fluxSuspension],
  ...fluxKinds.map((kind) => [kind, flux] as const),
])

const definitionsOf = (object: KubeObject): readonly Definition[] => {
  const { group } = parseApiVersion(object.apiVersion)
  return definitions.get(group === '' ? object.kind : `${group}/${object.kind}`) ?? []
}

/** The actions that every installation has for an object. */
export function builtinActions(object: KubeObject): readonly ResourceAction[] {
  return definitionsOf(object)
    .filter(({ isOffered }) => isOffered?.(object) ?? true)
    .map(({ name, displayName, params, isDisabled }) => ({
      name,
      disabled: isDisabled?.(object) ?? false,
      params: params?.(object) ?? [],
      ...(displayName === undefined ? {} : { displayName }),
    }))
}

/** Runs such an action; undefined when the object has none of that name. */
export function runBuiltinAction(name: string, run: ActionRun): Result<readonly Impact[]> | undefined {
  return definitionsOf(run.object)
    .find((definition) => definition.name === name)
    ?.run(run)
}
