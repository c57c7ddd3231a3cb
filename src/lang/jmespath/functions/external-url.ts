import ipaddr from 'ipaddr.js'
import { hostName, parseUrl } from '../../../lib/go-url.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathPorts } from '../run.ts'

type Address = ReturnType<typeof ipaddr.parse>

function addressOf(text: string): Address | undefined {
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValid(text))
  if (!isAddress || text.includes('%') || /(?:^|[.:])0\d/.test(text.replace(/.*:(?=\d+\.)/, ''))) return undefined
  return ipaddr.process(text)
}

/** Loopback and the private ranges of RFC 1918 and RFC 4193. */
const isInternal = (address: Address): boolean => ['loopback', 'private', 'uniqueLocal'].includes(address.range())

/** Tells whether a URL points outside; its host is an address or was resolved beforehand. */
export function isExternalUrl(url: string, ports: JmesPathPorts): boolean {
  const parsed = parseUrl(url)
  if (typeof parsed === 'string') throw wrongValue(`is_external_url(): ${parsed}`)
  const host = hostName(parsed.host)
  const address = addressOf(host)
  if (address) return !isInternal(address)
  const found = ports.lookUpHost?.(host) ?? (host === 'localhost' ? ['127.0.0.1'] : undefined)
  if (!found) throw wrongValue(`is_external_url(): the addresses of ${JSON.stringify(host)} are not known`)
  return found.every((text) => {
    const resolved = addressOf(text)
    return !resolved || !isInternal(resolved)
  })
}
