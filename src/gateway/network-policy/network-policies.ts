import ipaddr from 'ipaddr.js'
import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, type LabelSelectorObject, matchesLabels } from '../../kube/selector.ts'
import { fieldsOf, numberOf, objectsOf, textOf } from '../../lib/fields.ts'

/** Who opens a connection. */
export interface FlowSource {
  readonly namespace: string
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly address: string
}

/** The Pod and the port that a connection is opened to. */
export interface FlowTarget {
  readonly pod: KubeObject
  readonly port: number
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
}

interface Peer {
  readonly podSelector?: LabelSelectorObject
  readonly namespaceSelector?: LabelSelectorObject
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

interface PortField {
  readonly port?: number | string
  readonly endPort?: number
  readonly protocol?: string
}

interface Ingress {
  readonly from?: readonly Peer[]
  readonly ports?: readonly PortField[]
}

interface PolicyFields {
  readonly podSelector?: LabelSelectorObject
  readonly policyTypes?: readonly string[]
  readonly ingress?: readonly Ingress[]
}

/** NetworkPolicies by the namespace that they protect. */
export class NetworkPolicies {
  readonly #byNamespace = new Map<string, { readonly name: string; readonly fields: PolicyFields }[]>()

  constructor(policies: readonly KubeObject[]) {
    for (const policy of policies) {
      const { name = '', namespace = '' } = policy.metadata
      const fields = (policy['spec'] ?? {}) as PolicyFields // its schema makes it so
      // A policy without types is about what comes in.
      if (fields.policyTypes && !fields.policyTypes.includes('Ingress')) continue
      this.#byNamespace.set(namespace, [...(this.#byNamespace.get(namespace) ?? []), { name, fields }])
    }
  }

  /** Nothing in the namespace is protected. */
  isOpen(namespace: string): boolean {
    return !this.#byNamespace.has(namespace)
  }

  /**
   * Why a connection is not let in; undefined where it is. A Pod that no policy selects lets everybody in; one that some
   * select lets in what any of them allows.
   */
  refusal(source: FlowSource, target: FlowTarget): string | undefined {
    const { namespace = '', labels, name = '' } = target.pod.metadata
    const selecting = (this.#byNamespace.get(namespace) ?? []).filter(({ fields }) =>
      selects(fields.podSelector ?? {}, labels),
    )
    if (selecting.length === 0) return undefined
    const isAllowed = selecting.some(({ fields }) => fields.ingress?.some((rule) => allows(rule, source, target)))
    if (isAllowed) return undefined
    const names = selecting.map((policy) => policy.name).toSorted()
    return `the Pod ${namespace}/${name} is protected by NetworkPolicies (${names.join(', ')})`
  }
}

function selects(selector: LabelSelectorObject, labels: Readonly<Record<string, string>> | undefined): boolean {
  const compiled = compileSelector(selector)
  return compiled.ok && matchesLabels(compiled.value, labels)
}

function allows({ from = [], ports = [] }: Ingress, source: FlowSource, target: FlowTarget): boolean {
  if (ports.length > 0 && !ports.some((port) => isPort(port, target))) return false
  return from.length === 0 || from.some((peer) => isPeer(peer, source, target.pod.metadata.namespace ?? ''))
}

function isPort({ port, endPort, protocol = 'TCP' }: PortField, target: FlowTarget): boolean {
  if (protocol !== (target.protocol ?? 'TCP')) return false
  if (port === undefined) return true
  if (typeof port === 'string') return portNumbers(target.pod, port, protocol).includes(target.port)
  return endPort === undefined ? port === target.port : port <= target.port && target.port <= endPort
}

/** The numbers that a Pod's containers give a name. */
function portNumbers(pod: KubeObject, name: string, protocol: string): readonly number[] {
  return (objectsOf(fieldsOf(pod, 'spec'), 'containers') ?? []).flatMap((container) =>
    (objectsOf(container, 'ports') ?? []).flatMap((port) => {
      const number = numberOf(port, 'containerPort')
      const isIt = textOf(port, 'name') === name && (textOf(port, 'protocol') || 'TCP') === protocol
      return isIt && number !== undefined ? [number] : []
    }),
  )
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, source: FlowSource, namespace: string): boolean {
  if (ipBlock)
    return (
      isWithin(source.address, ipBlock.cidr) && !(ipBlock.except ?? []).some((cidr) => isWithin(source.address, cidr))
    )
  if (!podSelector && !namespaceSelector) return false
  const isOfNamespace = namespaceSelector
    ? selects(namespaceSelector, source.namespaceLabels)
    : source.namespace === namespace
  return isOfNamespace && (!podSelector || selects(podSelector, source.labels))
}

function isWithin(address: string, cidr: string): boolean {
  try {
    const parsed = ipaddr.process(address)
    const [network, bits] = ipaddr.parseCIDR(cidr)
    return parsed.kind() === network.kind() && parsed.match(network, bits)
  } catch {
    // What is no network holds no address.
    return false
  }
}
