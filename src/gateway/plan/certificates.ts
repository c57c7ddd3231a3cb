import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/object.ts'
import { textOf } from '../../lib/fields.ts'
import type { KeyPair } from '../table/table.ts'

/** A key pair, or what is wrong with it; never what is in it. */
export type KeyPairResult = { readonly pair: KeyPair } | { readonly problem: string }

const made = new Map<string, KeyPairResult>()
const MOST = 2_000

/** Reads the key pair of a Secret, which is checked once per content. */
export function keyPairOf(secret: KubeObject): KeyPairResult {
  const cert = decoded(secret, 'tls.crt')
  const key = decoded(secret, 'tls.key')
  if (cert === '') return { problem: 'it has no tls.crt' }
  if (key === '') return { problem: 'it has no tls.key' }
  const id = createHash('sha256').update(cert).update('\0').update(key).digest('base64url')
  const known = made.get(id)
  if (known) return known
  const result = read(id, cert, key)
  if (made.size >= MOST) made.clear()
  made.set(id, result)
  return result
}

const decoded = (secret: KubeObject, name: string): string =>
  Buffer.from(textOf(secret['data'], name), 'base64').toString('utf8')

function read(id: string, cert: string, key: string): KeyPairResult {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(cert)
  } catch {
    return { problem: 'tls.crt is not a certificate in PEM' }
  }
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return { problem: 'tls.key is not the key of tls.crt' }
  } catch {
    return { problem: 'tls.key is not a private key in PEM' }
  }
  return { pair: { id, cert, key, names: namesOf(certificate) } }
}

function namesOf({ subjectAltName = '', subject }: X509Certificate): readonly string[] {
  const names = subjectAltName.split(', ').filter((name) => name.startsWith('DNS:'))
  if (names.length > 0) return names.map((name) => name.slice(4).toLowerCase())
  const [, common] = /(?:^|\n)CN=([^\n]+)/.exec(subject) ?? []
  return common === undefined ? [] : [common.toLowerCase()]
}

/** The authorities of a ConfigMap, or what is wrong with them. */
export function authoritiesOf(configMap: KubeObject): { readonly pem: string } | { readonly problem: string } {
  const pem = textOf(configMap['data'], 'ca.crt')
  if (pem === '') return { problem: 'it has no ca.crt' }
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return { problem: 'its ca.crt is not a certificate in PEM' }
  try {
    for (const block of blocks) new X509Certificate(block)
  } catch {
    return { problem: 'its ca.crt is not a certificate in PEM' }
  }
  return { pem: blocks.join('\n') }
}

/** A short name for a text that must not be shown. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22)
