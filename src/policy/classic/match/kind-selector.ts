import type { GroupVersionKind } from '../../../kube/gvk.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'

/** A kind as rules name it, in parts; each may be a wildcard. */
export interface KindSelector {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly subresource: string
}

const VERSION = /^(v\d+((alpha|beta)\d+)?|\*)$/

/** Reads `Pod`, `v1/Pod`, `apps/v1/Deployment`, `Pod/status`, `apps/v1/Deployment.scale` or `*`. */
export function parseKindSelector(text: string): KindSelector {
  const slashed = text.split('/')
  const last = slashed.pop() ?? ''
  const [first = '', second = '', third = '', fourth = ''] = [...slashed, ...last.split('.')]
  const count = slashed.length + last.split('.').length
  const of = (group: string, version: string, kind: string, subresource: string): KindSelector => ({
    group,
    version,
    kind,
    subresource,
  })
  switch (count) {
    case 1:
      return of('*', '*', first, '')
    case 2:
      if (first === '*' && second === '*') return of('*', '*', '*', '*')
      if (first === '*' && second.toLowerCase() === second) return of('*', '*', first, second)
      return VERSION.test(first) ? of('*', first, second, '') : of('*', '*', first, second)
    case 3:
      return VERSION.test(first) ? of('*', first, second, third) : of(first, second, third, '')
    case 4:
      return of(first, second, third, fourth)
    default:
      return of('', '', '', '')
  }
}

/** Tells whether a selector names a kind. Rules about Pods count for their ephemeral containers too. */
export function selectsKind(selector: KindSelector, kind: GroupVersionKind, subresource: string): boolean {
  if (!matchesWildcard(selector.kind, kind.kind)) return false
  if (!matchesWildcard(selector.group, kind.group) || !matchesWildcard(selector.version, kind.version)) return false
  if (matchesWildcard(selector.subresource, subresource)) return true
  return subresource === 'ephemeralcontainers' && kind.kind === 'Pod' && kind.group === '' && kind.version === 'v1'
}

/** The kind that a text names, without group, version and subresource. */
export const kindNamed = (text: string): string => parseKindSelector(text).kind
