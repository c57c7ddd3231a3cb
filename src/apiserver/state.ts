import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeObject } from '../kube/object.ts'
import { type Result, succeed } from '../lib/result.ts'
import { jsonCodec } from '../store/codec.ts'
import { type LmdbStore, openLmdbStore } from '../store/lmdb-store.ts'
import { sealedCodec } from '../store/sealed-codec.ts'
import { createKeyFile, readKeyFile } from '../store/sealing-keys.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from './auth/service-account-tokens.ts'
import { writeSecret } from './pki/server-pki.ts'
import { prefixOf } from './storage/keys.ts'

/** A cluster's state on disk: its objects and the keys that belong to them. */
export interface ClusterState {
  readonly store: LmdbStore<KubeObject>
  readonly tokenKeys: TokenKeys
}

/** Opens the state below a folder, or makes it there. Secrets are encrypted with a key beside the store. */
export async function openState(folder: string): Promise<Result<ClusterState>> {
  const keysFolder = join(folder, 'pki')
  await mkdir(keysFolder, { recursive: true, mode: 0o700 })
  const sealingPath = join(keysFolder, 'secrets.keys')
  const sealing = existsSync(sealingPath) ? readKeyFile(sealingPath) : succeed(createKeyFile(sealingPath))
  if (!sealing.ok) return sealing
  const codec = sealedCodec({
    inner: jsonCodec<KubeObject>(),
    keys: sealing.value,
    prefixes: [prefixOf('', 'secrets')],
  })
  const store = await openLmdbStore({ folder: join(folder, 'store'), codec })
  if (!store.ok) return store
  return succeed({ store: store.value, tokenKeys: readTokenKeys([await signingKey(join(keysFolder, 'sa.key'))]) })
}

async function signingKey(path: string): Promise<string> {
  if (existsSync(path)) return readFile(path, 'utf8')
  const made = newSigningKey()
  await writeSecret(path, made)
  return made
}
