import { namedByConnection, travels } from '../table/headers.ts'
import type { Exchange } from './exchange.ts'

/** What we say of the client ourselves, whatever the client says. */
const OURS: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
])

/** The headers of a request as they travel on: the host first, nothing of the connection, and who asked. */
export function forwardedHeaders(exchange: Exchange, host: string, port: number): string[] {
  const { rawHeaders, headers, clientAddress, isTls, authority = host } = exchange
  const connection = headers['connection']
  const named = namedByConnection(typeof connection === 'string' ? connection.toLowerCase() : undefined)
  const sent = ['host', host]
  let before = ''
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    const known = name.toLowerCase()
    if (OURS.has(known)) {
      if (known === 'x-forwarded-for') before += `${value}, `
    } else if (known !== 'expect' && travels(known, named)) sent.push(name, value)
  }
  sent.push('x-forwarded-for', before + clientAddress.replace(/^::ffff:/, ''))
  sent.push(
    'x-forwarded-proto',
    isTls ? 'https' : 'http',
    'x-forwarded-host',
    authority,
    'x-forwarded-port',
    String(port),
  )
  return sent
}
