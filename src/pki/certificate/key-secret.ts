import type { KeyObject } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { materialOf } from '../key-pair.ts'
import { publicKeyBytes } from '../x509/keys.ts'

/** A private key with the bytes of its public one. */
export interface KeyOfSecret {
  readonly key: KeyObject
  readonly spki: Uint8Array
}

/** A Secret that holds the key of an issuance. */
export interface SecretWithKey {
  readonly secret: KubeObject
  readonly key: KeyOfSecret
}

/** The private key of a Secret; undefined where there is none that can be read. */
export function keyOf(secret: KubeObject): KeyOfSecret | undefined {
  const { key } = materialOf(secret)
  return key?.ok ? { key: key.value, spki: publicKeyBytes(key.value) } : undefined
}
