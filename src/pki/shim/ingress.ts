import type { KubeObject } from '../../kube/object.ts'
import type { WantedSecrets } from './plan.ts'

interface TlsBlock {
  readonly hosts?: readonly string[]
  readonly secretName?: string
}

/** The Secrets that the TLS blocks of an Ingress name. */
export function ingressSecrets(ingress: KubeObject): WantedSecrets {
  const { tls = [] } = (ingress['spec'] ?? {}) as { readonly tls?: readonly TlsBlock[] } // the API server checks it
  const hosts = new Map<string, readonly string[]>()
  const firstAt = new Map<string, number>()
  const skipped: string[] = []
  for (const [at, { secretName = '', hosts: names = [] }] of tls.entries()) {
    const first = firstAt.get(secretName)
    if (first !== undefined && secretName !== '') {
      const refused = `spec.tls[${first}].secretName: Invalid value: ${JSON.stringify(secretName)}: this secret name must only appear in a single TLS entry but is also used in spec.tls[${at}].secretName`
      return { hosts: new Map(), named: new Set(), skipped: [], refused }
    }
    firstAt.set(secretName, at)
    const missing = [...(names.length === 0 ? ['hosts'] : []), ...(secretName === '' ? ['secretName'] : [])]
    if (missing.length > 0) {
      const fields = missing.map((field) => `spec.tls[${at}].${field}: Required value`)
      skipped.push(`Skipped a TLS block: ${fields.length > 1 ? `[${fields.join(', ')}]` : (fields[0] ?? '')}`)
    } else hosts.set(secretName, names)
  }
  return { hosts, named: new Set(firstAt.keys()), skipped }
}
