import type { KubeObject } from '../../kube/object.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { compilePattern } from '../../lib/re2.ts'
import { trimPrefix } from '../table/path.ts'
import type {
  PathMatch,
  RequestMatch,
  Retry,
  RouteAction,
  RouteRule,
  ValueMatch,
  WeightedBackend,
} from '../table/route.ts'
import { type BackendContext, type RefProblem, resolveBackend } from './backends.ts'
import { type PlannedFilters, planFilters } from './filters.ts'
import { keyOf, type MatchFields, type NamedMatch, type RouteFields, type RuleFields, specOf } from './objects.ts'

/** The rules of a route, compiled, with what is wrong with them. */
export interface PlannedRules {
  readonly rules: readonly RouteRule[]
  readonly problems: readonly RefProblem[]
  /** Rules that cannot be kept and are left out, each with its reason. */
  readonly dropped: readonly string[]
  /** The Services that its rules lead to, as `namespace/name`. */
  readonly services: readonly string[]
}

/** Compiles the rules of an HTTPRoute or a GRPCRoute. */
export function planRules(kind: string, object: KubeObject, context: BackendContext): PlannedRules {
  const rules: RouteRule[] = []
  const problems: RefProblem[] = []
  const dropped: string[] = []
  const seen = new Set<string>()
  for (const [at, fields] of (specOf<RouteFields>(object).rules ?? [{}]).entries()) {
    const name = fields.name ?? String(at)
    const planned = planRule(fields, { kind, object, name }, { ...context, seen })
    problems.push(...planned.problems)
    if ('invalid' in planned) dropped.push(`${name}: ${planned.invalid}`)
    else rules.push(planned.rule)
  }
  return { rules, problems, dropped, services: [...seen] }
}

interface RuleContext {
  readonly kind: string
  readonly object: KubeObject
  readonly name: string
}

type PlannedRule = { readonly problems: readonly RefProblem[] } & (
  | { readonly rule: RouteRule }
  | { readonly invalid: string }
)

function planRule(fields: RuleFields, route: RuleContext, context: BackendContext): PlannedRule {
  const isGrpc = route.kind === 'GRPCRoute'
  const matches: RequestMatch[] = []
  const problems: RefProblem[] = []
  const wanted = fields.matches && fields.matches.length > 0 ? fields.matches : [{}]
  for (const match of wanted) {
    const planned = isGrpc ? grpcMatch(match) : httpMatch(match)
    if (typeof planned === 'string') return { problems, invalid: planned }
    matches.push(planned)
  }
  const filters = planFilters(fields.filters ?? [], route, context)
  problems.push(...filters.problems)
  const invalid = filters.invalid ?? prefixProblem(filters, matches)
  if (invalid !== undefined) return { problems, invalid }
  const backends: WeightedBackend[] = []
  for (const ref of fields.backendRefs ?? []) {
    const { target, problem } = resolveBackend(ref, route, context)
    const more = planFilters(ref.filters ?? [], route, context)
    if (problem) problems.push(problem)
    problems.push(...more.problems)
    const wrong = more.invalid ?? prefixProblem(more, matches)
    if (wrong !== undefined) return { problems, invalid: wrong }
    backends.push({ weight: ref.weight ?? 1, target, filters: more.filters })
  }
  const { request, backendRequest } = fields.timeouts ?? {}
  const action: RouteAction = {
    route: `${route.kind}/${keyOf(route.object)}`,
    rule: route.name,
    isGrpc,
    filters: filters.filters,
    backends,
    requestTimeoutMs: durationMs(request),
    backendTimeoutMs: durationMs(backendRequest),
    ...(fields.retry ? { retry: retryOf(fields.retry) } : {}),
  }
  return { problems, rule: { matches, action } }
}

function prefixProblem({ filters }: PlannedFilters, matches: readonly RequestMatch[]): string | undefined {
  const change = filters.redirect?.path ?? filters.rewrite?.path
  const isWrong = change?.replace === 'prefix' && matches.some(({ path }) => path.by !== 'prefix')
  return isWrong ? 'a prefix can only be replaced where every match is by prefix' : undefined
}

/** Zero, and what cannot be read, is no limit. */
function durationMs(text: string | undefined): number {
  const read = text === undefined ? undefined : parseDuration(text)
  return read?.ok ? millisecondsOf(read.value) : 0
}

const retryOf = ({ codes = [], attempts = 1, backoff }: NonNullable<RuleFields['retry']>): Retry => ({
  codes: new Set(codes),
  attempts: Math.min(attempts, 20),
  backoffMs: durationMs(backoff ?? '25ms'),
})

function httpMatch({ path, headers = [], queryParams = [], method }: MatchFields): RequestMatch | string {
  const by = pathMatch(path?.type ?? 'PathPrefix', path?.value ?? '/')
  if (typeof by === 'string') return by
  const headerMatches = valueMatches(headers, true)
  if (typeof headerMatches === 'string') return headerMatches
  const query = valueMatches(queryParams, false)
  if (typeof query === 'string') return query
  return { path: by, headers: headerMatches, query, ...(typeof method === 'string' ? { method } : {}) }
}

function pathMatch(type: string, value: string): PathMatch | string {
  if (type === 'Exact') return { by: 'exact', value }
  if (type === 'PathPrefix') return { by: 'prefix', value: trimPrefix(value) }
  if (type !== 'RegularExpression') return `the path match ${JSON.stringify(type)} is not known`
  const pattern = compilePattern(value)
  return pattern.ok ? { by: 'pattern', pattern: pattern.value, length: value.length } : problemText(pattern.error)
}

const problemText = (problems: readonly { readonly message: string }[]): string =>
  problems.map(({ message }) => message).join('; ')

/** Of several entries for one name, the first counts. */
function valueMatches(fields: readonly NamedMatch[], isHeader: boolean): readonly ValueMatch[] | string {
  const found = new Map<string, ValueMatch>()
  for (const { name: written, value, type = 'Exact' } of fields) {
    const name = isHeader ? written.toLowerCase() : written
    if (found.has(name)) continue
    if (type === 'Exact') {
      found.set(name, { name, exact: value })
      continue
    }
    if (type !== 'RegularExpression')
      return `the match ${JSON.stringify(type)} of ${JSON.stringify(written)} is not known`
    const pattern = compilePattern(value)
    if (!pattern.ok) return problemText(pattern.error)
    found.set(name, { name, pattern: pattern.value })
  }
  return [...found.values()]
}

/** A call of gRPC is a path: the service, then its method. */
function grpcMatch({ method, headers = [] }: MatchFields): RequestMatch | string {
  const headerMatches = valueMatches(headers, true)
  if (typeof headerMatches === 'string') return headerMatches
  const path = grpcPath(typeof method === 'object' ? method : {})
  return typeof path === 'string' ? path : { path, method: 'POST', headers: headerMatches, query: [] }
}

function grpcPath({
  type = 'Exact',
  service = '',
  method = '',
}: Exclude<MatchFields['method'], string | undefined>): PathMatch | string {
  if (service === '' && method === '') return { by: 'prefix', value: '' }
  if (type === 'Exact' && service !== '') {
    return method === '' ? { by: 'prefix', value: `/${service}` } : { by: 'exact', value: `/${service}/${method}` }
  }
  if (type !== 'Exact' && type !== 'RegularExpression') return `the method match ${JSON.stringify(type)} is not known`
  const quoted = type === 'Exact' ? method.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : method
  const source = `/${service === '' ? '[^/]+' : `(?:${service})`}/${quoted === '' ? '[^/]+' : `(?:${quoted})`}`
  const pattern = compilePattern(source)
  if (!pattern.ok) return problemText(pattern.error)
  // Characters of the service count before those of the method.
  const length = service.length * 4_096 + method.length
  return { by: 'pattern', pattern: pattern.value, length, isLate: service === '' }
}
