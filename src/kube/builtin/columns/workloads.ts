import type { KubeObject } from '../../object.ts'
import { parseTime } from '../../time.ts'
import {
  ageColumn,
  ageText,
  at,
  column,
  type Column,
  conditionOf,
  count,
  durationText,
  labelsText,
  nameColumn,
  numberAt,
  objectsAt,
  orNone,
  selectorColumn,
  templateColumns,
  textAt,
  wide,
} from './column.ts'

// Semantics: kubernetes 1.36, pkg/printers/internalversion/printers.go.

const replicas = (name: string, description: string, ...path: readonly string[]): Column =>
  count(name, description, (object) => numberAt(object, ...path))

const ready = column('Ready', 'How many replicas are ready, of how many.', (object) => {
  const wanted = numberAt(object, 'spec', 'replicas')
  return `${numberAt(object, 'status', 'readyReplicas')}/${wanted}`
})

const replicaColumns: readonly Column[] = [
  nameColumn,
  replicas('Desired', 'How many replicas are wanted.', 'spec', 'replicas'),
  replicas('Current', 'How many replicas there are.', 'status', 'replicas'),
  replicas('Ready', 'How many replicas are ready.', 'status', 'readyReplicas'),
  ageColumn,
  ...templateColumns('spec', 'template'),
]

function completions(job: KubeObject): string {
  const succeeded = numberAt(job, 'status', 'succeeded')
  const wanted = at(job, 'spec', 'completions')
  if (typeof wanted === 'number') return `${succeeded}/${wanted}`
  const parallelism = numberAt(job, 'spec', 'parallelism')
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function jobDuration(job: KubeObject, nowMs: number): string {
  const began = parseTime(textAt(job, 'status', 'startTime'))
  if (began === undefined) return ''
  const ended = parseTime(textAt(job, 'status', 'completionTime'))
  return durationText((ended ?? nowMs) - began)
}

function jobStatus(job: KubeObject): string {
  const holds = (type: string): boolean => textAt(conditionOf(job, type), 'status') === 'True'
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running'
}

const flag = (value: unknown): string => (value === undefined ? '<unset>' : value === true ? 'True' : 'False')

/** The tables of the kinds that make Pods, by group and kind. */
export const workloadColumns: Readonly<Record<string, readonly Column[]>> = {
  'apps/Deployment': [
    nameColumn,
    ready,
    replicas('Up-to-date', 'How many replicas are of the latest template.', 'status', 'updatedReplicas'),
    replicas('Available', 'How many replicas have been ready for long enough.', 'status', 'availableReplicas'),
    ageColumn,
    ...templateColumns('spec', 'template'),
    selectorColumn('spec', 'selector'),
  ],
  'apps/ReplicaSet': [...replicaColumns, selectorColumn('spec', 'selector')],
  '/ReplicationController': [
    ...replicaColumns,
    wide('Selector', 'The selector of the Pods.', (object) => labelsText(at(object, 'spec', 'selector'))),
  ],
  'apps/StatefulSet': [nameColumn, ready, ageColumn, ...templateColumns('spec', 'template')],
  'apps/DaemonSet': [
    nameColumn,
    replicas('Desired', 'How many nodes should run the Pod.', 'status', 'desiredNumberScheduled'),
    replicas('Current', 'How many nodes run the Pod.', 'status', 'currentNumberScheduled'),
    replicas('Ready', 'How many nodes have it ready.', 'status', 'numberReady'),
    replicas('Up-to-date', 'How many nodes have it of the latest template.', 'status', 'updatedNumberScheduled'),
    replicas('Available', 'How many nodes have had it ready for long enough.', 'status', 'numberAvailable'),
    column('Node Selector', 'The nodes that it is for.', (object) =>
      labelsText(at(object, 'spec', 'template', 'spec', 'nodeSelector')),
    ),
    ageColumn,
    ...templateColumns('spec', 'template'),
    selectorColumn('spec', 'selector'),
  ],
  'apps/ControllerRevision': [
    nameColumn,
    column('Controller', 'The owner of the revision.', ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
      if (!owner) return '<none>'
      const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0] ?? ''}` : ''
      return `${owner.kind.toLowerCase()}${group}/${owner.name}`
    }),
    count('Revision', 'The number of the revision.', (object) => numberAt(object, 'revision')),
    ageColumn,
  ],
  'batch/Job': [
    nameColumn,
    column('Status', 'The state of the Job.', jobStatus),
    column('Completions', 'How many Pods succeeded, of how many.', completions),
    column('Duration', 'How long the Job has run.', jobDuration),
    ageColumn,
    ...templateColumns('spec', 'template'),
    selectorColumn('spec', 'selector'),
  ],
  'batch/CronJob': [
    nameColumn,
    column('Schedule', 'When Jobs start.', (object) => textAt(object, 'spec', 'schedule')),
    column('Timezone', 'The time zone of the schedule.', (object) => orNone(textAt(object, 'spec', 'timeZone'))),
    { ...column('Suspend', 'No Jobs start.', (object) => flag(at(object, 'spec', 'suspend'))), type: 'boolean' },
    count('Active', 'How many Jobs run.', (object) => objectsAt(object, 'status', 'active').length),
    column('Last Schedule', 'When a Job was started last.', (object, nowMs) => {
      const last = at(object, 'status', 'lastScheduleTime')
      return last === undefined ? '<none>' : ageText(last, nowMs)
    }),
    ageColumn,
    ...templateColumns('spec', 'jobTemplate', 'spec', 'template'),
    selectorColumn('spec', 'jobTemplate', 'spec', 'selector'),
  ],
  '/PodTemplate': [
    nameColumn,
    ...templateColumns('template').map((one) => ({ ...one, priority: 0 })),
    column('Pod Labels', 'The labels of the Pods.', (object) =>
      labelsText(at(object, 'template', 'metadata', 'labels')),
    ),
  ],
}
