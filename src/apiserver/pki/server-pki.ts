import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MASTERS } from '../auth/attributes.ts'
import {
  certificateMaker,
  type CertificateMaker,
  isSignedBy,
  isUsable,
  type KeyPair,
  type ServerNames,
} from './certificates.ts'

/** The keys and certificates of a server: its authority, what it serves with, and what its administrator shows. */
export interface ServerPki {
  readonly authority: KeyPair
  readonly serving: KeyPair
  readonly admin: KeyPair
}

const ADMIN = { commonName: 'kubernetes-admin', organizations: [MASTERS] }

/** Reads the certificates below a folder, and makes those that are missing, expiring or lack a name. */
export async function loadServerPki(folder: string, names: ServerNames, nowMs: number): Promise<ServerPki> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let maker: Promise<CertificateMaker> | undefined
  const make = (): Promise<CertificateMaker> => (maker ??= certificateMaker(nowMs))
  const authority = await pairAt(
    folder,
    'ca',
    ({ cert }) => isUsable(cert, nowMs),
    async () => (await make()).authority('idp-cluster'),
  )
  const isOurs = ({ cert }: KeyPair): boolean => isSignedBy(cert, authority.cert)
  const [serving, admin] = await Promise.all([
    pairAt(
      folder,
      'apiserver',
      (pair) => isOurs(pair) && isUsable(pair.cert, nowMs, names),
      async () => (await make()).serving(authority, names),
    ),
    pairAt(
      folder,
      'admin',
      (pair) => isOurs(pair) && isUsable(pair.cert, nowMs),
      async () => (await make()).client(authority, ADMIN),
    ),
  ])
  return { authority, serving, admin }
}

async function pairAt(
  folder: string,
  name: string,
  isGood: (pair: KeyPair) => boolean,
  make: () => Promise<KeyPair>,
): Promise<KeyPair> {
  const certPath = join(folder, `${name}.crt`)
  const keyPath = join(folder, `${name}.key`)
  if (existsSync(certPath) && existsSync(keyPath)) {
    const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')])
    if (isGood({ cert, key })) return { cert, key }
  }
  const made = await make()
  await writeSecret(keyPath, made.key)
  await writeFile(certPath, made.cert, { mode: 0o644 })
  return made
}

/** Writes a file that only its owner reads, whole or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const beside = `${path}.new`
  await writeFile(beside, text, { mode: 0o600 })
  await rename(beside, path)
}

/** A kubeconfig for the administrator of a server. */
export function kubeconfigOf(url: string, pki: ServerPki): string {
  const encoded = (pem: string): string => Buffer.from(pem).toString('base64')
  return `apiVersion: v1
kind: Config
clusters:
- name: idp
  cluster:
    server: ${url}
    certificate-authority-data: ${encoded(pki.authority.cert)}
users:
- name: idp-admin
  user:
    client-certificate-data: ${encoded(pki.admin.cert)}
    client-key-data: ${encoded(pki.admin.key)}
contexts:
- name: idp
  context:
    cluster: idp
    user: idp-admin
current-context: idp
`
}
