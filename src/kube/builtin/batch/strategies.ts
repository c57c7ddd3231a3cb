import type { KubeObject } from '../../object.ts'
import { fieldsOf, withField } from '../defaulting.ts'
import type { Preparation } from '../strategy.ts'

/** A Job selects its Pods by its own uid, unless its writer chose the selector. */
function withSelector(job: KubeObject): KubeObject {
  const spec = fieldsOf(job['spec'])
  if (spec['manualSelector'] === true) return job
  const uid = job.metadata.uid ?? ''
  const name = job.metadata.name ?? ''
  const template = fieldsOf(spec['template'])
  const metadata = fieldsOf(template['metadata'])
  const labels = {
    ...fieldsOf(metadata['labels']),
    'controller-uid': uid,
    'batch.kubernetes.io/controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/job-name': name,
  }
  const selector = fieldsOf(spec['selector'])
  const matchLabels = { ...fieldsOf(selector['matchLabels']), 'batch.kubernetes.io/controller-uid': uid }
  return {
    ...job,
    spec: {
      ...spec,
      selector: withField(selector, 'matchLabels', matchLabels),
      template: { ...template, metadata: { ...metadata, labels } },
    },
  }
}

/** What kinds of the batch group change on the way into the store. */
export const batchPreparations: Readonly<Record<string, Preparation>> = {
  'batch/Job': { create: withSelector },
}
