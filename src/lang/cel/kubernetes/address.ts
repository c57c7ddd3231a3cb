/** An IP address as bytes, 4 or 16 of them. */
export type Address = readonly number[]

function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const tail = index === groups.length - 1 ? parseIpv4(group) : undefined
      if (!tail) return undefined
      bytes.push(...tail)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}

function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '')
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '') : []
  if (!head || !tail || (halves.length === 2 && (halves[0] ?? '').includes('.'))) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const isMapped = (address: Address): boolean =>
  address.length === 16 &&
  address.slice(0, 10).every((byte) => byte === 0) &&
  address[10] === 255 &&
  address[11] === 255

/** Reads an address without zone; addresses of version 4 inside version 6 are refused. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 60) return undefined
  if (!text.includes(':')) return parseIpv4(text)
  const address = parseIpv6(text)
  return address && !isMapped(address) ? address : undefined
}

/** The one canonical text of an address (RFC 5952). */
export function addressText(address: Address): string {
  if (address.length === 4) return address.join('.')
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((address[index * 2] ?? 0) << 8) | (address[index * 2 + 1] ?? 0),
  )
  let [start, length] = [-1, 1]
  for (let at = 0; at < 8; at++) {
    let run = 0
    while (at + run < 8 && groups[at + run] === 0) run++
    if (run > length) [start, length] = [at, run]
    at += run
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  if (start < 0) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

/** The address with all bits beyond the prefix cleared. */
export function maskAddress(address: Address, bits: number): Address {
  return address.map((byte, index) => {
    const kept = Math.min(Math.max(bits - index * 8, 0), 8)
    return byte & (0xff << (8 - kept)) & 0xff
  })
}

/** Whether two addresses of one family share their first bits. */
export function sharesPrefix(a: Address, b: Address, bits: number): boolean {
  if (a.length !== b.length) return false
  const [left, right] = [maskAddress(a, bits), maskAddress(b, bits)]
  return left.every((byte, index) => byte === right[index])
}

export const isSame = (a: Address, b: Address): boolean => sharesPrefix(a, b, a.length * 8)
