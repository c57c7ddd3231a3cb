import { own } from '../../lib/json.ts'
import { prefixesOf, type RequestTarget } from './path.ts'
import type { AttachedRoute, PathMatch, RequestMatch, RouteAction, ValueMatch } from './route.ts'

/** What of a request is matched. Names of headers are in lower case. */
export interface MatchedRequest {
  readonly method: string
  readonly target: RequestTarget
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** The action of the rule that a request goes by, and the prefix by which it was found. */
export interface RuleMatch {
  readonly action: RouteAction
  readonly prefix: string | undefined
}

interface Candidate {
  readonly match: RequestMatch
  readonly found: RuleMatch
  readonly createdMs: number
  readonly route: string
  /** The place of the rule in its route, then of the match in its rule. */
  readonly at: number
}

/** The rules for one hostname, compiled: found by path, and in the order of precedence where several have the same path. */
export class RuleIndex {
  readonly #exact = new Map<string, Candidate[]>()
  readonly #prefix = new Map<string, Candidate[]>()
  readonly #patterns: (Candidate & { readonly path: PathMatch & { readonly by: 'pattern' } })[] = []
  #lateFrom = 0

  constructor(routes: readonly AttachedRoute[]) {
    for (const { namespace, name, createdMs, rules } of routes) {
      let at = 0
      for (const { matches, action } of rules) {
        for (const match of matches) {
          const { path } = match
          const found = { action, prefix: path.by === 'prefix' ? path.value : undefined }
          this.#add({ match, found, createdMs, route: `${namespace}/${name}`, at: at++ })
        }
      }
    }
    for (const list of [...this.#exact.values(), ...this.#prefix.values()]) list.sort(byPrecedence)
    this.#patterns.sort((a, b) => byPattern(a.path, b.path) || byPrecedence(a, b))
    this.#lateFrom = this.#patterns.findIndex(({ path }) => path.isLate === true)
    if (this.#lateFrom < 0) this.#lateFrom = this.#patterns.length
  }

  #add(candidate: Candidate): void {
    const { path } = candidate.match
    if (path.by === 'pattern') {
      this.#patterns.push({ ...candidate, path })
      return
    }
    const lists = path.by === 'exact' ? this.#exact : this.#prefix
    const list = lists.get(path.value)
    if (list) list.push(candidate)
    else lists.set(path.value, [candidate])
  }

  /** The rule with the highest precedence that the request satisfies. */
  find(request: MatchedRequest): RuleMatch | undefined {
    const { path } = request.target
    const query = lazyQuery(request.target.query)
    return (
      firstOf(this.#exact.get(path), request, query) ??
      this.#byPattern(request, query, 0, this.#lateFrom) ??
      this.#byPrefix(request, query) ??
      this.#byPattern(request, query, this.#lateFrom, this.#patterns.length) ??
      firstOf(this.#prefix.get(''), request, query)
    )
  }

  #byPrefix(request: MatchedRequest, query: Query): RuleMatch | undefined {
    if (this.#prefix.size === 0 || (this.#prefix.size === 1 && this.#prefix.has(''))) return undefined
    for (const prefix of prefixesOf(request.target.path)) {
      if (prefix === '') break
      const found = firstOf(this.#prefix.get(prefix), request, query)
      if (found) return found
    }
    return undefined
  }

  #byPattern(request: MatchedRequest, query: Query, from: number, to: number): RuleMatch | undefined {
    for (let at = from; at < to; at++) {
      const candidate = this.#patterns[at]
      if (candidate?.path.pattern.matches(request.target.path) && satisfies(request, candidate.match, query))
        return candidate.found
    }
    return undefined
  }
}

function byPattern(a: PathMatch & { by: 'pattern' }, b: PathMatch & { by: 'pattern' }): number {
  return Number(a.isLate === true) - Number(b.isLate === true) || b.length - a.length
}

/** A method, then more headers, then more parameters; then the older route, the first by name, the first rule. */
function byPrecedence(a: Candidate, b: Candidate): number {
  return (
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    b.match.query.length - a.match.query.length ||
    a.createdMs - b.createdMs ||
    (a.route < b.route ? -1 : a.route > b.route ? 1 : a.at - b.at)
  )
}

type Query = () => ReadonlyMap<string, string>

function lazyQuery(text: string | undefined): Query {
  let read: ReadonlyMap<string, string> | undefined
  return () => (read ??= readQuery(text ?? ''))
}

/** The parameters of a query; of several with one name, the first. */
function readQuery(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) if (!found.has(name)) found.set(name, value)
  return found
}

function firstOf(
  candidates: readonly Candidate[] | undefined,
  request: MatchedRequest,
  query: Query,
): RuleMatch | undefined {
  if (!candidates) return undefined
  for (const { match, found } of candidates) if (satisfies(request, match, query)) return found
  return undefined
}

function satisfies({ method, headers }: MatchedRequest, match: RequestMatch, query: Query): boolean {
  if (match.method !== undefined && match.method !== method) return false
  for (const wanted of match.headers) {
    const value = own(headers, wanted.name)
    if (!isValue(typeof value === 'object' ? value.join(', ') : value, wanted)) return false
  }
  if (match.query.length === 0) return true
  const parameters = query()
  return match.query.every((wanted) => isValue(parameters.get(wanted.name), wanted))
}

function isValue(value: string | undefined, wanted: ValueMatch): boolean {
  if (value === undefined) return false
  return 'exact' in wanted ? value === wanted.exact : wanted.pattern.matches(value)
}
