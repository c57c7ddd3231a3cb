import { fail, type Result, succeed } from '../../lib/result.ts'
import { type CertificateSpec, durationMs, USUAL_DURATION_MS } from '../objects.ts'
import { certificatePem, issueCertificate, type ReadCertificate, readCertificate } from '../x509/certificate.ts'
import { generateKey, readPrivateKey } from '../x509/keys.ts'
import { encodeName, nameOf } from '../x509/names.ts'
import { oid } from '../x509/oids.ts'
import { keyUsagesOf } from '../x509/usages.ts'
import { wantedRequest } from './wanted.ts'

/** The serial number by which temporary certificates are known, as those of cert-manager. */
const SERIAL = Uint8Array.of(0x49, 0x96, 0x02, 0xd2)

/** A certificate for a key that stands in until the real one is signed, by an authority that is forgotten at once. */
export async function temporaryCertificate(
  spec: CertificateSpec,
  keyPem: string,
  nowMs: number,
): Promise<Result<{ readonly pem: string; readonly leaf: ReadCertificate }>> {
  const key = readPrivateKey(keyPem)
  if (!key.ok) return key
  const request = wantedRequest(spec)
  if (!request.ok) return request
  const usages = keyUsagesOf(spec.usages, spec.isCA === true)
  if (!usages.ok) return usages
  const template = {
    subject: encodeName(request.value.subject),
    publicKey: key.value,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + (durationMs(spec.duration) ?? USUAL_DURATION_MS),
    isCa: spec.isCA === true,
    usages: usages.value,
    further: request.value.extensions.filter((extension) => extension.oid === oid.subjectAltName),
  }
  const signer = {
    subject: encodeName(nameOf({ commonName: 'cert-manager.local' })),
    key: await generateKey({ algorithm: 'ECDSA', size: 256 }),
  }
  const pem = certificatePem({ bytes: await issueCertificate(template, signer, SERIAL) })
  const leaf = readCertificate(pem)
  return leaf.ok ? succeed({ pem, leaf: leaf.value }) : fail(...leaf.error)
}
