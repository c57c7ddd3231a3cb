import { textOf } from '../../../lib/fields.ts'
import { describeError } from '../../../lib/log.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { ServiceHttp, ServiceRequest } from '../../../runtime/service-http.ts'
import type { AskForge } from './forge.ts'

/** How a forge is reached. */
export interface ForgeAccess extends Pick<ServiceRequest, 'ca' | 'cert' | 'key' | 'skipVerify'> {
  readonly http: ServiceHttp
  readonly signal: AbortSignal
}

const TIMEOUT_MS = 20_000
const LONGEST = 4 * 1024 * 1024

/** Asks a forge as somebody. What it refuses is told by its status and its own words, never by what it was asked with. */
export function askForge({ http, signal, ...tls }: ForgeAccess, headers: Readonly<Record<string, string>>): AskForge {
  return async ({ method, url, body, headers: own }) => {
    const place = placeOf(url)
    if (place === undefined) return refuse(`${JSON.stringify(url.slice(0, 200))} is no URL of a forge`)
    try {
      const { status, body: text } = await http({
        ...tls,
        method,
        url,
        headers: { ...(own ?? headers), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        longest: LONGEST,
        signal,
      })
      if (status >= 200 && status < 300) return read(text, place)
      return refuse(`${method} ${place} was answered ${status}${said(text)}`, String(status))
    } catch (error) {
      return refuse(`${method} ${place} failed: ${describeError(error)}`)
    }
  }
}

function read(text: string, place: string): Result<unknown> {
  if (text.trim() === '') return succeed(undefined)
  try {
    return succeed(JSON.parse(text) as unknown)
  } catch {
    return refuse(`${place} answered what is no JSON`)
  }
}

/** A forge's own words, where it has any. */
function said(text: string): string {
  try {
    const message = textOf(JSON.parse(text) as unknown, 'message')
    return message === '' ? '' : `: ${message.slice(0, 200)}`
  } catch {
    // A page for people; its status says enough.
    return ''
  }
}

/** The place without anything that may be a secret. */
function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, host, pathname } = new URL(url)
  return protocol === 'http:' || protocol === 'https:' ? `${protocol}//${host}${pathname}` : undefined
}

const refuse = (message: string, at?: string): Result<never> =>
  fail({ code: 'hook-not-registered', message, ...(at === undefined ? {} : { at }) })
