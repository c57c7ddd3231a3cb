/** One request to a webhook, read whole. */
export interface Delivery {
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: DeliveryHeaders
  readonly body: Uint8Array
}

/** Headers by the names that Go gives them, such as `X-Github-Event`, each with all of its values. */
export type DeliveryHeaders = ReadonlyMap<string, readonly string[]>

/** The name of a header as Go writes it: capitals after hyphens. What is no name stays as it is. */
export function canonicalName(name: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

/** What a Go server keeps to itself. */
const KEPT_BACK = new Set(['Host', 'Transfer-Encoding', 'Trailer'])

/** What proves who sends is for us alone: nobody downstream is to see it. */
const MASKED = new Set(['Authorization', 'X-Gitlab-Token'])
const MASK = '*** Masked Auth Secret ***'

/** Reads headers as they came: names and values in turn. */
export function headersOf(raw: readonly string[]): DeliveryHeaders {
  const headers = new Map<string, string[]>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = canonicalName(raw[at] ?? '')
    if (KEPT_BACK.has(name)) continue
    const value = raw[at + 1] ?? ''
    const known = headers.get(name)
    if (known) known.push(value)
    else headers.set(name, [value])
  }
  return headers
}

/** The first value of a header, '' where there is none. */
export const headerOf = (headers: DeliveryHeaders, name: string): string => headers.get(name)?.[0] ?? ''

/** The headers as an event shows them: in order, and without what proves who sent it. */
export function shownHeaders(headers: DeliveryHeaders): string {
  const parts = [...headers.keys()]
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(MASKED.has(name) ? [MASK] : headers.get(name))}`)
  return `{${parts.join(',')}}`
}
