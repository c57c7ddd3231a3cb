import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GitRemote } from './git-url.ts'

/** Who we are to a repository, and whom we trust. Every field is as the Secret of the repository says it. */
export interface RepositoryAccess {
  readonly username?: string
  readonly password?: string
  readonly bearerToken?: string
  /** PEM or OpenSSH text. */
  readonly sshPrivateKey?: string
  readonly tlsClientCertData?: string
  readonly tlsClientCertKey?: string
  /** Neither the certificate of the server nor its SSH key is checked. */
  readonly insecure?: boolean
  readonly proxy?: string
  readonly noProxy?: string
  /** Certificates of authorities, in PEM, for the host of the repository. */
  readonly ca?: string
  /** Lines of known hosts. */
  readonly knownHosts?: string
}

/** Keeps a secret or certificate in a file of its own that only we may read; the same content is the same file. */
function fileOf(folder: string, content: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const name = createHash('sha256').update(content).digest('hex').slice(0, 32)
  const path = join(folder, name)
  writeFileSync(path, content.endsWith('\n') ? content : `${content}\n`, { mode: 0o600 })
  return path
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The environment in which git reaches a repository: settings by environment, so that no secret is in an argument list. */
export function environmentFor(
  remote: GitRemote,
  access: RepositoryAccess,
  folder: string,
): Readonly<Record<string, string>> {
  const settings: (readonly [string, string])[] = []
  const env: Record<string, string> = {}
  if (remote.transport === 'http') {
    const { origin } = new URL(remote.url)
    const header = authorization(remote, access)
    // Bound to the host, so that a redirect elsewhere does not take it along.
    if (header !== undefined) settings.push([`http.${origin}/.extraHeader`, `Authorization: ${header}`])
    if (access.insecure) settings.push(['http.sslVerify', 'false'])
    if (access.ca) settings.push(['http.sslCAInfo', fileOf(folder, access.ca)])
    if (access.tlsClientCertData && access.tlsClientCertKey) {
      settings.push(['http.sslCert', fileOf(folder, access.tlsClientCertData)])
      settings.push(['http.sslKey', fileOf(folder, access.tlsClientCertKey)])
    }
    if (access.proxy) settings.push(['http.proxy', access.proxy])
    if (access.noProxy) env['no_proxy'] = access.noProxy
  } else if (remote.transport === 'ssh') {
    env['GIT_SSH_COMMAND'] = sshCommand(access, folder)
    env['GIT_SSH_VARIANT'] = 'ssh'
  }
  env['GIT_CONFIG_COUNT'] = String(settings.length)
  for (const [index, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key
    env[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return env
}

function authorization(
  remote: GitRemote & { readonly transport: 'http' },
  access: RepositoryAccess,
): string | undefined {
  const username = access.username ?? remote.username
  const password = access.password ?? remote.password
  if (password !== undefined || username !== undefined) {
    // A token alone is a password of any user.
    const pair = `${username ?? 'x-access-token'}:${password ?? ''}`
    return `Basic ${Buffer.from(pair).toString('base64')}`
  }
  return access.bearerToken === undefined ? undefined : `Bearer ${access.bearerToken}`
}

/** Git runs this by a shell: it holds nothing but words of ours and quoted paths below our own folder. */
function sshCommand({ sshPrivateKey, insecure, knownHosts }: RepositoryAccess, folder: string): string {
  const words = ['ssh', '-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentityAgent=none', '-o', 'ConnectTimeout=15']
  if (sshPrivateKey) words.push('-o', 'IdentitiesOnly=yes', '-i', quoted(fileOf(folder, sshPrivateKey)))
  if (insecure) words.push('-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null')
  else {
    const hosts = quoted(fileOf(folder, knownHosts ?? ''))
    words.push('-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${hosts}`)
  }
  return words.join(' ')
}
