import type { HeaderChange } from './route.ts'

/** Names and values in turn, as they came and as they are sent. */
export type HeaderList = readonly string[]

/** What concerns one connection only, and never travels on. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

const NONE: ReadonlySet<string> = new Set()

/** The names that a Connection header adds to what does not travel on. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE
  const names = connection.split(',').map((name) => name.trim().toLowerCase())
  return new Set(names.filter((name) => name !== 'close' && name !== 'keep-alive' && name !== ''))
}

/** Tells whether a header, in lower case, travels on. */
export const travels = (name: string, named: ReadonlySet<string>): boolean =>
  !HOP_BY_HOP.has(name) && (named.size === 0 || !named.has(name))

/** The headers after a filter: what it sets replaces, what it adds follows, what it removes is gone. */
export function changeHeaders(headers: HeaderList, { set, add, remove }: HeaderChange): string[] {
  const gone = new Set(remove)
  for (const [name] of set) gone.add(name.toLowerCase())
  const changed: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    if (!gone.has(name.toLowerCase())) changed.push(name, headers[at + 1] ?? '')
  }
  for (const [name, value] of set) changed.push(name, value)
  for (const [name, value] of add) changed.push(name, value)
  return changed
}

/** The value of the first header of a name in lower case. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const key = headers[at] ?? ''
    if (key.length === name.length && key.toLowerCase() === name) return headers[at + 1]
  }
  return undefined
}
