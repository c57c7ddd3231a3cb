import { createHash } from 'node:crypto'
import { annotation, annotationOf, type CertificateRequest } from '../objects.ts'

const DNS_NAME_ROOM = 233

/** The name of the request for a revision; names that are too long end with their hash. */
export function requestName(certificate: string, revision: number): string {
  if (certificate.length <= DNS_NAME_ROOM) return `${certificate}-${revision}`
  const hash = createHash('sha256').update(certificate).digest('hex')
  return `${certificate.slice(0, DNS_NAME_ROOM - 65)}-${hash}-${revision}`
}

/** The revision that a request is for; undefined where it says none. */
export function revisionOf(request: CertificateRequest): number | undefined {
  const text = annotationOf(request, annotation.revision) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
