import { traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { CelMap } from '../value/map.ts'

const type = opaque('kubernetes.URL')

interface UrlParts {
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string
}

class UrlValue extends CelObject {
  readonly type = type
  readonly parts: UrlParts

  constructor(parts: UrlParts) {
    super()
    this.parts = parts
  }

  equals(other: unknown): boolean {
    return other instanceof UrlValue && this.parts.text === other.parts.text
  }

  toJson(): string {
    return this.parts.text
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const FORBIDDEN = /[\u0000-\u0020\u007f]/
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/
// oxlint-disable-next-line no-control-regex -- what is beyond ASCII is let through
const HOST = /^(?:\[[0-9a-fA-F:.%~\w-]+\]|(?:[\w\-.~!$&'()*+,;="<>]|%[0-9a-fA-F]{2}|[^\u0000-\u007f])*)(?::\d*)?$/
const PARTS = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

/** Reads an absolute URL or an absolute path, as a request line may hold it. */
function parse(text: string): UrlParts | undefined {
  if (text === '' || FORBIDDEN.test(text)) return undefined
  const found = PARTS.exec(text)
  if (!found) return undefined
  const [, scheme = '', authority, path = '', query = ''] = found
  // Without a scheme it must be an absolute path; two slashes then begin a path too, in a request line.
  if (scheme === '' && !text.startsWith('/')) return undefined
  if (scheme !== '' && authority === undefined && !path.startsWith('/') && path === '') return undefined
  const host = (authority ?? '').slice((authority ?? '').lastIndexOf('@') + 1)
  if (BAD_ESCAPE.test(path) || !HOST.test(host)) return undefined
  return { text, scheme: scheme.toLowerCase(), host, path, query }
}

function fromString(text: string): UrlValue {
  const parts = parse(text)
  if (!parts)
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text.slice(0, 200))}: invalid URI for request`,
    )
  return new UrlValue(parts)
}

function hostnameOf({ parts: { host } }: UrlValue): string {
  const bare = host.replace(/:\d*$/, '')
  return bare.startsWith('[') ? bare.slice(1, -1) : bare
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // A malformed escape: such parameters are left out.
    return undefined
  }
}

function queryOf({ parts: { query } }: UrlValue): CelMap {
  const values = new Map<string, string[]>()
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';')) continue
    const equals = part.indexOf('=')
    const key = unescape(equals < 0 ? part : part.slice(0, equals))
    const value = unescape(equals < 0 ? '' : part.slice(equals + 1))
    if (key === undefined || value === undefined) continue
    const known = values.get(key)
    if (known) known.push(value)
    else values.set(key, [value])
  }
  const map = new CelMap()
  for (const [key, list] of values) map.add(key, list)
  return map
}

/** A path with what must be escaped escaped; escapes that are there stay. */
const escapePath = (path: string): string =>
  path.replaceAll(/%[0-9a-fA-F]{2}|[^A-Za-z0-9\-_.~$&+,/:;=@!'()*]/gu, (found) =>
    found.length > 1 && found.startsWith('%') ? found : encodeURIComponent(found),
  )

const once: CostRule = (text) => traversal(text)
const U = 'kubernetes.URL'

/** URLs. */
export const urlLibrary: Library = {
  name: 'kubernetes.url',
  types: [type],
  overloads: [
    overload('string_to_url', `url(string): ${U}`, fromString, once),
    overload('is_url_string', 'isURL(string): bool', (text: string) => parse(text) !== undefined, once),
    overload('url_get_scheme', `${U} -> getScheme(): string`, ({ parts }: UrlValue) => parts.scheme),
    overload('url_get_host', `${U} -> getHost(): string`, ({ parts }: UrlValue) => parts.host),
    overload('url_get_hostname', `${U} -> getHostname(): string`, hostnameOf),
    overload(
      'url_get_port',
      `${U} -> getPort(): string`,
      ({ parts }: UrlValue) => /:(\d*)$/.exec(parts.host)?.[1] ?? '',
    ),
    overload('url_get_escaped_path', `${U} -> getEscapedPath(): string`, ({ parts }: UrlValue) =>
      escapePath(parts.path),
    ),
    overload('url_get_query', `${U} -> getQuery(): map<string, list<string>>`, queryOf),
  ],
}
