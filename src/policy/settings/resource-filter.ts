import { matchesWildcard } from '../engine/wildcard.ts'

/** Requests that policies never see: `[kind,namespace,name]`. */
export interface ResourceFilter {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

const FILTER = /\[([^[\]]*)\]/g
const VERSION = /^(?:v\d\w*|\*)$/

/** Reads `[Event,*,*][*\/*,kube-system,*]`; what is left out is everything. */
export function parseResourceFilters(text: string): readonly ResourceFilter[] {
  return [...text.matchAll(FILTER)].map((found) => {
    const [kind = '*', namespace = '*', name = '*'] = (found[1] ?? '').split(',').map((part) => part.trim())
    return { ...parseKind(kind), namespace: namespace || '*', name: name || '*' }
  })
}

/** `Pod`, `Pod/status`, `v1/Pod`, `apps/v1/Deployment`, `apps/v1/Deployment/scale`, `*\/*`. */
function parseKind(text: string): Pick<ResourceFilter, 'group' | 'version' | 'kind' | 'subresource'> {
  const parts = text.split('/')
  const any = { group: '*', version: '*', subresource: '' }
  const [first = '*', second = '', third = '', fourth = ''] = parts
  switch (parts.length) {
    case 1:
      return { ...any, kind: first }
    case 2:
      return VERSION.test(first) && second !== '*' && !second.startsWith('?')
        ? { ...any, version: first, kind: second }
        : { ...any, kind: first, subresource: second }
    case 3:
      return VERSION.test(first)
        ? { ...any, version: first, kind: second, subresource: third }
        : { ...any, group: first, version: second, kind: third }
    default:
      return { group: first, version: second, kind: third, subresource: fourth }
  }
}

/** What a filter is held against. */
export interface Filtered {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly subresource?: string
  readonly namespace?: string
  readonly name: string
}

/** Tells whether any filter takes a request out. */
export function isFiltered(filters: readonly ResourceFilter[], about: Filtered): boolean {
  const { kind, subresource = '', name } = about
  // A namespace is also in itself.
  const namespace = kind.kind === 'Namespace' ? name : (about.namespace ?? '')
  return filters.some(
    (filter) =>
      matchesWildcard(filter.kind, kind.kind) &&
      matchesWildcard(filter.group, kind.group) &&
      matchesWildcard(filter.version, kind.version) &&
      matchesWildcard(filter.subresource, subresource) &&
      (matchesWildcard(filter.namespace, namespace) || (kind.kind === 'Namespace' && filter.namespace === '')) &&
      matchesWildcard(filter.name, name),
  )
}
