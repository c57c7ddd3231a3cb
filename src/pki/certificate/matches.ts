import { Buffer } from 'node:buffer'
import { addressBytes } from '../x509/general-names.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { type CertificateRequest, type CertificateSpec, durationMs, isSameIssuer } from '../objects.ts'
import type { ReadCertificate } from '../x509/certificate.ts'
import { encodeName, subjectOf } from '../x509/names.ts'
import { type ReadRequest, readRequest } from '../x509/request.ts'
import { wantedSubject } from './wanted.ts'

/** Reads the request that a CertificateRequest holds. */
export const requestOf = ({ spec }: Pick<CertificateRequest, 'spec'>): Result<ReadRequest> =>
  readRequest(Buffer.from(spec.request, 'base64').toString('utf8'))

const isSameList = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.toSorted().every((value, at) => value === b.toSorted()[at])

const addresses = (list: readonly string[] = []): readonly string[] =>
  list.map((text) => Buffer.from(addressBytes(text) ?? []).toString('hex'))

const subjectFields = [
  'organizations',
  'countries',
  'localities',
  'organizationalUnits',
  'postalCodes',
  'provinces',
  'streetAddresses',
] as const

/** The fields of a Certificate that a CertificateRequest was not made for; a problem where it cannot be read. */
export function requestViolations(request: CertificateRequest, spec: CertificateSpec): Result<readonly string[]> {
  const read = requestOf(request)
  if (!read.ok) return read
  const { names } = read.value
  const checks: readonly (readonly [field: string, isAsWanted: boolean])[] = [
    ['spec.ipAddresses', isSameList(addresses(names.ipAddresses), addresses(spec.ipAddresses))],
    ['spec.uris', isSameList(names.uris, spec.uris)],
    ['spec.emailAddresses', isSameList(names.emailAddresses, spec.emailAddresses)],
    ['spec.dnsNames', isSameList(names.dnsNames, spec.dnsNames)],
    ['spec.otherNames', !spec.otherNames || isSameList(names.otherNames.map(keyOf), spec.otherNames.map(keyOf))],
    ...subjectChecks(read.value, spec),
    ['spec.isCA', (request.spec.isCA ?? false) === (spec.isCA ?? false)],
    ['spec.usages', isSameList(request.spec.usages, spec.usages)],
    ['spec.duration', isSameDuration(request.spec.duration, spec.duration)],
    ['spec.issuerRef', isSameIssuer(request.spec.issuerRef, spec.issuerRef)],
  ]
  return succeed(checks.flatMap(([field, isAsWanted]) => (isAsWanted ? [] : [field])))
}

const keyOf = ({ oid, utf8Value }: { readonly oid: string; readonly utf8Value: string }): string =>
  `${oid}:${utf8Value}`

/** Durations are compared only where both say one. */
const isSameDuration = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || durationMs(a) === durationMs(b)

function subjectChecks(request: ReadRequest, spec: CertificateSpec): readonly (readonly [string, boolean])[] {
  if (spec.literalSubject) {
    const wanted = wantedSubject(spec)
    const isSame = wanted.ok && Buffer.compare(encodeName(wanted.value), request.subject) === 0
    return [['spec.literalSubject', isSame]]
  }
  const has = subjectOf(request.name)
  return [
    ['spec.commonName', has.commonName === (spec.commonName ?? '')],
    ['spec.subject.serialNumber', has.serialNumber === (spec.subject?.serialNumber ?? '')],
    ...subjectFields.map((field) => [`spec.subject.${field}`, isSameList(has[field], spec.subject?.[field])] as const),
  ]
}

/** The fields of a Certificate that an issued certificate does not have; an issuer may move the common name among the names. */
export function certificateViolations(certificate: ReadCertificate, spec: CertificateSpec): readonly string[] {
  const { names } = certificate
  const { commonName } = subjectOf(certificate.name)
  const wanted = new Set([...(spec.dnsNames ?? []), ...(spec.commonName ? [spec.commonName] : [])])
  const has = new Set([...names.dnsNames, ...(commonName ? [commonName] : [])])
  const isNamed = isSameList([...wanted], [...has])
  const lacksCommon = (spec.commonName && !has.has(spec.commonName)) || (commonName !== '' && !wanted.has(commonName))
  const lacksDns =
    (spec.dnsNames ?? []).some((name) => !has.has(name)) || names.dnsNames.some((name) => !wanted.has(name))
  const checks: readonly (readonly [string, boolean])[] = [
    ['spec.commonName', isNamed || !lacksCommon],
    ['spec.dnsNames', isNamed || !lacksDns],
    ['spec.ipAddresses', isSameList(addresses(names.ipAddresses), addresses(spec.ipAddresses))],
    ['spec.uris', isSameList(names.uris, spec.uris)],
    ['spec.emailAddresses', isSameList(names.emailAddresses, spec.emailAddresses)],
  ]
  return checks.flatMap(([field, isAsWanted]) => (isAsWanted ? [] : [field]))
}
