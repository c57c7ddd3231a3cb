import type { KubeObject } from '../../kube/object.ts'
import type { ClientValidation, KeyPair, ListenerMode } from '../table/table.ts'
import { intersectHosts } from '../table/hostname.ts'
import { authoritiesOf, digestOf, keyPairOf } from './certificates.ts'
import type { Grants } from './grants.ts'
import {
  type Finding,
  type FrontendValidation,
  type GatewayFields,
  type GatewayView,
  GROUP,
  isFalseOf,
  isTrueOf,
  type ListenerFields,
  namespaceOf,
  type ObjectRef,
  specOf,
} from './objects.ts'

/** A kind of route that a listener takes. */
export interface RouteKind {
  readonly group: string
  readonly kind: string
}

/** A listener of one of our Gateways, with what was found about it. */
export interface PlannedListener {
  readonly fields: ListenerFields
  readonly mode: ListenerMode | undefined
  readonly kinds: readonly RouteKind[]
  readonly certificates: readonly KeyPair[]
  readonly clients: ClientValidation | undefined
  /** It is served, as far as it can be bound. */
  readonly isServed: boolean
  readonly findings: readonly Finding[]
}

const KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['HTTP', ['HTTPRoute', 'GRPCRoute']],
  ['HTTPS', ['HTTPRoute', 'GRPCRoute']],
  ['TLS', ['TLSRoute']],
])

/** Looks at every listener of a Gateway. */
export function planListeners(gateway: KubeObject, view: GatewayView, grants: Grants): readonly PlannedListener[] {
  const { listeners = [], tls } = specOf<GatewayFields>(gateway)
  const conflicts = conflictsOf(listeners)
  const overlaps = overlapsOf(listeners)
  return listeners.map((fields) => {
    const { frontend } = tls ?? {}
    const perPort = frontend?.perPort?.find(({ port }) => port === fields.port)
    const validation = perPort ? perPort.tls?.validation : frontend?.default?.validation
    const planned = planListener(fields, {
      gateway,
      view,
      grants,
      conflict: conflicts.get(fields.name),
      validation: fields.protocol === 'HTTPS' ? validation : undefined,
    })
    const overlap = overlaps.get(fields.name)
    return overlap === undefined
      ? planned
      : {
          ...planned,
          findings: [...planned.findings, isTrueOf('OverlappingTLSConfig', 'OverlappingHostnames', overlap)],
        }
  })
}

interface ListenerContext {
  readonly gateway: KubeObject
  readonly view: GatewayView
  readonly grants: Grants
  readonly conflict: Conflict | undefined
  readonly validation: FrontendValidation | undefined
}

function planListener(fields: ListenerFields, context: ListenerContext): PlannedListener {
  const { conflict } = context
  const supported = KINDS.get(fields.protocol)
  const mode = modeOf(fields)
  const { kinds, wrong } = routeKinds(fields, supported ?? [])
  const certificates = mode === 'https' || mode === 'terminate' ? certificatesOf(fields, context) : noCertificates
  const clients = context.validation ? clientsOf(context.validation, context) : noClients
  const refs =
    certificates.problem ??
    clients.problem ??
    (wrong.length > 0
      ? isFalseOf('ResolvedRefs', 'InvalidRouteKinds', `a ${fields.protocol} listener takes no ${wrong.join(', ')}`)
      : isTrueOf('ResolvedRefs', 'ResolvedRefs', 'everything that the listener names was found'))
  const refusal = acceptance(fields, supported !== undefined && mode !== undefined, conflict, clients.refusal)
  const isServed = refusal === undefined && (mode === 'http' || mode === 'passthrough' || certificates.pairs.length > 0)
  return {
    fields,
    mode,
    kinds,
    certificates: certificates.pairs,
    clients: clients.validation,
    isServed,
    findings: [
      refusal ?? isTrueOf('Accepted', 'Accepted', 'the listener is valid'),
      conflict
        ? isTrueOf('Conflicted', conflict.reason, conflict.message)
        : isFalseOf('Conflicted', 'NoConflicts', 'no other listener asks for the same'),
      refs,
    ],
  }
}

function modeOf({ protocol, tls }: ListenerFields): ListenerMode | undefined {
  if (protocol === 'HTTP') return 'http'
  if (protocol === 'HTTPS') return tls?.mode === 'Passthrough' ? undefined : 'https'
  if (protocol === 'TLS') return tls?.mode === 'Passthrough' ? 'passthrough' : 'terminate'
  return undefined
}

function acceptance(
  { protocol }: ListenerFields,
  isSupported: boolean,
  conflict: Conflict | undefined,
  clients: string | undefined,
): Finding | undefined {
  if (!isSupported) {
    return isFalseOf('Accepted', 'UnsupportedProtocol', `listeners of ${protocol} are not supported`)
  }
  if (conflict) return isFalseOf('Accepted', conflict.reason, conflict.message)
  return clients === undefined ? undefined : isFalseOf('Accepted', 'NoValidCACertificate', clients)
}

function routeKinds(
  { allowedRoutes }: ListenerFields,
  supported: readonly string[],
): { readonly kinds: readonly RouteKind[]; readonly wrong: readonly string[] } {
  const asked = allowedRoutes?.kinds ?? []
  if (asked.length === 0) return { kinds: supported.map((kind) => ({ group: GROUP, kind })), wrong: [] }
  const isRight = ({ group = GROUP, kind }: { readonly group?: string; readonly kind: string }): boolean =>
    group === GROUP && supported.includes(kind)
  return {
    kinds: asked.filter(isRight).map(({ kind }) => ({ group: GROUP, kind })),
    wrong: asked.filter((one) => !isRight(one)).map(({ kind }) => kind),
  }
}

interface Certificates {
  readonly pairs: readonly KeyPair[]
  readonly problem?: Finding
}

const noCertificates: Certificates = { pairs: [] }

function certificatesOf({ tls }: ListenerFields, { gateway, view, grants }: ListenerContext): Certificates {
  const refs = tls?.certificateRefs ?? []
  const pairs: KeyPair[] = []
  let problem = refs.length === 0 ? wrongRef('InvalidCertificateRef', 'the listener names no certificate') : undefined
  for (const ref of refs) {
    const found = keyPair(ref, gateway, view, grants)
    if ('pair' in found) pairs.push(found.pair)
    else problem ??= wrongRef(found.reason, found.problem)
  }
  return { pairs, ...(problem ? { problem } : {}) }
}

const wrongRef = (reason: string, message: string): Finding => isFalseOf('ResolvedRefs', reason, message)

/** The key pair that a Gateway names, or why it has none. */
export function keyPair(
  { group = '', kind = 'Secret', name, namespace }: ObjectRef,
  gateway: KubeObject,
  view: GatewayView,
  grants: Grants,
): { readonly pair: KeyPair } | { readonly reason: string; readonly problem: string } {
  const fromNamespace = namespaceOf(gateway)
  const toNamespace = namespace ?? fromNamespace
  const key = `${toNamespace}/${name}`
  const wrong = (problem: string): { readonly reason: string; readonly problem: string } => ({
    reason: 'InvalidCertificateRef',
    problem,
  })
  if (group !== '' || kind !== 'Secret') return wrong(`a certificate is kept in a Secret, not in a ${kind} (${key})`)
  const reference = { fromKind: 'Gateway', fromNamespace, toGroup: '', toKind: 'Secret', toNamespace, toName: name }
  if (!grants.allows(reference)) {
    return {
      reason: 'RefNotPermitted',
      problem: `no ReferenceGrant in ${toNamespace} lets Gateways of ${fromNamespace} use the Secret ${name}`,
    }
  }
  const secret = view.secret(key)
  if (!secret) return wrong(`there is no Secret ${key}`)
  const read = keyPairOf(secret)
  return 'pair' in read ? read : wrong(`the Secret ${key} cannot be used: ${read.problem}`)
}

interface Clients {
  readonly validation: ClientValidation | undefined
  readonly problem?: Finding
  /** None of the authorities can be used. */
  readonly refusal?: string
}

const noClients: Clients = { validation: undefined }

function clientsOf({ caCertificateRefs = [], mode }: FrontendValidation, context: ListenerContext): Clients {
  const found: string[] = []
  let problem: Finding | undefined
  for (const ref of caCertificateRefs) {
    const read = authority(ref, context)
    if (typeof read === 'string') found.push(read)
    else problem ??= read
  }
  if (found.length === 0) {
    const refusal = 'none of the authorities for client certificates can be used'
    return { validation: undefined, refusal, problem: problem ?? wrongRef('InvalidCACertificateRef', refusal) }
  }
  const authorities = found.join('\n')
  const validation = { id: digestOf(authorities), authorities, isOptional: mode === 'AllowInsecureFallback' }
  return { validation, ...(problem ? { problem } : {}) }
}

function authority(
  { group = '', kind = 'ConfigMap', name, namespace }: ObjectRef,
  context: ListenerContext,
): string | Finding {
  const { gateway, view, grants } = context
  const fromNamespace = namespaceOf(gateway)
  const toNamespace = namespace ?? fromNamespace
  const key = `${toNamespace}/${name}`
  if (group !== '' || kind !== 'ConfigMap') {
    return wrongRef('InvalidCACertificateKind', `authorities are kept in a ConfigMap, not in a ${kind} (${key})`)
  }
  const reference = { fromKind: 'Gateway', fromNamespace, toGroup: '', toKind: 'ConfigMap', toNamespace, toName: name }
  if (!grants.allows(reference)) {
    return wrongRef(
      'RefNotPermitted',
      `no ReferenceGrant in ${toNamespace} lets Gateways of ${fromNamespace} use the ConfigMap ${name}`,
    )
  }
  const configMap = view.configMap(key)
  if (!configMap) return wrongRef('InvalidCACertificateRef', `there is no ConfigMap ${key}`)
  const read = authoritiesOf(configMap)
  return 'pem' in read
    ? read.pem
    : wrongRef('InvalidCACertificateRef', `the ConfigMap ${key} cannot be used: ${read.problem}`)
}

interface Conflict {
  readonly reason: 'HostnameConflict' | 'ProtocolConflict'
  readonly message: string
}

const isTls = ({ protocol }: ListenerFields): boolean => protocol === 'HTTPS' || protocol === 'TLS'

/** Listeners that ask for the same, by name: none of them is served. */
function conflictsOf(listeners: readonly ListenerFields[]): ReadonlyMap<string, Conflict> {
  const found = new Map<string, Conflict>()
  for (const one of listeners) {
    if (!KINDS.has(one.protocol)) continue
    const others = listeners.filter((other) => other !== one && other.port === one.port && KINDS.has(other.protocol))
    const protocol = others.find((other) => isTls(other) !== isTls(one))
    const hostname = others.find((other) => (other.hostname ?? '') === (one.hostname ?? ''))
    if (protocol) {
      const message = `the port ${one.port} cannot be both ${one.protocol} and, for the listener ${protocol.name}, ${protocol.protocol}`
      found.set(one.name, { reason: 'ProtocolConflict', message })
    } else if (hostname) {
      const message = `the listener ${hostname.name} asks for the same port and hostname`
      found.set(one.name, { reason: 'HostnameConflict', message })
    }
  }
  return found
}

/** Listeners of HTTPS whose hostnames have names in common, so that a browser may use one's connection for the other. */
function overlapsOf(listeners: readonly ListenerFields[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const https = listeners.filter(({ protocol }) => protocol === 'HTTPS')
  for (const one of https) {
    const other = https.find(
      (candidate) =>
        candidate !== one && candidate.port === one.port && intersectHosts(candidate.hostname, one.hostname),
    )
    if (other) {
      const message = `names of this listener also belong to the listener ${other.name}: what comes over a connection for one is answered 421 by the other`
      found.set(one.name, message)
    }
  }
  return found
}
