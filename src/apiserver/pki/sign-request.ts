import { webcrypto } from 'node:crypto'
import type * as X509 from '@peculiar/x509'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { KeyPair } from './certificates.ts'

/** What a PKCS#10 request asks for; its signature has been checked. */
export interface RequestedCertificate {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
}

/** For what and until when a request is signed. */
export interface SigningTerms {
  /** In the words of CertificateSigningRequests, such as `client auth`. */
  readonly usages: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Signs with one authority. */
export interface RequestSigner {
  read(requestPem: string): Promise<Result<RequestedCertificate>>
  /** The certificate in PEM; it ends with its authority at the latest. */
  sign(requestPem: string, terms: SigningTerms): Promise<string>
}

const keyUsages: Readonly<Record<string, number>> = {
  'digital signature': 1,
  signing: 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
}
const extendedUsages: Readonly<Record<string, string>> = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  timestamping: '1.3.6.1.5.5.7.3.8',
}

/** Makes a signer; the certificate library is loaded when it is first used. */
export function requestSigner(authority: KeyPair): RequestSigner {
  const library = async (): Promise<typeof X509> => {
    await import('reflect-metadata')
    const x509 = await import('@peculiar/x509')
    x509.cryptoProvider.set(webcrypto)
    return x509
  }
  return {
    async read(requestPem) {
      const x509 = await library()
      const bad = (because: string): Result<RequestedCertificate> =>
        fail({ code: 'certificate-request-invalid', message: `cannot read the certificate request: ${because}` })
      let request: InstanceType<typeof x509.Pkcs10CertificateRequest>
      try {
        request = new x509.Pkcs10CertificateRequest(requestPem)
        if (!(await request.verify())) return bad('its signature is not that of its key')
      } catch (error) {
        return bad(error instanceof Error ? error.message : String(error))
      }
      const names = namesOf(x509, request)?.names.toJSON() ?? []
      const of = (type: string): readonly string[] => names.flatMap((name) => (name.type === type ? name.value : []))
      return succeed({
        commonName: request.subjectName.getField('CN')[0] ?? '',
        organizations: request.subjectName.getField('O'),
        dnsNames: of('dns'),
        ipAddresses: of('ip'),
        emails: of('email'),
        uris: of('url'),
      })
    },
    async sign(requestPem, { usages, notBeforeMs, notAfterMs }) {
      const x509 = await library()
      const request = new x509.Pkcs10CertificateRequest(requestPem)
      const issuer = new x509.X509Certificate(authority.cert)
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
      const key = x509.PemConverter.decodeFirst(authority.key)
      const names = namesOf(x509, request)
      const extended = usages.flatMap((usage) => extendedUsages[usage] ?? [])
      const certificate = await x509.X509CertificateGenerator.create({
        subject: request.subject,
        issuer: issuer.subject,
        notBefore: new Date(notBeforeMs),
        notAfter: new Date(Math.min(notAfterMs, issuer.notAfter.getTime())),
        signingKey: await webcrypto.subtle.importKey('pkcs8', key, algorithm, true, ['sign']),
        publicKey: request.publicKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(
            usages.reduce((bits, usage) => bits | (keyUsages[usage] ?? 0), 0),
            true,
          ),
          ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
          ...(names ? [names] : []),
          await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ],
      })
      return `${certificate.toString('pem')}\n`
    },
  }
}

/** The alternative names that a request asks for. */
function namesOf(
  x509: typeof X509,
  { extensions }: X509.Pkcs10CertificateRequest,
): X509.SubjectAlternativeNameExtension | undefined {
  return extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)
}
