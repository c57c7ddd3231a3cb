/** A listener's or a route's hostname: `a.b`, `*.b` for everything below `b`, or undefined for every name. */
export type HostPattern = string | undefined

/** The pattern that both patterns cover, which is the narrower of the two; undefined where no name is in both. */
export function intersectHosts(a: HostPattern, b: HostPattern): { readonly host: HostPattern } | undefined {
  if (a === undefined) return { host: b }
  if (b === undefined || a === b) return { host: a }
  if (isWithin(a, b)) return { host: a }
  return isWithin(b, a) ? { host: b } : undefined
}

/** Names below `a.b` are below `b` too, so `*.a.b` lies within `*.b`. */
const isWithin = (narrow: string, wide: string): boolean =>
  wide.startsWith('*.') && isBelow(narrow.startsWith('*.') ? narrow.slice(1) : narrow, wide.slice(1))

const isBelow = (name: string, suffix: string): boolean => name.endsWith(suffix) && name.length > suffix.length

/** Tells whether a name, in lower case, is one that the pattern covers. */
export const coversHost = (pattern: HostPattern, name: string): boolean =>
  pattern === undefined || pattern === name || (pattern.startsWith('*.') && isBelow(name, pattern.slice(1)))

const PLAIN = /^[a-z0-9._-]+$/
const ALLOWED = /^[A-Za-z0-9._~!$&'()*+,;=%-]+$/

/** What a Host header or :authority names, in lower case and without a port; undefined where it names nothing. */
export interface Authority {
  readonly host: string
  readonly port: number | undefined
}

/** Reads a Host header; undefined where it is none. An IPv6 address keeps its brackets. */
export function readAuthority(text: string): Authority | undefined {
  if (text.length > 300) return undefined
  const colon = text.startsWith('[') ? text.indexOf(':', text.indexOf(']')) : text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  const port = colon < 0 ? undefined : readPort(text.slice(colon + 1))
  if (port === 'none' || name === '') return undefined
  if (PLAIN.test(name)) return { host: name.endsWith('.') && name.length > 1 ? name.slice(0, -1) : name, port }
  if (/^\[[0-9A-Fa-f:.]+\]$/.test(name)) return { host: name.toLowerCase(), port }
  if (!ALLOWED.test(name)) return undefined
  return { host: name.toLowerCase().replace(/\.$/, ''), port }
}

function readPort(text: string): number | undefined | 'none' {
  if (text === '') return undefined
  if (!/^\d{1,5}$/.test(text)) return 'none'
  const port = Number(text)
  return port > 0 && port < 65_536 ? port : 'none'
}

/** Values filed under host patterns; the most specific pattern that covers a name answers. */
export class HostIndex<T> {
  readonly #exact = new Map<string, T>()
  /** By what follows the star, with its dot. */
  readonly #below = new Map<string, T>()
  #any: T | undefined

  get(pattern: HostPattern): T | undefined {
    if (pattern === undefined) return this.#any
    return pattern.startsWith('*.') ? this.#below.get(pattern.slice(1)) : this.#exact.get(pattern)
  }

  set(pattern: HostPattern, value: T): void {
    if (pattern === undefined) this.#any = value
    else if (pattern.startsWith('*.')) this.#below.set(pattern.slice(1), value)
    else this.#exact.set(pattern, value)
  }

  /** The value of the most specific pattern: the name itself, then the longest that is below a star, then every name. */
  find(name: string): T | undefined {
    const exact = this.#exact.get(name)
    if (exact !== undefined) return exact
    if (this.#below.size > 0) {
      for (let dot = name.indexOf('.', 1); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        const found = this.#below.get(name.slice(dot))
        if (found !== undefined) return found
      }
    }
    return this.#any
  }

  *values(): Iterable<T> {
    yield* this.#exact.values()
    yield* this.#below.values()
    if (this.#any !== undefined) yield this.#any
  }
}
