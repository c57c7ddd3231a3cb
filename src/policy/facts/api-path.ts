import type { Collection, ListOptions, ResourceInfo } from '../../kube/client.ts'

/** What a raw path of the Kubernetes API names. */
export interface ApiPath {
  readonly collection: Collection
  readonly name?: string
  readonly subresource?: string
  readonly options: ListOptions
}

/** Reads `/api/v1/namespaces/x/pods/y?labelSelector=a`; undefined for paths that are no resources. */
export function parseApiPath(path: string): ApiPath | undefined {
  const [bare = '', query = ''] = path.split('?')
  const parts = bare.split('/').filter((part) => part !== '')
  const [root = '', ...below] = parts
  if (root !== 'api' && root !== 'apis') return undefined
  const [group = '', version = '', ...rest] = root === 'api' ? ['', ...below] : below
  if (version === '' || rest.length === 0) return undefined
  const isInside = rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2] ?? '')
  const [plural = '', name, subresource] = isInside ? rest.slice(2) : rest
  return {
    collection: { resource: { group, version, plural }, ...(isInside ? { namespace: rest[1] ?? '' } : {}) },
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    options: optionsOf(new URLSearchParams(query)),
  }
}

function optionsOf(query: URLSearchParams): ListOptions {
  const [labels, fields, limit] = [query.get('labelSelector'), query.get('fieldSelector'), query.get('limit')]
  return {
    ...(labels === null ? {} : { labelSelector: labels }),
    ...(fields === null ? {} : { fieldSelector: fields }),
    ...(limit === null || !/^\d+$/.test(limit) ? {} : { limit: Number(limit) }),
  }
}

/** Tells whether something served is what an apiVersion and a kind, both perhaps with wildcards, stand for. */
export function servesKind(
  info: ResourceInfo,
  wanted: { readonly group: string; readonly version: string; readonly kind: string },
  matches: (pattern: string, text: string) => boolean,
): boolean {
  return (
    info.subresource === undefined &&
    matches(wanted.group, info.group) &&
    matches(wanted.version, info.version) &&
    matches(wanted.kind, info.kind)
  )
}
