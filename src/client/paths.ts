import type {
  Collection,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  WatchOptions,
  WriteOptions,
} from '../kube/client.ts'

/** The path of a collection, an object or a subresource. Names are escaped, so that none can leave its place. */
export function pathOf(where: Collection & { readonly name?: string; readonly subresource?: string }): string {
  const { group, version, plural } = where.resource
  const parts = [
    group === '' ? 'api' : 'apis',
    ...(group === '' ? [] : [group]),
    version,
    ...(where.namespace === undefined ? [] : ['namespaces', where.namespace]),
    plural,
    ...(where.name === undefined ? [] : [where.name]),
    ...(where.subresource === undefined ? [] : where.subresource.split('/')),
  ]
  return `/${parts.map(segment).join('/')}`
}

function segment(part: string): string {
  // Escaping leaves these as they are, and a URL would climb by them.
  if (part === '.' || part === '..' || part === '') throw new Error(`${JSON.stringify(part)} cannot be part of a path`)
  return encodeURIComponent(part).replaceAll('%3A', ':')
}

type Options = Omit<ListOptions & WatchOptions & WriteOptions & PatchOptions, 'resourceVersionMatch'> & {
  readonly resourceVersionMatch?: string
}

const PARAMETERS = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'timeoutSeconds',
  'fieldManager',
  'fieldValidation',
  'force',
] as const

/** The query of a request, with its question mark when it has one. */
export function queryOf(options: Options = {}, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(more)
  for (const name of PARAMETERS) {
    const value = options[name]
    if (value !== undefined && value !== '') query.set(name, String(value))
  }
  if (options.dryRun) query.set('dryRun', 'All')
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/** The body of a DELETE. */
export function deleteBody(options: DeleteOptions): string {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options
  return JSON.stringify({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    ...(dryRun ? { dryRun: ['All'] } : {}),
  })
}
