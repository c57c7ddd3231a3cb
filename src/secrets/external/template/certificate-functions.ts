import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, type JsonWebKey, X509Certificate } from 'node:crypto'
import { constants, privateDecrypt } from 'node:crypto'
import { fn, type FunctionTable } from '../../../lang/gotemplate/function.ts'
import { type Failure, failWith, stringList } from '../../../lang/gotemplate/value.ts'
import { pem } from '../../../lib/der.ts'
import { bytesOf, stringOf } from '../../../lib/go-string.ts'
import { isObject } from '../../../lib/json.ts'
import { type ChainLink, chainOf, isRoot } from './certificate-chain.ts'
import { pemBlocks } from './pem-blocks.ts'
import { readJson } from '../data/json-value.ts'

/** The blocks of a type; a text without any block at all is refused. */
function filterPem(type: string, text: string): string | Failure {
  const blocks = pemBlocks(text)
  if (blocks.length === 0 && text.trim() !== '') return failWith('error filtering pem: found junk')
  return blocks
    .filter((block) => block.type.toLowerCase() === type.toLowerCase())
    .map((block) => pem(block.type, block.bytes))
    .join('')
}

const certificatePem = (link: ChainLink): string => pem('CERTIFICATE', link.bytes)

function filterChain(kind: string, text: string): string | Failure {
  const chain = chainOf(text)
  if (typeof chain === 'string') return failWith(chain)
  const [leaf, ...above] = chain
  const last = chain.at(-1)
  if (kind === 'leaf') return leaf && !isRoot(leaf) ? certificatePem(leaf) : ''
  if (kind === 'root') return last && isRoot(last) ? certificatePem(last) : ''
  if (kind !== 'intermediate') return ''
  const root = above.findIndex(isRoot)
  return above
    .slice(0, root < 0 ? above.length : root)
    .map(certificatePem)
    .join('')
}

function subjectAltNames(text: string): unknown {
  const [block] = pemBlocks(text)
  if (!block) return failWith('failed to decode PEM block')
  try {
    const names = new X509Certificate(block.bytes).subjectAltName?.split(', ') ?? []
    const of = (prefix: string): readonly string[] =>
      names.flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : []))
    return stringList([...of('DNS:'), ...of('IP Address:'), ...of('email:'), ...of('URI:')])
  } catch {
    return failWith('failed to parse certificate')
  }
}

/** The key in a JWK as PEM. */
function keyOfJwk(text: string, isPrivate: boolean): string | Failure {
  const jwk = readJson(text)
  if (!isObject(jwk)) return failWith('failed to read the JWK')
  const key = jwk as JsonWebKey // the library says what is wrong with it
  try {
    if (isPrivate) return createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }) as string // of PEM
    if (typeof key.d === 'string')
      return failWith('the JWK holds a private key; its public part cannot be taken as it is')
    return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string // as above
  } catch {
    return failWith('failed to read the JWK')
  }
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA1', 'sha1'],
  ['SHA512', 'sha512'],
])

function decryptRsa(scheme: string, hash: string, text: string, keyPem: string): string | Failure {
  if (scheme === 'None') return text
  if (scheme !== 'RSA-OAEP') return failWith('the decryption scheme is not supported; it is None or RSA-OAEP')
  try {
    const key = createPrivateKey(keyPem)
    if (key.asymmetricKeyType !== 'rsa') return failWith('could not parse RSA private key')
    const padding = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASHES.get(hash) ?? 'sha256' }
    return stringOf(privateDecrypt(padding, Buffer.from(bytesOf(text))))
  } catch {
    return failWith('error decrypting data with RSA')
  }
}

/** What templates do with certificates and keys. */
export const certificateFunctions: FunctionTable = {
  filterPEM: fn(['string', 'string'], 'any', filterPem),
  filterCertChain: fn(['string', 'string'], 'any', filterChain),
  certSANs: fn(['string'], 'any', subjectAltNames),
  jwkPublicKeyPem: fn(['string'], 'any', (text) => keyOfJwk(text, false)),
  jwkPrivateKeyPem: fn(['string'], 'any', (text) => keyOfJwk(text, true)),
  rsaDecrypt: fn(['string', 'string', 'string', 'string'], 'any', decryptRsa),
}
