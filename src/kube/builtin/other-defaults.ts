import {
  absent,
  fieldsOf,
  type Fill,
  type FillTable,
  listOf,
  withAbsent,
  withField,
  withZero,
  zero,
} from './defaulting.ts'

// Semantics: kubernetes 1.36, the defaults.go of each group, and of apiextensions-apiserver and kube-aggregator.

const crd: Fill = (object) => {
  const spec = fieldsOf(object['spec'])
  const names = fieldsOf(spec['names'])
  const kind = typeof names['kind'] === 'string' ? names['kind'] : ''
  const named = withZero(names, kind === '' ? {} : { singular: kind.toLowerCase(), listKind: `${kind}List` })
  const filled = withAbsent(withField(spec, 'names', named), { conversion: { strategy: 'None' } })
  const status = fieldsOf(object['status'])
  const storage = listOf(spec['versions'])
    .map(fieldsOf)
    .find((version) => version['storage'] === true)?.['name']
  const isStored = listOf(status['storedVersions']).length > 0 || storage === undefined
  const updated = withField(object, 'spec', filled)
  return isStored ? updated : { ...updated, status: { ...status, storedVersions: [storage] } }
}

const flow = 'io.k8s.api.flowcontrol.v1'

/** Defaults of the groups that have few. */
export const otherDefaults: FillTable = {
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': crd,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference': absent({ port: 443 }),
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference': absent({ port: 443 }),
  'io.k8s.api.authentication.v1.TokenRequestSpec': absent({ expirationSeconds: 3_600 }),
  'io.k8s.api.scheduling.v1.PriorityClass': absent({ preemptionPolicy: 'PreemptLowerPriority' }),
  [`${flow}.FlowSchemaSpec`]: zero({ matchingPrecedence: 1_000 }),
  [`${flow}.ExemptPriorityLevelConfiguration`]: absent({ nominalConcurrencyShares: 0, lendablePercent: 0 }),
  [`${flow}.LimitedPriorityLevelConfiguration`]: absent({ nominalConcurrencyShares: 30, lendablePercent: 0 }),
  [`${flow}.QueuingConfiguration`]: zero({ handSize: 8, queues: 64, queueLengthLimit: 50 }),
}
