import type { KubeObject } from '../../kube/object.ts'
import type { BackendTls } from '../table/route.ts'
import { authoritiesOf, digestOf } from './certificates.ts'
import {
  byAge,
  type Finding,
  type GatewayView,
  isFalseOf,
  isTrueOf,
  keyOf,
  nameOf,
  namespaceOf,
  type PolicyFields,
  type ServiceFields,
  specOf,
} from './objects.ts'

/** What a policy asks of the connections to a Service, or why there must be none. */
export type PolicyEffect = { readonly tls: BackendTls } | { readonly refusal: string }

interface Planned {
  readonly policy: KubeObject
  readonly effect: PolicyEffect
  readonly findings: readonly Finding[]
}

/** The BackendTLSPolicies of a cluster, by what they are about. */
export class BackendPolicies {
  readonly #bySection = new Map<string, Planned>()
  readonly #planned: Planned[] = []
  /** The Services that each policy is about, by their keys. */
  readonly #targets = new Map<KubeObject, string[]>()

  constructor(view: GatewayView) {
    for (const policy of view.policies.toSorted(byAge)) this.#add(policy, view)
  }

  #add(policy: KubeObject, view: GatewayView): void {
    const { targetRefs = [] } = specOf<PolicyFields>(policy)
    const namespace = namespaceOf(policy)
    const read = readPolicy(policy, view)
    const taken: string[] = []
    const missing: string[] = []
    const targets: string[] = []
    const planned: Planned = { policy, ...read }
    for (const { group = '', kind = 'Service', name, sectionName } of targetRefs) {
      const service = group === '' && kind === 'Service' ? view.service(`${namespace}/${name}`) : undefined
      const { ports = [] } = service ? specOf<ServiceFields>(service) : {}
      if (!service || (sectionName !== undefined && !ports.some((port) => port.name === sectionName))) {
        missing.push(`${kind} ${name}${sectionName === undefined ? '' : ` with a port ${sectionName}`}`)
        continue
      }
      targets.push(`${namespace}/${name}`)
      const section = `${namespace}/${name}:${sectionName ?? ''}`
      const older = this.#bySection.get(section)
      if (older) taken.push(nameOf(older.policy))
      else this.#bySection.set(section, planned)
    }
    this.#targets.set(policy, targets)
    this.#planned.push({ ...planned, findings: findingsOf(read.findings, taken, missing, targets.length) })
  }

  /** What is asked of a port of a Service: by a policy for the port, or for the whole Service. */
  of(service: KubeObject, portName: string): PolicyEffect | undefined {
    const key = keyOf(service)
    const named = portName === '' ? undefined : this.#bySection.get(`${key}:${portName}`)
    return (named ?? this.#bySection.get(`${key}:`))?.effect
  }

  /** Every policy with what was found about it and the Services it is about. */
  *all(): Iterable<{
    readonly policy: KubeObject
    readonly findings: readonly Finding[]
    readonly services: readonly string[]
  }> {
    for (const { policy, findings } of this.#planned) {
      yield { policy, findings, services: this.#targets.get(policy) ?? [] }
    }
  }
}

function findingsOf(
  read: readonly Finding[],
  taken: readonly string[],
  missing: readonly string[],
  targets: number,
): readonly Finding[] {
  const refs = read.filter(({ type }) => type !== 'Accepted')
  if (targets > 0 && taken.length === targets) {
    const message = `older policies are about the same: ${taken.toSorted().join(', ')}`
    return [isFalseOf('Accepted', 'Conflicted', message), ...refs]
  }
  if (targets === 0) {
    return [isFalseOf('Accepted', 'TargetNotFound', `there is no ${missing.toSorted().join(', no ')}`), ...refs]
  }
  return read
}

function readPolicy(policy: KubeObject, view: GatewayView): Omit<Planned, 'policy'> {
  const { validation } = specOf<PolicyFields>(policy)
  const { found, problem } = readAuthorities(policy, view)
  const refs = problem ?? isTrueOf('ResolvedRefs', 'ResolvedRefs', 'everything that the policy names was found')
  const hasRefs = (validation?.caCertificateRefs ?? []).length > 0
  const accepted = acceptance(hasRefs, found, refs, validation?.wellKnownCACertificates ?? '')
  const wrong = accepted.status === 'True' ? problem : accepted
  // What one of several references lacks must not be made up for by the others.
  const effect = wrong
    ? { refusal: `the BackendTLSPolicy ${keyOf(policy)} cannot be kept: ${wrong.message}` }
    : { tls: tlsOf(validation, hasRefs ? found.join('\n') : undefined) }
  return { effect, findings: [accepted, refs] }
}

function acceptance(hasRefs: boolean, found: readonly string[], refs: Finding, wellKnown: string): Finding {
  if (hasRefs && found.length === 0) {
    const message = `none of its authorities can be used: ${refs.message}`
    return isFalseOf('Accepted', 'NoValidCACertificate', message)
  }
  if (hasRefs || wellKnown === 'System') return isTrueOf('Accepted', 'Accepted', 'the policy is kept')
  const message = `the authorities ${JSON.stringify(wellKnown)} are not known, only System is`
  return isFalseOf('Accepted', 'Invalid', wellKnown === '' ? 'it names no authorities' : message)
}

interface Authorities {
  readonly found: readonly string[]
  readonly problem: Finding | undefined
}

function readAuthorities(policy: KubeObject, view: GatewayView): Authorities {
  const { validation } = specOf<PolicyFields>(policy)
  const found: string[] = []
  let problem: Finding | undefined
  const wrong = (reason: string, message: string): void => {
    problem ??= isFalseOf('ResolvedRefs', reason, message)
  }
  for (const { group = '', kind = 'ConfigMap', name } of validation?.caCertificateRefs ?? []) {
    if (group !== '' || kind !== 'ConfigMap') {
      wrong('InvalidKind', `authorities are kept in a ConfigMap, not in a ${kind} (${name})`)
      continue
    }
    const configMap = view.configMap(`${namespaceOf(policy)}/${name}`)
    const read = configMap ? authoritiesOf(configMap) : { problem: 'it does not exist' }
    if ('pem' in read) found.push(read.pem)
    else wrong('InvalidCACertificateRef', `the ConfigMap ${name} cannot be used: ${read.problem}`)
  }
  return { found, problem }
}

function tlsOf(validation: PolicyFields['validation'], authorities: string | undefined): BackendTls {
  const hostname = validation?.hostname ?? ''
  const names = (validation?.subjectAltNames ?? []).map(({ type, hostname: host, uri }) =>
    type === 'URI' ? { type: 'URI' as const, value: uri ?? '' } : { type: 'Hostname' as const, value: host ?? '' },
  )
  return { hostname, authorities, names, id: digestOf(JSON.stringify([hostname, authorities ?? null, names])) }
}
