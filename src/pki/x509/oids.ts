/** Object identifiers of X.509, in dotted form. */
export const oid = {
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  streetAddress: '2.5.4.9',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  postalCode: '2.5.4.17',
  domainComponent: '0.9.2342.19200300.100.1.25',
  userId: '0.9.2342.19200300.100.1.1',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  issuerUrl: '1.3.6.1.5.5.7.48.2',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const

const OID = /^(0|1|2)(\.(0|[1-9]\d{0,14})){1,63}$/

/** Whether a text is an object identifier that can be encoded: the second number of the roots 0 and 1 is below 40. */
export function isOid(text: string): boolean {
  if (text.length > 512 || !OID.test(text)) return false
  const [first = 0, second = 0] = text.split('.', 2).map(Number)
  return first === 2 || second < 40
}

/** The dotted form of an object identifier's content. */
export function dottedOf(content: Uint8Array): string {
  const numbers: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 127)
    if (byte >= 128) continue
    if (numbers.length > 0) numbers.push(value)
    else {
      const first = Math.min(Math.floor(value / 40), 2)
      numbers.push(first, value - first * 40)
    }
    value = 0
  }
  return numbers.join('.')
}
