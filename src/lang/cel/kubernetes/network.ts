import { STRING_FACTOR, traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { type Address, addressText, isSame, maskAddress, parseAddress, sharesPrefix } from './address.ts'

const ipType = opaque('net.IP')
const cidrType = opaque('net.CIDR')

class IpValue extends CelObject {
  readonly type = ipType
  readonly address: Address

  constructor(address: Address) {
    super()
    this.address = address
  }

  equals(other: unknown): boolean {
    return other instanceof IpValue && isSame(this.address, other.address)
  }

  get costSize(): number {
    return this.address.length
  }

  toJson(): string {
    return addressText(this.address)
  }
}

class CidrValue extends CelObject {
  readonly type = cidrType
  readonly address: Address
  readonly bits: number

  constructor(address: Address, bits: number) {
    super()
    this.address = address
    this.bits = bits
  }

  equals(other: unknown): boolean {
    return other instanceof CidrValue && this.bits === other.bits && isSame(this.address, other.address)
  }

  get costSize(): number {
    return Math.ceil(this.bits / 8)
  }

  toJson(): string {
    return `${addressText(this.address)}/${this.bits}`
  }
}

function parseCidr(text: string): CidrValue | undefined {
  const slash = text.lastIndexOf('/')
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash))
  const bits = text.slice(slash + 1)
  if (!address || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > address.length * 8) return undefined
  return new CidrValue(address, Number(bits))
}

function toIp(text: string): IpValue {
  const address = parseAddress(text)
  if (!address)
    throw new EvaluationError(
      `IP Address ${JSON.stringify(text.slice(0, 100))} parse error during conversion from string`,
    )
  return new IpValue(address)
}

function toCidr(text: string): CidrValue {
  const cidr = parseCidr(text)
  if (!cidr)
    throw new EvaluationError(
      `network address parse error during conversion from string: ${JSON.stringify(text.slice(0, 100))}`,
    )
  return cidr
}

const isUnspecified = ({ address }: IpValue): boolean => address.every((byte) => byte === 0)
const isLoopback = ({ address }: IpValue): boolean =>
  address.length === 4 ? address[0] === 127 : address.every((byte, index) => byte === (index === 15 ? 1 : 0))
const isMulticast = ({ address }: IpValue): boolean =>
  address.length === 4 ? ((address[0] ?? 0) & 0xf0) === 0xe0 : address[0] === 0xff
const isLinkLocalMulticast = ({ address }: IpValue): boolean =>
  address.length === 4
    ? address[0] === 224 && address[1] === 0 && address[2] === 0
    : address[0] === 0xff && ((address[1] ?? 0) & 0x0f) === 0x02
const isLinkLocalUnicast = ({ address }: IpValue): boolean =>
  address.length === 4
    ? address[0] === 169 && address[1] === 254
    : address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80
const isBroadcast = ({ address }: IpValue): boolean => address.length === 4 && address.every((byte) => byte === 255)
const isGlobalUnicast = (ip: IpValue): boolean =>
  !isUnspecified(ip) && !isBroadcast(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip)

function isCanonical(text: string): boolean {
  return addressText(toIp(text).address) === text
}

const containsIp = (cidr: CidrValue, ip: IpValue): boolean => sharesPrefix(cidr.address, ip.address, cidr.bits)
const containsCidr = (outer: CidrValue, inner: CidrValue): boolean =>
  outer.bits <= inner.bits && sharesPrefix(outer.address, inner.address, outer.bits)

const once: CostRule = (text) => traversal(text)
const twice: CostRule = (text) => traversal(text, 2)
const containsCost =
  (extra: number): CostRule =>
  (cidr, other) => {
    const size = cidr instanceof CidrValue ? cidr.costSize : 1
    const own = Math.ceil(2 * size * STRING_FACTOR) + (extra > 0 ? Math.ceil(size * STRING_FACTOR) + extra : 0)
    return own + (typeof other === 'string' ? traversal(other) : 0)
  }

/** IP addresses. */
export const ipLibrary: Library = {
  name: 'kubernetes.ip',
  types: [ipType],
  overloads: [
    overload('string_to_ip', 'ip(string): net.IP', toIp, once),
    overload('is_ip', 'isIP(string): bool', (text: string) => parseAddress(text) !== undefined, once),
    overload('ip_is_canonical', 'ip.isCanonical(string): bool', isCanonical, twice),
    overload('ip_family', 'net.IP -> family(): int', ({ address }: IpValue) => (address.length === 4 ? 4 : 6)),
    overload('ip_is_unspecified', 'net.IP -> isUnspecified(): bool', isUnspecified),
    overload('ip_is_loopback', 'net.IP -> isLoopback(): bool', isLoopback),
    overload('ip_is_link_local_multicast', 'net.IP -> isLinkLocalMulticast(): bool', isLinkLocalMulticast),
    overload('ip_is_link_local_unicast', 'net.IP -> isLinkLocalUnicast(): bool', isLinkLocalUnicast),
    overload('ip_is_global_unicast', 'net.IP -> isGlobalUnicast(): bool', isGlobalUnicast),
    overload('ip_to_string', 'string(net.IP): string', (ip: IpValue) => ip.toJson()),
  ],
}

/** Networks. */
export const cidrLibrary: Library = {
  name: 'kubernetes.cidr',
  types: [cidrType],
  overloads: [
    overload('string_to_cidr', 'cidr(string): net.CIDR', toCidr, once),
    overload('is_cidr', 'isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined, once),
    overload(
      'cidr_contains_ip_string',
      'net.CIDR -> containsIP(string): bool',
      (cidr: CidrValue, text: string) => containsIp(cidr, toIp(text)),
      containsCost(0),
    ),
    overload('cidr_contains_ip_ip', 'net.CIDR -> containsIP(net.IP): bool', containsIp, containsCost(0)),
    overload(
      'cidr_contains_cidr_string',
      'net.CIDR -> containsCIDR(string): bool',
      (cidr: CidrValue, text: string) => containsCidr(cidr, toCidr(text)),
      containsCost(1),
    ),
    overload('cidr_contains_cidr', 'net.CIDR -> containsCIDR(net.CIDR): bool', containsCidr, containsCost(1)),
    overload('cidr_ip', 'net.CIDR -> ip(): net.IP', (cidr: CidrValue) => new IpValue(cidr.address)),
    overload('cidr_prefix_length', 'net.CIDR -> prefixLength(): int', (cidr: CidrValue) => cidr.bits),
    overload(
      'cidr_masked',
      'net.CIDR -> masked(): net.CIDR',
      (cidr: CidrValue) => new CidrValue(maskAddress(cidr.address, cidr.bits), cidr.bits),
    ),
    overload('cidr_to_string', 'string(net.CIDR): string', (cidr: CidrValue) => cidr.toJson()),
  ],
}
