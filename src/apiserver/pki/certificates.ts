import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto'

/** The names and addresses under which a server is reached. */
export interface ServerNames {
  readonly dns: readonly string[]
  readonly ips: readonly string[]
}

/** A certificate with its key, in PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** Whether a certificate still has the given time to live and covers the names. */
export function isUsable(cert: string, nowMs: number, names: ServerNames = { dns: [], ips: [] }): boolean {
  const parsed = new X509Certificate(cert)
  if (Date.parse(parsed.validTo) - nowMs < 30 * DAY_MS) return false
  return (
    names.dns.every((name) => parsed.checkHost(name) !== undefined) &&
    names.ips.every((ip) => parsed.checkIP(ip) !== undefined)
  )
}

/** Whether a certificate belongs to a key of the given authority. */
export function isSignedBy(cert: string, ca: string): boolean {
  return new X509Certificate(cert).verify(createPublicKey(ca))
}

/** What makes certificates; loaded only when one is made, since that is once a year. */
export interface CertificateMaker {
  authority(commonName: string): Promise<KeyPair>
  serving(authority: KeyPair, names: ServerNames): Promise<KeyPair>
  client(
    authority: KeyPair,
    subject: { readonly commonName: string; readonly organizations: readonly string[] },
  ): Promise<KeyPair>
}

/** Loads the certificate library. */
export async function certificateMaker(nowMs: number): Promise<CertificateMaker> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const notBefore = new Date(nowMs - 5 * 60 * 1_000)
  const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
    webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
  const keyOf = (pem: string): Promise<webcrypto.CryptoKey> =>
    webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), algorithm, true, ['sign'])
  const issue = async (authority: KeyPair, subject: string, usage: string, names?: ServerNames): Promise<KeyPair> => {
    const keys = await newKeys()
    const issuer = new x509.X509Certificate(authority.cert)
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: issuer.subject,
      notBefore,
      notAfter: new Date(nowMs + 365 * DAY_MS),
      signingKey: await keyOf(authority.key),
      publicKey: keys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...(names
          ? [
              new x509.SubjectAlternativeNameExtension([
                ...names.dns.map((value) => ({ type: 'dns' as const, value })),
                ...names.ips.map((value) => ({ type: 'ip' as const, value })),
              ]),
            ]
          : []),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ],
    })
    return { cert: certificate.toString('pem'), key: await pemOf(keys.privateKey) }
  }
  return {
    async authority(commonName) {
      const keys = await newKeys()
      const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: `CN=${commonName}`,
        notBefore,
        notAfter: new Date(nowMs + 3_650 * DAY_MS),
        keys,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
            true,
          ),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      })
      return { cert: certificate.toString('pem'), key: await pemOf(keys.privateKey) }
    },
    serving: (authority, names) => issue(authority, 'CN=kube-apiserver', x509.ExtendedKeyUsage.serverAuth, names),
    client: (authority, { commonName, organizations }) =>
      issue(
        authority,
        [...organizations.map((name) => `O=${name}`), `CN=${commonName}`].join(', '),
        x509.ExtendedKeyUsage.clientAuth,
      ),
  }
}
