import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { BackendTls } from '../table/route.ts'

/** How connections to a backend are secured and verified. */
export interface TlsConnectOptions {
  readonly servername: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly minVersion: 'TLSv1.2'
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined
}

/** The options of TLS that keep what a BackendTLSPolicy asks for. */
export function tlsConnectOptions({ hostname, authorities, names, client }: BackendTls): TlsConnectOptions {
  return {
    servername: hostname,
    minVersion: 'TLSv1.2',
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...client,
    checkServerIdentity(_host, certificate) {
      if (names.length === 0) return checkServerIdentity(hostname, certificate)
      return names.some((name) => isFor(certificate, name))
        ? undefined
        : new Error('the certificate of the backend is for none of the names that its policy allows')
    },
  }
}

function isFor(certificate: PeerCertificate, { type, value }: BackendTls['names'][number]): boolean {
  if (type === 'Hostname' && !value.startsWith('*.')) return checkServerIdentity(value, certificate) === undefined
  const wanted = `${type === 'URI' ? 'URI' : 'DNS'}:${value}`
  return (certificate.subjectaltname ?? '').split(', ').includes(wanted)
}
