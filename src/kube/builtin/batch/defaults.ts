import { fieldsOf, type Fill, type FillTable, withAbsent, withField, withZero, zero } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/batch/v1/defaults.go.

const LARGEST_INT32 = 2 ** 31 - 1

const job: Fill = (object) => {
  const spec = fieldsOf(object['spec'])
  const isSingle = spec['completions'] === undefined && spec['parallelism'] === undefined
  const filled = withAbsent(spec, {
    ...(isSingle ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : LARGEST_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
  })
  const labels = fieldsOf(fieldsOf(fieldsOf(spec['template'])['metadata'])['labels'])
  const metadata = fieldsOf(object['metadata'])
  const isBare = Object.keys(fieldsOf(metadata['labels'])).length === 0 && Object.keys(labels).length > 0
  return withField(isBare ? { ...object, metadata: { ...metadata, labels } } : object, 'spec', filled)
}

const cronJob: Fill = (object) => {
  const spec = withZero(fieldsOf(object['spec']), { concurrencyPolicy: 'Allow' })
  const filled = withAbsent(spec, { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
  return withField(object, 'spec', filled)
}

/** Defaults of the batch group by type. */
export const batchDefaults: FillTable = {
  'io.k8s.api.batch.v1.Job': job,
  'io.k8s.api.batch.v1.CronJob': cronJob,
  'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern': zero({ status: 'True' }),
}
