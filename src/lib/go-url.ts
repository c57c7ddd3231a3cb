import { bytesOf, stringOf } from './go-string.ts'

/** A URL in the parts that Go's net/url gives it. Parts are decoded but for query, opaque and userinfo. */
export interface GoUrl {
  readonly scheme: string
  readonly opaque: string
  /** As it is written again; undefined where there is none. */
  readonly userinfo: string | undefined
  readonly host: string
  readonly path: string
  /** The path as it was written, where that differs from the usual escaping. */
  readonly rawPath?: string
  readonly query: string
  readonly fragment: string
  readonly rawFragment?: string
  readonly isQueryForced?: boolean
}

/** What may stand unescaped in a part of a URL. */
type Part = 'path' | 'host' | 'zone' | 'user' | 'fragment'

const UNRESERVED = /[A-Za-z0-9\-_.~]/
const ALLOWED: Readonly<Record<Part, RegExp>> = {
  path: /[$&+,/:;=@]/,
  host: /[!$&'()*+,;=:[\]<>"]/,
  zone: /[!$&'()*+,;=:[\]<>"]/,
  user: /[$&+,;=]/,
  fragment: /[$&+,/:;=?@!()*]/,
}

/** Escapes what a part of a URL may not hold. */
export function escapePart(text: string, part: Part): string {
  let escaped = ''
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte)
    const isPlain = byte < 0x80 && (UNRESERVED.test(character) || ALLOWED[part].test(character))
    escaped += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

class UrlProblem extends Error {}

const quote = (text: string): string => JSON.stringify(text)

function unescapePart(text: string, part: Part): string {
  for (const found of text.matchAll(/%.{0,2}/gs)) {
    if (!/^%[0-9a-fA-F]{2}$/.test(found[0])) throw new UrlProblem(`invalid URL escape ${quote(found[0])}`)
    const byte = Number.parseInt(found[0].slice(1), 16)
    if (part === 'host' && byte < 0x80 && found[0] !== '%25')
      throw new UrlProblem(`invalid URL escape ${quote(found[0])}`)
  }
  if (part === 'host') {
    const bad = Array.from(text).find(
      (character) =>
        character < '\x80' && character !== '%' && !UNRESERVED.test(character) && !ALLOWED.host.test(character),
    )
    if (bad !== undefined) throw new UrlProblem(`invalid character ${quote(bad)} in host name`)
  }
  if (!text.includes('%')) return text
  const bytes: number[] = []
  for (const found of text.matchAll(/%([0-9a-fA-F]{2})|[^%]+/g)) {
    if (found[1] === undefined) bytes.push(...bytesOf(found[0]))
    else bytes.push(Number.parseInt(found[1], 16))
  }
  return stringOf(Uint8Array.from(bytes))
}

function cut(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function splitScheme(text: string): readonly [string, string] {
  const found = /^([a-zA-Z][a-zA-Z0-9+\-.]*):/.exec(text)
  if (found) return [(found[1] ?? '').toLowerCase(), text.slice(found[0].length)]
  if (text.startsWith(':')) throw new UrlProblem('missing protocol scheme')
  return ['', text]
}

function parseHost(host: string): string {
  const close = host.lastIndexOf(']')
  if (host.startsWith('[') && close < 0) throw new UrlProblem("missing ']' in host")
  const port = host.startsWith('[')
    ? host.slice(close + 1)
    : host.includes(':')
      ? host.slice(host.lastIndexOf(':'))
      : ''
  if (port !== '' && !/^:\d*$/.test(port)) throw new UrlProblem(`invalid port ${quote(port)} after host`)
  return unescapePart(host, 'host')
}

const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/

function parseUser(text: string): string {
  if (!USERINFO.test(text)) throw new UrlProblem('net/url: invalid userinfo')
  const [name, password] = cut(text, ':')
  const user = escapePart(unescapePart(name, 'user'), 'user')
  return password === undefined ? user : `${user}:${escapePart(unescapePart(password, 'user'), 'user')}`
}

interface Authority {
  readonly userinfo: string | undefined
  readonly host: string
}

function parseAuthority(text: string): Authority {
  const at = text.lastIndexOf('@')
  const host = parseHost(at < 0 ? text : text.slice(at + 1))
  return { host, userinfo: at < 0 ? undefined : parseUser(text.slice(0, at)) }
}

function parseParts(text: string): GoUrl {
  const [beforeFragment, fragment] = cut(text, '#')
  if (/[\p{Cc}]/u.test(beforeFragment) && Array.from(beforeFragment).some((each) => each < ' ' || each === '\x7f')) {
    throw new UrlProblem('net/url: invalid control character in URL')
  }
  if (beforeFragment === '*') return { ...NONE, path: '*' }
  const [scheme, afterScheme] = splitScheme(beforeFragment)
  const isForced = afterScheme.endsWith('?') && afterScheme.indexOf('?') === afterScheme.length - 1
  const [beforeQuery, query = ''] = cut(afterScheme, '?')
  const common = {
    ...NONE,
    scheme,
    query: isForced ? '' : query,
    isQueryForced: isForced,
    ...fragmentOf(fragment ?? ''),
  }
  if (!beforeQuery.startsWith('/')) {
    if (scheme !== '') return { ...common, opaque: beforeQuery }
    if (cut(beforeQuery, '/')[0].includes(':')) throw new UrlProblem('first path segment in URL cannot contain colon')
  }
  if (!beforeQuery.startsWith('//') || (scheme === '' && beforeQuery.startsWith('///'))) {
    return { ...common, ...pathOf(beforeQuery) }
  }
  const slash = beforeQuery.indexOf('/', 2)
  const authority = beforeQuery.slice(2, slash < 0 ? beforeQuery.length : slash)
  return { ...common, ...parseAuthority(authority), ...pathOf(slash < 0 ? '' : beforeQuery.slice(slash)) }
}

const NONE: GoUrl = { scheme: '', opaque: '', userinfo: undefined, host: '', path: '', query: '', fragment: '' }

function pathOf(written: string): Pick<GoUrl, 'path' | 'rawPath'> {
  const path = unescapePart(written, 'path')
  return escapePart(path, 'path') === written ? { path } : { path, rawPath: written }
}

function fragmentOf(written: string): Pick<GoUrl, 'fragment' | 'rawFragment'> {
  const fragment = unescapePart(written, 'fragment')
  return escapePart(fragment, 'fragment') === written ? { fragment } : { fragment, rawFragment: written }
}

/** Reads a URL or reference; a text that is none gives what Go says about it. */
export function parseUrl(text: string): GoUrl | string {
  try {
    return parseParts(text)
  } catch (error) {
    if (error instanceof UrlProblem) return `parse ${quote(text)}: ${error.message}`
    throw error
  }
}

/** The host without its port and brackets. */
export function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(1, Math.max(host.indexOf(']'), 1))
  return host.replace(/:\d*$/, '')
}

function authorityText({ scheme, host, userinfo, path }: GoUrl): string {
  if (scheme === '' && host === '' && userinfo === undefined) return ''
  let text = host !== '' || userinfo !== undefined || path.startsWith('/') ? '//' : ''
  if (userinfo !== undefined) text += `${userinfo}@`
  return text + escapePart(host, 'host')
}

function hierarchyText(url: GoUrl, before: string): string {
  const authority = authorityText(url)
  const path = url.rawPath ?? (url.path === '*' ? '*' : escapePart(url.path, 'path'))
  if (path !== '' && !path.startsWith('/') && url.host !== '') return `${authority}/${path}`
  // A colon in the first segment would read as a scheme.
  return before === '' && authority === '' && cut(path, '/')[0].includes(':') ? `./${path}` : authority + path
}

/** Writes a URL. */
export function urlText(url: GoUrl): string {
  const scheme = url.scheme === '' ? '' : `${url.scheme}:`
  const query = url.isQueryForced === true || url.query !== '' ? `?${url.query}` : ''
  const fragment = url.fragment === '' ? '' : `#${url.rawFragment ?? escapePart(url.fragment, 'fragment')}`
  return scheme + (url.opaque === '' ? hierarchyText(url, scheme) : url.opaque) + query + fragment
}
