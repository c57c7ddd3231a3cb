import {
  type Fields,
  fieldsOf,
  type Fill,
  type FillTable,
  listOf,
  withAbsent,
  withField,
  withZero,
} from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/apps/v1/defaults.go.

/** Fills a rolling update only where that is the strategy. */
function rolling(strategy: Fields, defaults: Readonly<Record<string, string | number>>): Fields {
  const typed = withZero(strategy, { type: 'RollingUpdate' })
  if (typed['type'] !== 'RollingUpdate') return typed
  return withField(typed, 'rollingUpdate', withAbsent(fieldsOf(typed['rollingUpdate']), defaults))
}

const onSpec =
  (change: (spec: Fields) => Fields): Fill =>
  (object) =>
    withField(object, 'spec', change(fieldsOf(object['spec'])))

const deployment = onSpec((spec) => {
  const filled = withAbsent(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  const strategy = rolling(fieldsOf(filled['strategy']), { maxUnavailable: '25%', maxSurge: '25%' })
  return withField(filled, 'strategy', strategy)
})

const daemonSet = onSpec((spec) => {
  const filled = withAbsent(spec, { revisionHistoryLimit: 10 })
  return withField(
    filled,
    'updateStrategy',
    rolling(fieldsOf(filled['updateStrategy']), { maxUnavailable: 1, maxSurge: 0 }),
  )
})

const statefulSet = onSpec((spec) => {
  const filled = withAbsent(withZero(spec, { podManagementPolicy: 'OrderedReady' }), {
    replicas: 1,
    revisionHistoryLimit: 10,
  })
  const retention = withZero(fieldsOf(filled['persistentVolumeClaimRetentionPolicy']), {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  })
  const strategy = fieldsOf(filled['updateStrategy'])
  const isBare = strategy['type'] === 'RollingUpdate' && strategy['rollingUpdate'] === undefined
  const updated = withField(filled, 'updateStrategy', isBare ? strategy : rolling(strategy, { partition: 0 }))
  return withClaimKinds(withField(updated, 'persistentVolumeClaimRetentionPolicy', retention))
})

/** Claim templates are whole objects, with the version and kind that they are read in. */
function withClaimKinds(spec: Fields): Fields {
  const templates = listOf(spec['volumeClaimTemplates'])
  const typed = templates.map((template) =>
    withAbsent(fieldsOf(template), { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }),
  )
  return typed.some((template, at) => template !== templates[at]) ? { ...spec, volumeClaimTemplates: typed } : spec
}

/** Defaults of the apps group by type. */
export const appsDefaults: FillTable = {
  'io.k8s.api.apps.v1.Deployment': deployment,
  'io.k8s.api.apps.v1.DaemonSet': daemonSet,
  'io.k8s.api.apps.v1.StatefulSet': statefulSet,
  'io.k8s.api.apps.v1.ReplicaSet': onSpec((spec) => withAbsent(spec, { replicas: 1 })),
}
