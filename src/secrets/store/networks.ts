import { BlockList, isIP } from 'node:net'

/** Whether an address lies in one of some networks; no networks is everywhere. */
export function isFrom(address: string, cidrs: readonly string[]): boolean {
  if (cidrs.length === 0) return true
  const networks = new BlockList()
  for (const cidr of cidrs) {
    const network = parsed(cidr)
    if (network) networks.addSubnet(network.address, network.bits, network.family)
  }
  // An address of IPv4 may come in the clothes of IPv6.
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  const version = isIP(plain)
  return version !== 0 && networks.check(plain, version === 6 ? 'ipv6' : 'ipv4')
}

/** The first of some texts that is not a network or an address. */
export const wrongNetwork = (cidrs: readonly string[]): string | undefined => cidrs.find((cidr) => !parsed(cidr))

function parsed(
  cidr: string,
): { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...more] = cidr.split('/')
  const version = isIP(address)
  const most = version === 6 ? 128 : 32
  const bits = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (version === 0 || bits < 0 || bits > most || more.length > 0) return undefined
  return { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' }
}
