/** What a path asks for: a resource, or one of the server's own pages. */
export type ParsedPath =
  | {
      readonly is: 'resource'
      readonly group: string
      readonly version: string
      readonly namespace: string | undefined
      readonly plural: string
      readonly name: string | undefined
      readonly subresource: string | undefined
      /** What follows the subresource, as a proxy needs it. */
      readonly rest: string
      /** The old way to ask for a watch: `/api/v1/watch/pods`. */
      readonly isWatch: boolean
    }
  | { readonly is: 'page'; readonly path: string }
  | { readonly is: 'malformed' }

/** Reads `/api/v1/namespaces/a/pods/b/log` and its relatives. */
export function parsePath(path: string): ParsedPath {
  const parts = decodeParts(path)
  if (!parts) return { is: 'malformed' }
  const page: ParsedPath = { is: 'page', path }
  const isCore = parts[0] === 'api'
  if (!isCore && parts[0] !== 'apis') return page
  const group = isCore ? '' : parts[1]
  const version = isCore ? parts[1] : parts[2]
  let rest = parts.slice(isCore ? 2 : 3)
  const isWatch = rest[0] === 'watch'
  if (isWatch) rest = rest.slice(1)
  if (group === undefined || version === undefined || rest.length === 0) return page
  return { ...placeOf(rest), is: 'resource', group, version, isWatch }
}

interface Place {
  readonly namespace: string | undefined
  readonly plural: string
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly rest: string
}

/** Below `namespaces/x` come the subresources of a Namespace, or the collections in it. */
function placeOf(parts: readonly string[]): Place {
  const ofNamespace = parts[2] === undefined || parts[2] === 'status' || parts[2] === 'finalize'
  if (parts[0] === 'namespaces' && !(ofNamespace && parts.length <= 3)) {
    const [, namespace, plural = '', name, subresource, ...rest] = parts
    return { namespace, plural, name, subresource, rest: rest.join('/') }
  }
  const [plural = '', name, subresource, ...rest] = parts
  return { namespace: undefined, plural, name, subresource, rest: rest.join('/') }
}

function decodeParts(path: string): readonly string[] | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  if (!path.includes('%')) return parts
  try {
    return parts.map((part) => decodeURIComponent(part))
  } catch {
    return undefined
  }
}
