import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { certificateMaker, type CertificatePair } from '../../lib/certificates.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const LEFT_MS = 400 * DAY_MS

interface Ports {
  readonly clock: Clock
  readonly ids: Ids
}

/** The authority that lies in a folder, made where none lies or it is about to expire; only its owner reads its key. */
export async function webhookAuthority(folder: string, ports: Ports): Promise<CertificatePair> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'ca.pem')
  if (existsSync(path)) {
    const text = await readFile(path, 'utf8')
    const known = { cert: text, key: text }
    if (isGood(known, ports.clock.now())) return split(text)
  }
  const made = make({ commonName: 'idp-policy-webhook-ca', days: 3_650, names: [], ports })
  const beside = `${path}.new`
  await writeFile(beside, `${made.key.trim()}\n${made.cert.trim()}\n`, { mode: 0o600 })
  await rename(beside, path)
  return made
}

const isGood = ({ cert, key }: CertificatePair, nowMs: number): boolean =>
  certificateMaker.certificateProblem(split(cert).cert) === undefined &&
  certificateMaker.keyProblem(split(key).key) === undefined &&
  Date.parse(new X509Certificate(split(cert).cert).validTo) - nowMs > LEFT_MS

function split(text: string): CertificatePair {
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  return at < 0 ? { cert: '', key: text } : { cert: text.slice(at), key: text.slice(0, at) }
}

/** A certificate to serve with, for the names and addresses under which the webhooks are reached. */
export function servingCertificate(
  authority: CertificatePair,
  names: readonly string[],
  ports: Ports,
): CertificatePair {
  return make({ commonName: names[0] ?? 'idp-policy-webhook', days: 365, names, issuer: authority, ports })
}

function make(wanted: {
  readonly commonName: string
  readonly days: number
  readonly names: readonly string[]
  readonly issuer?: CertificatePair
  readonly ports: Ports
}): CertificatePair {
  const { commonName, days, names, issuer, ports } = wanted
  const nowMs = ports.clock.now()
  const serial = Uint8Array.from(ports.ids.bytes(16))
  // A serial number is positive.
  serial[0] = (serial[0] ?? 0) & 0x7f
  const made = certificateMaker.certificate({
    commonName,
    ips: names.filter((name) => isIP(name) !== 0),
    dnsNames: names.filter((name) => isIP(name) === 0),
    notBeforeMs: nowMs - 5 * 60 * 1_000,
    notAfterMs: nowMs + days * DAY_MS,
    serial,
    isAuthority: issuer === undefined,
    key: certificateMaker.privateKey('ecdsa'),
    ...(issuer ? { issuer } : {}),
  })
  if (typeof made === 'string') throw new Error(`no certificate for the webhooks: ${made}`)
  return made
}
