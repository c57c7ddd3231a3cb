import { fail, type Result, succeed } from '../../lib/result.ts'
import { durationMs, type RequestSpec, USUAL_DURATION_MS } from '../objects.ts'
import { Malformed } from '../x509/asn1.ts'
import type { CertificateTemplate } from '../x509/certificate.ts'
import { type Extension, extensionValue, readBasicConstraints } from '../x509/extensions.ts'
import { isEmptyName } from '../x509/names.ts'
import { oid } from '../x509/oids.ts'
import { type ReadRequest, readRequest } from '../x509/request.ts'
import { type KeyUsages, keyUsagesOf, readExtendedUsages, readKeyUsage, usageNames } from '../x509/usages.ts'

/** The certificate that a CertificateRequest asks for, from a time on; refused where the PKCS#10 inside asks for another one. */
export function templateOf(
  spec: RequestSpec,
  nowMs: number,
): Result<CertificateTemplate & { readonly spki: Uint8Array }> {
  const usages = keyUsagesOf(spec.usages, spec.isCA === true)
  if (!usages.ok) return usages
  const read = readRequest(Buffer.from(spec.request, 'base64').toString('utf8'))
  if (!read.ok) return read
  const request = read.value
  if (!request.isSigned()) return refuse('the request is not signed by the key that it is for')
  const problem = contradiction(request, spec.isCA === true, usages.value)
  if (problem !== undefined) return refuse(`encoded CSR error: ${problem}`)
  const notBeforeMs = Math.floor(nowMs / 1_000) * 1_000
  return succeed({
    subject: request.subject,
    publicKey: request.publicKey,
    spki: request.spki,
    notBeforeMs,
    notAfterMs: notBeforeMs + (durationMs(spec.duration) ?? USUAL_DURATION_MS),
    isCa: spec.isCA === true,
    usages: usages.value,
    further: furtherExtensions(request),
  })
}

const refuse = (message: string): { readonly ok: false } & Result<never> =>
  fail({ code: 'certificate-request-contradicts', message })

/** Names and their constraints are taken over; a name beside an empty subject has to be understood. */
const furtherExtensions = ({ extensions, subject }: ReadRequest): readonly Extension[] =>
  extensions.flatMap((extension) => {
    if (extension.oid === oid.nameConstraints) return [extension]
    return extension.oid === oid.subjectAltName ? [{ ...extension, isCritical: isEmptyName(subject) }] : []
  })

/** What a request says otherwise than the object around it. */
function contradiction({ extensions }: ReadRequest, isCa: boolean, usages: KeyUsages): string | undefined {
  const [constraints, simple, extended] = [oid.basicConstraints, oid.keyUsage, oid.extendedKeyUsage].map((id) =>
    extensionValue(extensions, id),
  )
  try {
    const asksCa = constraints && readBasicConstraints(constraints).isCa
    if (asksCa !== undefined && asksCa !== isCa) return `IsCA ${asksCa} does not match expected value ${isCa}`
    if (!simple && !extended) return undefined
    const bits = simple ? readKeyUsage(simple) : 0
    if (bits !== usages.bits) {
      return `the KeyUsages ${list({ bits, extended: [] })} do not match the expected KeyUsages ${list({ bits: usages.bits, extended: [] })}`
    }
    const ids = extended ? readExtendedUsages(extended) : []
    const isSame = ids.length === usages.extended.length && ids.every((id, at) => id === usages.extended[at])
    return isSame
      ? undefined
      : `the ExtKeyUsages ${list({ bits: 0, extended: ids })} do not match the expected ExtKeyUsages ${list({ bits: 0, extended: usages.extended })}`
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}

const list = (usages: KeyUsages): string => {
  const names = usageNames(usages)
  return names.length === 0 ? '[]' : `[ ${names.map((name) => `'${name}'`).join(', ')} ]`
}
