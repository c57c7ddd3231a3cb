import type { KubeObject } from '../../kube/object.ts'
import { type Filters, type HeaderChange, type Mirror, noFilters, type PathChange } from '../table/route.ts'
import { type BackendContext, type RefProblem, resolveBackend } from './backends.ts'
import type { FilterFields, PathModifier } from './objects.ts'

/** The filters of a rule or of a backend, with what is wrong with them. */
export interface PlannedFilters {
  readonly filters: Filters
  /** References that lead nowhere; what they stand before is refused, a mirror is left out. */
  readonly problems: readonly RefProblem[]
  /** Values that nobody understands: the rule cannot be kept. */
  readonly invalid?: string
}

interface Draft {
  requestHeaders?: HeaderChange
  responseHeaders?: HeaderChange
  redirect?: Filters['redirect']
  rewrite?: Filters['rewrite']
  cors?: Filters['cors']
  refusal?: string
  mirrors: Mirror[]
}

/** Compiles filters. */
export function planFilters(
  fields: readonly FilterFields[],
  route: { readonly kind: string; readonly object: KubeObject },
  context: BackendContext,
): PlannedFilters {
  if (fields.length === 0) return { filters: noFilters, problems: [] }
  const draft: Draft = { mirrors: [] }
  const problems: RefProblem[] = []
  let invalid: string | undefined
  for (const field of fields) {
    const problem = addFilter(draft, field)
    if (problem === 'mirror') addMirror(draft, field, problems, (ref) => resolveBackend(ref, route, context))
    else if (problem === 'extension') {
      const { kind = '', group = '', name = '' } = field.extensionRef ?? {}
      const message = `the filter ${kind} ${name} of ${group} is not supported`
      problems.push({ reason: 'InvalidKind', message })
      draft.refusal = message
    } else invalid ??= problem
  }
  if (draft.redirect && draft.rewrite) invalid ??= 'a redirect and a rewrite exclude each other'
  return { filters: draft as Filters, problems, ...(invalid === undefined ? {} : { invalid }) }
}

/** Adds one filter; answers what has to be looked up, or what is wrong with it. */
function addFilter(draft: Draft, field: FilterFields): string | undefined {
  switch (field.type) {
    case 'RequestHeaderModifier':
      draft.requestHeaders = headerChange(field.requestHeaderModifier)
      return headerProblem(draft.requestHeaders)
    case 'ResponseHeaderModifier':
      draft.responseHeaders = headerChange(field.responseHeaderModifier)
      return headerProblem(draft.responseHeaders)
    case 'RequestRedirect':
      return addRedirect(draft, field.requestRedirect ?? {})
    case 'URLRewrite': {
      const { hostname, path } = field.urlRewrite ?? {}
      const change = path && pathChange(path)
      if (change === 'unknown') return `the path modifier ${JSON.stringify(path?.type)} is not known`
      draft.rewrite = { ...(hostname === undefined ? {} : { hostname }), ...(change ? { path: change } : {}) }
      return undefined
    }
    case 'CORS':
      draft.cors = corsOf(field.cors ?? {})
      return undefined
    case 'RequestMirror':
      return 'mirror'
    case 'ExtensionRef':
      return 'extension'
    default:
      return `the filter ${JSON.stringify(field.type)} is not known`
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

function addRedirect(draft: Draft, fields: NonNullable<FilterFields['requestRedirect']>): string | undefined {
  const { scheme, hostname, port, path, statusCode = 302 } = fields
  const change = path && pathChange(path)
  if (change === 'unknown') return `the path modifier ${JSON.stringify(path?.type)} is not known`
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    return `the scheme ${JSON.stringify(scheme)} is not known`
  if (!REDIRECTS.has(statusCode)) return `${statusCode} is no status of a redirect`
  draft.redirect = {
    status: statusCode,
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(port === undefined ? {} : { port }),
    ...(change ? { path: change } : {}),
  }
  return undefined
}

function addMirror(
  draft: Draft,
  { requestMirror }: FilterFields,
  problems: RefProblem[],
  resolve: (ref: NonNullable<FilterFields['requestMirror']>['backendRef']) => ReturnType<typeof resolveBackend>,
): void {
  if (!requestMirror) return
  const { backendRef, percent, fraction } = requestMirror
  const { target, problem } = resolve(backendRef)
  if (problem) problems.push(problem)
  const share = fraction ? fraction.numerator / (fraction.denominator ?? 100) : (percent ?? 100) / 100
  if (target.do === 'forward' && share > 0) draft.mirrors.push({ to: target, share })
}

function headerChange({
  set = [],
  add = [],
  remove = [],
}: NonNullable<FilterFields['requestHeaderModifier']> = {}): HeaderChange {
  return {
    set: set.map(({ name, value }) => [name, value]),
    add: add.map(({ name, value }) => [name, value]),
    remove: remove.map((name) => name.toLowerCase()),
  }
}

/** A value that would end its line could begin another header. */
function headerProblem({ set, add }: HeaderChange): string | undefined {
  const wrong = [...set, ...add].find(([, value]) => /[^\t\x20-\x7e\x80-\xff]/.test(value))
  return wrong && `the value of the header ${wrong[0]} has characters that a header cannot have`
}

function pathChange({ type, replaceFullPath = '', replacePrefixMatch = '' }: PathModifier): PathChange | 'unknown' {
  if (type === 'ReplaceFullPath') return { replace: 'whole', value: replaceFullPath }
  return type === 'ReplacePrefixMatch' ? { replace: 'prefix', value: replacePrefixMatch } : 'unknown'
}

function corsOf(fields: NonNullable<FilterFields['cors']>): NonNullable<Filters['cors']> {
  return {
    origins: fields.allowOrigins ?? [],
    methods: fields.allowMethods ?? [],
    headers: fields.allowHeaders ?? [],
    expose: fields.exposeHeaders ?? [],
    hasCredentials: fields.allowCredentials === true,
    maxAgeSeconds: fields.maxAge ?? 5,
  }
}
