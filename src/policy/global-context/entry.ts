import { isObject } from '../../lib/json.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import type { KubeObject } from '../../kube/object.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a GlobalContextEntry shares, and how it is come by. */
export interface GlobalEntry {
  readonly name: string
  readonly from:
    | {
        readonly kind: 'resources'
        readonly group: string
        readonly version: string
        readonly plural: string
        readonly namespace?: string
      }
    | { readonly kind: 'call'; readonly call: EntryCall; readonly everyMs: number; readonly attempts: number }
  readonly projections: readonly { readonly name: string; readonly expression: string }[]
}

/** A request to the Kubernetes API, or to a service. */
export interface EntryCall {
  readonly method: 'GET' | 'POST'
  readonly path?: string
  readonly url?: string
  readonly headers: Readonly<Record<string, string>>
  readonly caBundle?: string
  readonly body?: Fields
}

const USUAL_REFRESH_MS = 600_000
const SHORTEST_REFRESH_MS = 1_000

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Reads an entry whose shape its definition has checked; undefined when it says neither source. */
export function readEntry({ metadata, spec: written }: KubeObject): GlobalEntry | undefined {
  const spec = isObject(written) ? written : {}
  const projections = listOf(spec['projections']).map(({ name, jmesPath }) => ({
    name: text(name) ?? '',
    expression: text(jmesPath) ?? '',
  }))
  const name = metadata.name ?? ''
  const resource = spec['kubernetesResource']
  if (isObject(resource)) {
    const namespace = text(resource['namespace'])
    return {
      name,
      projections,
      from: {
        kind: 'resources',
        group: text(resource['group']) ?? '',
        version: text(resource['version']) ?? '',
        plural: text(resource['resource']) ?? '',
        ...(namespace === undefined ? {} : { namespace }),
      },
    }
  }
  const call = spec['apiCall']
  if (!isObject(call)) return undefined
  const interval = parseDuration(text(call['refreshInterval']) ?? '10m')
  const everyMs = interval.ok ? millisecondsOf(interval.value) : USUAL_REFRESH_MS
  const attempts = typeof call['retryLimit'] === 'number' ? call['retryLimit'] : 3
  return {
    name,
    projections,
    from: { kind: 'call', call: readCall(call), everyMs: Math.max(everyMs, SHORTEST_REFRESH_MS), attempts },
  }
}

function readCall(call: Fields): EntryCall {
  const service = isObject(call['service']) ? call['service'] : {}
  const [path, url, caBundle] = [text(call['urlPath']), text(service['url']), text(service['caBundle'])]
  const data = listOf(call['data'])
  return {
    method: call['method'] === 'POST' ? 'POST' : 'GET',
    headers: Object.fromEntries(
      listOf(service['headers']).map(({ key, value }) => [text(key) ?? '', text(value) ?? '']),
    ),
    ...(path === undefined ? {} : { path }),
    ...(url === undefined ? {} : { url }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(data.length > 0 ? { body: Object.fromEntries(data.map(({ key, value }) => [text(key) ?? '', value])) } : {}),
  }
}
