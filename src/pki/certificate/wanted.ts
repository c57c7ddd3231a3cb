import type { KeyObject } from 'node:crypto'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { CertificateSpec } from '../objects.ts'
import { type Extension, nameConstraints } from '../x509/extensions.ts'
import { type AlternativeNames, encodeAlternativeNames, isWithoutNames } from '../x509/general-names.ts'
import { type KeySpec, signatureAlgorithm, type SignatureAlgorithm } from '../x509/keys.ts'
import { type DistinguishedName, nameOf, parseLiteralName } from '../x509/names.ts'
import { oid } from '../x509/oids.ts'
import { encodeExtendedUsages, encodeKeyUsage, keyUsagesOf } from '../x509/usages.ts'

/** The private key that a Certificate asks for. */
export function wantedKey({ privateKey = {} }: CertificateSpec): KeySpec {
  const { algorithm = 'RSA', size = 0 } = privateKey
  if (algorithm === 'Ed25519') return { algorithm, size: 0 }
  return { algorithm, size: size > 0 ? size : algorithm === 'RSA' ? 2048 : 256 }
}

/** The subject that a Certificate asks for. */
export function wantedSubject(spec: CertificateSpec): Result<DistinguishedName> {
  if (spec.literalSubject) return parseLiteralName(spec.literalSubject)
  return succeed(nameOf({ ...spec.subject, ...(spec.commonName ? { commonName: spec.commonName } : {}) }))
}

/** The alternative names that a Certificate asks for. */
export const wantedNames = (spec: CertificateSpec): AlternativeNames => ({
  dnsNames: spec.dnsNames ?? [],
  ipAddresses: spec.ipAddresses ?? [],
  uris: spec.uris ?? [],
  emailAddresses: spec.emailAddresses ?? [],
  otherNames: spec.otherNames ?? [],
})

/** What a request for a Certificate says. */
export interface WantedRequest {
  readonly subject: DistinguishedName
  readonly extensions: readonly Extension[]
}

/** The request that a Certificate makes; which key it is signed with is not said here. */
export function wantedRequest(spec: CertificateSpec): Result<WantedRequest> {
  const subject = wantedSubject(spec)
  if (!subject.ok) return subject
  const names = wantedNames(spec)
  const commonName = subject.value.flat().find((attribute) => attribute.oid === oid.commonName)?.value ?? ''
  if (commonName === '' && isWithoutNames(names)) {
    return fail({
      code: 'certificate-without-names',
      message:
        'at least one of commonName (from the commonName field or from a literalSubject), dnsNames, uris, emailAddresses, ipAddresses or otherNames must be set',
    })
  }
  const constraints = spec.nameConstraints ? nameConstraints(spec.nameConstraints) : succeed(undefined)
  if (!constraints.ok) return constraints
  const usages = keyUsagesOf(spec.usages, spec.isCA === true)
  if (!usages.ok) return usages
  const { bits, extended } = usages.value
  const areUsagesSaid = spec.encodeUsagesInRequest !== false
  const plain = (id: string, value: Uint8Array): Extension => ({ oid: id, isCritical: false, value })
  return succeed({
    subject: subject.value,
    extensions: [
      ...(isWithoutNames(names)
        ? []
        : [
            {
              oid: oid.subjectAltName,
              isCritical: subject.value.length === 0,
              value: encodeAlternativeNames(names),
            },
          ]),
      ...(areUsagesSaid && bits > 0 ? [{ oid: oid.keyUsage, isCritical: true, value: encodeKeyUsage(bits) }] : []),
      ...(areUsagesSaid && extended.length > 0 ? [plain(oid.extendedKeyUsage, encodeExtendedUsages(extended))] : []),
      ...(constraints.value ? [constraints.value] : []),
    ],
  })
}

/** How the request is signed: as the Certificate says, else as fits the key. */
export const wantedSignature = (spec: CertificateSpec, key: KeyObject): SignatureAlgorithm | undefined =>
  signatureAlgorithm(key, spec.signatureAlgorithm)
