import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { keyText, type ResourceKey } from '../compare/comparison.ts'
import { asFields, asObjects, at, type Fields, numberAt, textAt } from '../health/reading.ts'

/** Where something answers. */
export interface Address {
  readonly hostname?: string
  readonly ip?: string
}

/** How traffic reaches an object, and where it goes from there. */
export interface Networking {
  /** Objects with these labels get the traffic. */
  readonly targetLabels?: Readonly<Record<string, string>>
  readonly targetRefs: readonly ResourceKey[]
  /** By these labels others find it. */
  readonly labels?: Readonly<Record<string, string>>
  readonly ingress: readonly Address[]
  readonly externalURLs: readonly string[]
}

const LINK = 'link.argocd.argoproj.io/'
const IGNORES_LINKS = 'argocd.argoproj.io/ignore-default-links'
const HARMFUL: readonly string[] = ['javascript', 'data', 'vbscript']

/** Links are shown to be clicked on: what runs in a browser is none, nor is what has no scheme that can be told. */
function isHarmless(address: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]
  return scheme !== undefined && !HARMFUL.includes(scheme.toLowerCase())
}

/** The facts of an object's network view; undefined where there are none. */
export function networkingOf(object: KubeObject): Networking | undefined {
  const own = factsOf(object)
  const links = linksOf(object)
  if (!own && links.length === 0) return undefined
  const { targetRefs = [], ingress = [], externalURLs = [], ...labels } = own ?? {}
  const shown = object.metadata.annotations?.[IGNORES_LINKS] === 'true' ? [] : externalURLs
  return { ...labels, targetRefs: unique(targetRefs), ingress, externalURLs: [...links, ...shown] }
}

/** Links that annotations name, to be shown as they are: an address, or a title and an address. */
export function linksOf({ metadata }: KubeObject): readonly string[] {
  return Object.entries(metadata.annotations ?? {}).flatMap(([name, value]) => {
    if (!name.startsWith(LINK) || typeof value !== 'string') return []
    const address = value.slice(value.indexOf('|') + 1)
    return isHarmless(address) ? [value] : []
  })
}

type Facts = Partial<Networking>

function factsOf(object: KubeObject): Facts | undefined {
  const { group } = parseApiVersion(object.apiVersion)
  switch (`${group}/${object.kind}`) {
    case '/Pod':
      return { labels: object.metadata.labels ?? {} }
    case '/Service':
      return serviceFacts(object)
    case 'extensions/Ingress':
    case 'networking.k8s.io/Ingress':
      return ingressFacts(object)
    case 'networking.istio.io/VirtualService':
      return { targetRefs: virtualServiceTargets(object) }
    case 'networking.istio.io/ServiceEntry':
      return { targetLabels: texts(at(object, 'spec.workloadSelector.labels')) }
    case 'gateway.networking.k8s.io/Gateway':
      return gatewayFacts(object)
    default:
      return group === 'gateway.networking.k8s.io' && object.kind.endsWith('Route')
        ? { targetRefs: routeTargets(object) }
        : undefined
  }
}

const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(asFields(value)).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
  )

const unique = (keys: readonly ResourceKey[]): readonly ResourceKey[] => [
  ...new Map(keys.map((key) => [keyText(key), key])).values(),
]

const service = (namespace: string, name: string): ResourceKey => ({ group: '', kind: 'Service', namespace, name })
const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? ''

function addressesOf(object: KubeObject): readonly Address[] {
  return asObjects(at(object, 'status.loadBalancer.ingress')).flatMap((item): readonly Address[] => {
    const hostname = textAt(item, 'hostname')
    const ip = textAt(item, 'ip')
    if (hostname !== undefined) return [{ hostname }]
    return ip === undefined ? [] : [{ ip }]
  })
}

function serviceFacts(object: KubeObject): Facts {
  const isBalanced = at(object, 'spec.type') === 'LoadBalancer'
  return { targetLabels: texts(at(object, 'spec.selector')), ingress: isBalanced ? addressesOf(object) : [] }
}

function ingressFacts(object: KubeObject): Facts {
  const ingress = addressesOf(object)
  const namespace = namespaceOf(object)
  const targets: ResourceKey[] = []
  const urls = new Set<string>()
  const target = (backend: Fields): void => {
    const name = textAt(backend, 'service.name') ?? textAt(backend, 'serviceName')
    if (name !== undefined) targets.push(service(namespace, name))
  }
  for (const field of ['spec.defaultBackend', 'spec.backend']) target(asFields(at(object, field)))
  const tls = asObjects(at(object, 'spec.tls'))
  const fallback = ingress.map(({ hostname, ip }) => hostname ?? ip ?? '').find((host) => host !== '')
  for (const rule of asObjects(at(object, 'spec.rules'))) {
    const host = textAt(rule, 'host') || fallback
    for (const path of asObjects(at(rule, 'http.paths'))) {
      target(asFields(path['backend']))
      if (host === undefined) continue
      const under = textAt(path, 'path') ?? ''
      urls.add(
        `${isSecured(tls, host) ? 'https' : 'http'}://${host}${under.endsWith('*') ? under.slice(0, -1) : under}`,
      )
    }
  }
  return { targetRefs: targets, ingress, externalURLs: [...urls] }
}

/** A certificate, or the host in the list of those that have one. */
const isSecured = (tls: readonly Fields[], host: string): boolean =>
  tls.some(({ secretName, hosts }) => typeof secretName === 'string' || (Array.isArray(hosts) && hosts.includes(host)))

function virtualServiceTargets(object: KubeObject): readonly ResourceKey[] {
  return asObjects(at(object, 'spec.http'))
    .flatMap((rule) => asObjects(rule['route']))
    .flatMap((route) => {
      const host = textAt(route, 'destination.host')
      if (host === undefined) return []
      const [name = '', namespace = namespaceOf(object)] = host.split('.')
      return [service(namespace, name)]
    })
}

function routeTargets(object: KubeObject): readonly ResourceKey[] {
  const refs = (list: unknown, group: string, kind: string): readonly ResourceKey[] =>
    asObjects(list).flatMap((ref) => {
      const name = textAt(ref, 'name') ?? ''
      if (name === '') return []
      const namespace = textAt(ref, 'namespace') || namespaceOf(object)
      return [{ group: textAt(ref, 'group') || group, kind: textAt(ref, 'kind') || kind, namespace, name }]
    })
  return [
    ...refs(at(object, 'spec.parentRefs'), 'gateway.networking.k8s.io', 'Gateway'),
    ...asObjects(at(object, 'spec.rules')).flatMap((rule) => refs(rule['backendRefs'], '', 'Service')),
  ]
}

function gatewayFacts(object: KubeObject): Facts {
  const ingress = asObjects(at(object, 'status.addresses')).flatMap((address): readonly Address[] => {
    const value = textAt(address, 'value') ?? ''
    const type = textAt(address, 'type') ?? 'IPAddress'
    if (value === '' || (type !== 'Hostname' && type !== 'IPAddress')) return []
    return [type === 'Hostname' ? { hostname: value } : { ip: value }]
  })
  const urls = new Set<string>()
  for (const listener of asObjects(at(object, 'spec.listeners'))) {
    const named = textAt(listener, 'hostname') ?? ''
    const hosts = named !== '' && named !== '*' ? [named] : ingress.map(({ hostname, ip }) => hostname ?? ip ?? '')
    const scheme = ['HTTPS', 'TLS'].includes(textAt(listener, 'protocol') ?? '') ? 'https' : 'http'
    const port = numberAt(listener, 'port')
    const suffix = port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`
    for (const host of hosts) urls.add(`${scheme}://${host}${suffix}`)
  }
  return { ingress, externalURLs: [...urls] }
}
