import { Buffer } from 'node:buffer'
import { fail, type Result, succeed } from '../../lib/result.ts'
import {
  certificatePem,
  isSelfSigned,
  isSignedBy,
  MOST_CERTIFICATES,
  readCertificates,
  type ReadCertificate,
} from './certificate.ts'

/** A chain as a Secret holds it: `tls.crt` from the leaf upwards without a root, `ca.crt` the topmost that is known. */
export interface ChainBundle {
  readonly chain: string
  /** Left out where it is not known. */
  readonly ca?: string
}

/** Sorts certificates in whatever order into the one chain that they form. */
export function chainOf(given: readonly ReadCertificate[]): Result<ChainBundle> {
  const refuse = (message: string): Result<ChainBundle> => fail({ code: 'certificate-chain-broken', message })
  const certificates = [...new Map(given.map((each) => [Buffer.from(each.bytes).toString('base64'), each])).values()]
  if (certificates.length === 0) return refuse('a certificate chain holds at least one certificate')
  if (certificates.length > MOST_CERTIFICATES) {
    return refuse(`certificate chain is too long, must be less than ${MOST_CERTIFICATES} certificates`)
  }
  const parents = new Map(certificates.map((each) => [each, parentOf(each, certificates)]))
  const issuers = new Set([...parents.values()].filter((parent) => parent !== undefined))
  const [leaf, ...more] = certificates.filter((each) => !issuers.has(each))
  const path: ReadCertificate[] = []
  for (let at = leaf; at && !path.includes(at); at = parents.get(at)) path.push(at)
  if (more.length > 0 || path.length < certificates.length) {
    return refuse('certificate chain is malformed or broken')
  }
  return succeed(bundleOf(path))
}

/** The certificate among others that has signed one; one that signed itself has none. */
function parentOf(certificate: ReadCertificate, all: readonly ReadCertificate[]): ReadCertificate | undefined {
  return all.find(
    (other) =>
      other !== certificate &&
      Buffer.compare(other.subject, certificate.issuer) === 0 &&
      !(Buffer.compare(certificate.issuer, certificate.subject) === 0 && isSelfSigned(certificate)) &&
      isSignedBy(certificate, other),
  )
}

function bundleOf(path: readonly ReadCertificate[]): ChainBundle {
  const top = path.at(-1)
  if (!top) throw new Error('a chain holds at least one certificate')
  const ca = certificatePem(top)
  const isRoot = isSelfSigned(top)
  if (path.length === 1) return isRoot ? { chain: ca, ca } : { chain: ca }
  const chain = (isRoot ? path.slice(0, -1) : path).map(certificatePem).join('')
  return { chain, ca }
}

/** The chain that the certificates of a PEM text form. */
export function readChain(text: string): Result<ChainBundle> {
  const read = readCertificates(text)
  return read.ok ? chainOf(read.value) : read
}
