import type { CertificateMaker, CertificatePair, CertificateRequest } from '../../../lib/certificates.ts'
import type { Ids } from '../../../lib/ids.ts'
import { stringOf } from '../../../lib/go-string.ts'
import { fn, type FunctionTable } from '../function.ts'
import { valueText } from '../print.ts'
import { Failure, failWith, type GoType, HostObject } from '../value.ts'
import { decode64 } from './encodings.ts'

const CERTIFICATE: GoType = { name: 'sprig.certificate', kind: 'struct' }
const DAY_MS = 86_400_000
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

const struct = ({ cert, key }: CertificatePair): HostObject =>
  new HostObject(
    CERTIFICATE,
    new Map([
      ['Cert', cert],
      ['Key', key],
    ]),
  )

function pairOf(value: unknown): CertificatePair {
  const field = (name: string): string => (value instanceof HostObject ? valueText(value.fields.get(name)) : '')
  return { cert: field('Cert'), key: field('Key') }
}

function isIp(text: string): boolean {
  if (IPV4.test(text)) return true
  const groups = text.replace(/:\d+\.\d+\.\d+\.\d+$/, ':0:0').split(':')
  const isCompressed = /^[^:]*(?:[0-9a-fA-F:]*)::/.test(text) && text.split('::').length === 2
  if (groups.length < 3 || groups.length > 9 || /:::/.test(text)) return false
  if (!groups.every((group) => /^[0-9a-fA-F]{0,4}$/.test(group))) return false
  return isCompressed || (groups.length === 8 && groups.every((group) => group !== ''))
}

interface Asked {
  readonly commonName: string
  readonly ips?: readonly unknown[]
  readonly names?: readonly unknown[]
  readonly days: number
  readonly key?: string
  readonly issuer?: unknown
  readonly isAuthority?: boolean
}

/** What certificates need from outside. */
export interface CertificatePort {
  readonly maker: CertificateMaker
  readonly ids: Ids
  readonly now: () => number
}

function wrongNames({ ips = [], names = [] }: Asked): Failure | undefined {
  for (const ip of ips) {
    if (typeof ip !== 'string') return failWith(`error parsing ip: ${valueText(ip)} is not a string`)
    if (!isIp(ip)) return failWith(`error parsing ip: ${ip}`)
  }
  const odd = names.findIndex((name) => typeof name !== 'string')
  return odd < 0 ? undefined : failWith(`error processing alternate dns name: ${valueText(names[odd])} is not a string`)
}

function issue(port: CertificatePort, asked: Asked): unknown {
  const wrong = wrongNames(asked)
  if (wrong) return wrong
  const now = port.now()
  const serial = port.ids.bytes(16)
  const request: CertificateRequest = {
    commonName: asked.commonName,
    ips: (asked.ips ?? []).map(String),
    dnsNames: (asked.names ?? []).map(String),
    notBeforeMs: now,
    notAfterMs: now + asked.days * DAY_MS,
    serial: serial.map((byte, index) => (index === 0 ? (byte & 0x7f) | 1 : byte)),
    isAuthority: asked.isAuthority ?? false,
    ...(asked.key === undefined ? {} : { key: asked.key }),
    ...(asked.issuer === undefined ? {} : { issuer: pairOf(asked.issuer) }),
  }
  const made = port.maker.certificate(request)
  return typeof made === 'string' ? failWith(made) : struct(made)
}

function custom(port: CertificatePort, cert64: string, key64: string): unknown {
  const cert = decode64(cert64)
  if (cert instanceof Failure) return failWith('unable to decode base64 certificate')
  const key = decode64(key64)
  if (key instanceof Failure) return failWith('unable to decode base64 private key')
  const pair = { cert: stringOf(cert), key: stringOf(key) }
  const wrong = port.maker.certificateProblem(pair.cert)
  if (wrong === 'unable to decode certificate') return failWith(wrong)
  if (wrong !== undefined) return failWith(`error parsing certificate: decodedCert.Bytes: ${wrong}`)
  const wrongKey = port.maker.keyProblem(pair.key)
  return wrongKey === undefined ? struct(pair) : failWith(`error parsing private key: ${wrongKey}`)
}

function privateKey(port: CertificatePort, kind: string): string {
  const asked = kind === '' ? 'rsa' : kind
  if (asked !== 'rsa' && asked !== 'dsa' && asked !== 'ecdsa' && asked !== 'ed25519') return `Unknown type ${kind}`
  return port.maker.privateKey(asked)
}

/** Keys and certificates, made by the port. */
export function certificates(port: CertificatePort): FunctionTable {
  const signed = ['string', 'list', 'list', 'int'] as const
  return {
    genPrivateKey: fn(['string'], 'any', (kind) => privateKey(port, kind)),
    buildCustomCert: fn(['string', 'string'], 'any', (cert, key) => custom(port, cert, key)),
    genCA: fn(['string', 'int'], 'any', (commonName, days) => issue(port, { commonName, days, isAuthority: true })),
    genCAWithKey: fn(['string', 'int', 'string'], 'any', (commonName, days, key) =>
      issue(port, { commonName, days, key, isAuthority: true }),
    ),
    genSelfSignedCert: fn(signed, 'any', (commonName, ips, names, days) =>
      issue(port, { commonName, ips, names, days }),
    ),
    genSelfSignedCertWithKey: fn([...signed, 'string'], 'any', (commonName, ips, names, days, key) =>
      issue(port, { commonName, ips, names, days, key }),
    ),
    genSignedCert: fn([...signed, 'type sprig.certificate'], 'any', (commonName, ips, names, days, issuer) =>
      issue(port, { commonName, ips, names, days, issuer }),
    ),
    genSignedCertWithKey: fn([...signed, 'type sprig.certificate', 'string'], 'any', (...given) => {
      const [commonName, ips, names, days, issuer, key] = given
      return issue(port, { commonName, ips, names, days, issuer, key })
    }),
  }
}
