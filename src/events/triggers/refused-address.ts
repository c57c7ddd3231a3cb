import ipaddr from 'ipaddr.js'
import { fail, type Result, succeed } from '../../lib/result.ts'

type Range = readonly [ReturnType<typeof ipaddr.parse>, number]

/** On a Namespace: networks, as CIDRs with commas between, that triggers of its Sensors may send to although they are refused. */
export const HTTP_ALLOW = 'idp-blueprint.io/http-allow'

const ranges: ReadonlyMap<string, string> = new Map([
  ['unspecified', 'it is no address of anybody'],
  ['broadcast', 'it is the address of everybody'],
  ['multicast', 'it is the address of a group'],
  ['linkLocal', 'link-local addresses lead to the metadata of machines'],
  ['loopback', 'loopback addresses lead into this process; name a Service of the cluster instead'],
])

/** The metadata service of AWS over IPv6, and of others that use addresses which look ordinary. */
const metadata: readonly Range[] = ['fd00:ec2::254/128', '100.100.100.200/32', '168.63.129.16/32'].map((text) =>
  ipaddr.parseCIDR(text),
)

const thisNetwork: Range = ipaddr.parseCIDR('0.0.0.0/8')

/** Reads networks with commas between. */
export function readAllowed(text: string): Result<readonly Range[]> {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const wrong = parts.find((part) => !ipaddr.isValidCIDR(part))
  if (wrong === undefined) return succeed(parts.map((part) => ipaddr.parseCIDR(part)))
  return fail({
    code: 'trigger-address-refused',
    at: HTTP_ALLOW,
    message: `${JSON.stringify(wrong)} is no network`,
    cure: 'write networks such as 127.0.0.0/8, with commas between',
  })
}

const isIn = (address: ReturnType<typeof ipaddr.parse>, [network, bits]: Range): boolean =>
  address.kind() === network.kind() && address.match(network, bits)

/** Says why triggers may not send to an address; undefined where they may. IPv4 that is dressed as IPv6 is IPv4. */
export function refusedAddress(address: string, allowed: readonly Range[] = []): string | undefined {
  const bare = address.replace(/%.*$/, '')
  if (!ipaddr.isValid(bare)) return `${JSON.stringify(address)} is no address`
  const parsed = ipaddr.parse(bare)
  const real = unwrapped(parsed)
  if (allowed.some((range) => isIn(real, range))) return undefined
  const because = metadata.some((range) => isIn(real, range))
    ? 'it leads to the metadata of machines'
    : ranges.get(isIn(real, thisNetwork) ? 'unspecified' : real.range())
  return because === undefined ? undefined : `triggers may not send to ${address}: ${because}`
}

/** The IPv4 address in a mapped, translated (64:ff9b::/96) or 6to4 one; others as they are. */
function unwrapped(address: ReturnType<typeof ipaddr.parse>): ReturnType<typeof ipaddr.parse> {
  if (address.kind() === 'ipv4') return address
  const six = address as ipaddr.IPv6
  if (six.isIPv4MappedAddress()) return six.toIPv4Address()
  const range = six.range()
  const bytes = six.toByteArray()
  if (range === 'rfc6052' || range === 'rfc6145') return ipaddr.fromByteArray(bytes.slice(12))
  if (range === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6))
  // ::a.b.c.d, the form that was given up.
  if (bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte, at) => byte > (at === 3 ? 1 : 0)))
    return ipaddr.fromByteArray(bytes.slice(12))
  return address
}
