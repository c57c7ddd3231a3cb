import { Buffer } from 'node:buffer'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { fn, type FunctionTable } from '../../../lang/gotemplate/function.ts'
import { Failure, failWith } from '../../../lang/gotemplate/value.ts'
import { pem } from '../../../lib/der.ts'
import { bytesOf } from '../../../lib/go-string.ts'
import type { Ids } from '../../../lib/ids.ts'
import { type Pkcs12Found, readPkcs12 } from '../../../lib/pkcs12/read-pkcs12.ts'
import { writePkcs12, writeTrustStore } from '../../../lib/pkcs12/write-pkcs12.ts'
import { chainOf } from './certificate-chain.ts'
import { pemBlocks } from './pem-blocks.ts'

function opened(store: string, password: string): Pkcs12Found | Failure {
  const read = readPkcs12(bytesOf(store), password)
  return read.ok ? read.value : failWith(read.error[0]?.message ?? '')
}

function keyIn(password: string, store: string): string | Failure {
  const found = opened(store, password)
  if (found instanceof Failure) return found
  const [key] = found.keys
  return key ? pem('PRIVATE KEY', key) : failWith('the PKCS #12 store has no key')
}

/** The certificates from the leaf up, or as they stand where there is no one order. */
function certificatesIn(password: string, store: string): string | Failure {
  const found = opened(store, password)
  if (found instanceof Failure) return found
  if (found.certificates.length === 0) return failWith('the PKCS #12 store has no certificate')
  const all = found.certificates.map((bytes) => pem('CERTIFICATE', bytes)).join('')
  const chain = chainOf(all)
  return typeof chain === 'string' ? all : chain.map(({ bytes }) => pem('CERTIFICATE', bytes)).join('')
}

/** The certificates of a PEM text; undefined where one of its blocks is none. */
function certificatesOf(text: string): readonly X509Certificate[] | undefined {
  try {
    return pemBlocks(text).map(({ bytes }) => new X509Certificate(bytes))
  } catch {
    return undefined
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function storeOf(certificates: string, key: string, password: string, ids: Ids, isWhole: boolean): string | Failure {
  const read = certificatesOf(certificates)
  const [first] = read ?? []
  if (!read || !first) return failWith('the certificate is not in PEM')
  try {
    const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
    const chain = (isWhole ? read : [first]).map(({ raw }) => raw)
    const options = { password, profile: 'Modern2023', bytes: (count: number) => ids.bytes(count) } as const
    return base64(writePkcs12({ key: der, certificates: chain }, options))
  } catch {
    return failWith('unable to parse private key type')
  }
}

function trustStoreOf(certificates: string, password: string, ids: Ids): string | Failure {
  const read = certificatesOf(certificates)
  if (!read || read.length === 0) return failWith('the certificates are not in PEM')
  const named = read.map(({ raw, subject }) => ({ bytes: raw, name: subject.split('\n').toReversed().join(',') }))
  return base64(writeTrustStore(named, { password, profile: 'Modern2023', bytes: (count) => ids.bytes(count) }))
}

/** What templates do with PKCS #12 stores. What is written comes as base64, what is read is bytes. */
export const pkcs12Functions = (ids: Ids): FunctionTable => ({
  pkcs12key: fn(['string'], 'any', (store) => keyIn('', store)),
  pkcs12keyPass: fn(['string', 'string'], 'any', keyIn),
  pkcs12cert: fn(['string'], 'any', (store) => certificatesIn('', store)),
  pkcs12certPass: fn(['string', 'string'], 'any', certificatesIn),
  pemToPkcs12: fn(['string', 'string'], 'any', (cert, key) => storeOf(cert, key, '', ids, false)),
  pemToPkcs12Pass: fn(['string', 'string', 'string'], 'any', (cert, key, pass) => storeOf(cert, key, pass, ids, false)),
  fullPemToPkcs12: fn(['string', 'string'], 'any', (cert, key) => storeOf(cert, key, '', ids, true)),
  fullPemToPkcs12Pass: fn(['string', 'string', 'string'], 'any', (cert, key, pass) =>
    storeOf(cert, key, pass, ids, true),
  ),
  pemTruststoreToPKCS12: fn(['string'], 'any', (certs) => trustStoreOf(certs, '', ids)),
  pemTruststoreToPKCS12Pass: fn(['string', 'string'], 'any', (certs, pass) => trustStoreOf(certs, pass, ids)),
})
