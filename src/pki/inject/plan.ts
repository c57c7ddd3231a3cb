import type { Json } from '../../lib/json.ts'
import { isObject } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { annotation, annotationOf, type Certificate } from '../objects.ts'

export const inject = {
  fromCertificate: 'cert-manager.io/inject-ca-from',
  fromSecret: 'cert-manager.io/inject-ca-from-secret',
  fromApiServer: 'cert-manager.io/inject-apiserver-ca',
  allowed: 'cert-manager.io/allow-direct-injection',
} as const

/** Where an authority comes from, as an annotation says; the first that is there counts. */
export type Source =
  | { readonly from: 'api-server' }
  | { readonly from: 'certificate' | 'secret'; readonly key: string }
  | { readonly from: 'nowhere'; readonly because: string }

/** The source that an object names; undefined where it asks for nothing. */
export function sourceOf(object: KubeObject): Source | undefined {
  const named = [
    ['certificate', annotationOf(object, inject.fromCertificate)],
    ['secret', annotationOf(object, inject.fromSecret)],
  ] as const
  const [found] = named.filter(([, value]) => value !== undefined)
  if (found) {
    const [from, value = ''] = found
    const [namespace = '', name = '', ...more] = value.split('/')
    return namespace !== '' && name !== '' && more.length === 0
      ? { from, key: value }
      : { from: 'nowhere', because: `invalid ${from} name: needs a namespace/ prefix` }
  }
  return annotationOf(object, inject.fromApiServer) === 'true' ? { from: 'api-server' } : undefined
}

/** What is known about a source. */
export interface Observed {
  readonly object: KubeObject
  readonly source: Source
  readonly certificate?: Certificate
  readonly secret?: KubeObject
  /** The authority of the API server, in PEM. */
  readonly apiServerCa?: string
}

export type Plan =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'patch'; readonly patch: readonly Json[]; readonly because: string }

/** Puts the authority where an object trusts somebody, unless it is there already. */
export function planInjection(seen: Observed): Plan {
  if (seen.object.metadata.deletionTimestamp !== undefined) return { do: 'nothing', because: 'it is being deleted' }
  const ca = authorityOf(seen)
  if ('because' in ca) return { do: 'nothing', because: ca.because }
  const places = placesOf(seen.object)
  const patch = places.flatMap(({ path, has }) => (has === ca.bundle ? [] : [{ op: 'add', path, value: ca.bundle }]))
  return patch.length === 0
    ? { do: 'nothing', because: 'it is there already' }
    : { do: 'patch', patch, because: `the authority of the ${seen.source.from} changed` }
}

type Authority = { readonly bundle: string } | { readonly because: string }

function authorityOf({ source, certificate, secret, apiServerCa }: Observed): Authority {
  switch (source.from) {
    case 'nowhere':
      return { because: source.because }
    case 'api-server':
      return apiServerCa === undefined
        ? { because: 'the authority of the API server is not known' }
        : { bundle: Buffer.from(apiServerCa).toString('base64') }
    case 'certificate': {
      if (!certificate) return { because: `there is no Certificate ${source.key}` }
      const owner = secret && annotationOf(secret, annotation.certificateName)
      return owner === certificate.metadata.name
        ? bundleOf(secret)
        : { because: 'the Secret does not say that it is of the Certificate' }
    }
    case 'secret':
      return secret && annotationOf(secret, inject.allowed) === 'true'
        ? bundleOf(secret)
        : { because: `the Secret ${source.key} is not there, or does not allow it by ${inject.allowed}` }
  }
}

function bundleOf(secret: KubeObject | undefined): Authority {
  const data: unknown = secret?.['data']
  const value = isObject(data) && Object.hasOwn(data, 'ca.crt') ? data['ca.crt'] : undefined
  return typeof value === 'string' && value !== '' ? { bundle: value } : { because: 'the Secret has no ca.crt' }
}

interface Place {
  readonly path: string
  readonly has: unknown
}

/** Where an object has room for an authority. */
function placesOf(object: KubeObject): readonly Place[] {
  const spec = isObject(object['spec']) ? object['spec'] : {}
  if (object.kind === 'APIService') return [{ path: '/spec/caBundle', has: spec['caBundle'] }]
  if (object.kind === 'CustomResourceDefinition') return conversionPlace(spec)
  const webhooks: unknown = object['webhooks']
  return (Array.isArray(webhooks) ? (webhooks as readonly unknown[]) : []).map((webhook, at) => {
    const config = isObject(webhook) && isObject(webhook['clientConfig']) ? webhook['clientConfig'] : {}
    return { path: `/webhooks/${at}/clientConfig/caBundle`, has: config['caBundle'] }
  })
}

function conversionPlace(spec: Readonly<Record<string, unknown>>): readonly Place[] {
  const conversion = isObject(spec['conversion']) ? spec['conversion'] : {}
  const webhook = isObject(conversion['webhook']) ? conversion['webhook'] : {}
  const config = webhook['clientConfig']
  if (conversion['strategy'] !== 'Webhook' || !isObject(config)) return []
  return [{ path: '/spec/conversion/webhook/clientConfig/caBundle', has: config['caBundle'] }]
}
