import { absent, fieldsOf, type Fill, type FillTable, listOf, withAbsent, withField, zero } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/networking/v1/defaults.go and pkg/apis/discovery/v1/defaults.go.

const networkPolicy: Fill = (object) => {
  const spec = fieldsOf(object['spec'])
  if (listOf(spec['policyTypes']).length > 0) return object
  const policyTypes = listOf(spec['egress']).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  return { ...object, spec: { ...spec, policyTypes } }
}

const ingress: Fill = (object) =>
  withField(object, 'status', withAbsent(fieldsOf(object['status']), { loadBalancer: {} }))

/** Defaults of the networking and discovery groups by type. */
export const networkingDefaults: FillTable = {
  'io.k8s.api.networking.v1.NetworkPolicy': networkPolicy,
  'io.k8s.api.networking.v1.NetworkPolicyPort': zero({ protocol: 'TCP' }),
  'io.k8s.api.networking.v1.Ingress': ingress,
  'io.k8s.api.networking.v1.IngressClassParametersReference': absent({ scope: 'Cluster' }),
  'io.k8s.api.discovery.v1.EndpointPort': absent({ name: '', protocol: 'TCP' }),
}
