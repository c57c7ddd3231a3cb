import { hostName, parseUrl, urlText } from '../../../lib/go-url.ts'
import { fn, type FunctionTable } from '../function.ts'
import { Failure, failWith, textOf } from '../value.ts'
import { kindName, NIL_DEREFERENCE } from './cast.ts'

function parse(text: string): unknown {
  const url = parseUrl(text)
  if (typeof url === 'string') return failWith(`unable to parse url: ${url}`)
  return {
    scheme: url.scheme,
    host: url.host,
    hostname: hostName(url.host),
    path: url.path,
    query: url.query,
    opaque: url.opaque,
    fragment: url.fragment,
    userinfo: url.userinfo ?? '',
  }
}

const PARTS = ['scheme', 'host', 'path', 'query', 'opaque', 'fragment', 'userinfo'] as const

function join(parts: Readonly<Record<string, unknown>>): unknown {
  const texts = new Map<string, string>()
  for (const key of PARTS) {
    const value = Object.hasOwn(parts, key) ? parts[key] : ''
    const text = textOf(value)
    if (value === null || value === undefined) return failWith(NIL_DEREFERENCE)
    if (text === undefined) {
      return failWith(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`)
    }
    texts.set(key, text)
  }
  const part = (key: string): string => texts.get(key) ?? ''
  const userinfo = userinfoOf(part('userinfo'))
  if (userinfo instanceof Failure) return userinfo
  return urlText({
    scheme: part('scheme'),
    host: part('host'),
    path: part('path'),
    query: part('query'),
    opaque: part('opaque'),
    fragment: part('fragment'),
    userinfo,
  })
}

function userinfoOf(text: string): string | undefined | Failure {
  if (text === '') return undefined
  const url = parseUrl(`proto://${text}@host`)
  return typeof url === 'string' ? failWith(`unable to parse userinfo in dict: ${url}`) : url.userinfo
}

/** URLs as dictionaries. */
export const urls: FunctionTable = {
  urlParse: fn(['string'], 'any', parse),
  urlJoin: fn(['map'], 'any', join),
}
