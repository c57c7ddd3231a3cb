import type { KubeObject } from '../../kube/object.ts'
import { annotationOf } from '../objects.ts'
import type { WantedSecrets } from './plan.ts'

interface CertificateRef {
  readonly group?: string
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
}

interface Listener {
  readonly name?: string
  readonly hostname?: string
  readonly protocol?: string
  readonly tls?: { readonly mode?: string; readonly certificateRefs?: readonly CertificateRef[] }
}

const IGNORED = 'cert-manager.io/ignore-tls-listeners'

/** The Secrets that the TLS listeners of a Gateway name. */
export function gatewaySecrets(gateway: KubeObject): WantedSecrets {
  const { listeners = [] } = (gateway['spec'] ?? {}) as { readonly listeners?: readonly Listener[] } // its schema is checked
  const namespace = gateway.metadata.namespace ?? ''
  const ignored = new Set((annotationOf(gateway, IGNORED) ?? '').split(',').map((name) => name.trim()))
  const hosts = new Map<string, readonly string[]>()
  const skipped: string[] = []
  for (const [at, listener] of listeners.entries()) {
    if (!isTerminated(listener) || ignored.has(listener.name ?? '')) continue
    const problems = problemsOf(listener, namespace, `spec.listeners[${at}]`)
    if (problems.length > 0) {
      skipped.push(
        `Skipped a listener block: ${problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? '')}`,
      )
      continue
    }
    for (const { name = '' } of listener.tls?.certificateRefs ?? []) {
      hosts.set(name, [...(hosts.get(name) ?? []), listener.hostname ?? ''])
    }
  }
  const named = listeners.flatMap(({ tls }) => (tls?.certificateRefs ?? []).map(({ name = '' }) => name))
  return { hosts, named: new Set(named), skipped }
}

/** Whether a listener takes TLS that ends at it. */
const isTerminated = ({ protocol, tls }: Listener): boolean =>
  (protocol === 'HTTPS' || protocol === 'TLS') && tls?.mode !== 'Passthrough'

function problemsOf({ hostname, tls }: Listener, namespace: string, at: string): readonly string[] {
  const required = (field: string, detail: string): string => `${at}.${field}: Required value: ${detail}`
  const problems = hostname ? [] : [required('hostname', 'the hostname cannot be empty')]
  if (!tls) return [...problems, required('tls', 'the TLS block cannot be empty')]
  const { certificateRefs = [], mode = 'Terminate' } = tls
  if (certificateRefs.length === 0) problems.push(required('tls.certificateRef', 'listener has no certificateRefs'))
  for (const [index, ref] of certificateRefs.entries()) {
    const where = `${at}.tls.certificateRef[${index}]`
    const { group = '', kind = 'Secret' } = ref
    if (group !== '' && group !== 'core') {
      problems.push(`${where}.group: Unsupported value: ${JSON.stringify(group)}: supported values: "core", ""`)
    }
    if (kind !== 'Secret' && kind !== '') {
      problems.push(`${where}.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Secret", ""`)
    }
    if (ref.namespace !== undefined && ref.namespace !== namespace) {
      problems.push(
        `${where}.namespace: Invalid value: ${JSON.stringify(ref.namespace)}: cross-namespace secret references are not allowed in listeners`,
      )
    }
  }
  if (mode !== 'Terminate') {
    problems.push(`${at}.tls.mode: Unsupported value: ${JSON.stringify(mode)}: supported values: "Terminate"`)
  }
  return problems
}
