import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { describeError } from '../../../lib/log.ts'
import type { Root } from '../../../pki/explain/roots.ts'
import type { Io } from '../../command.ts'

/** What was done, and what a person still has to do, a line each. */
export interface Installed {
  readonly done: readonly string[]
  readonly left: readonly string[]
}

const SYSTEM_FOLDER = '/usr/local/share/ca-certificates'

/** Puts a root where programs of this machine look for whom to trust, as far as this user may. */
export async function installRoot(root: Root, io: Io): Promise<Installed> {
  const done: string[] = []
  const left: string[] = []
  const folder = join(homeOf(io), '.config', 'idp')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${fileName(root)}.crt`)
  await writeFile(file, root.pem, { mode: 0o644 })
  done.push(`written to ${file}`)
  await intoSystem(root, file, io, done, left)
  await intoNss(root, file, io, done, left)
  left.push(`Firefox: Settings, Certificates, Authorities, Import ${file}`)
  left.push(`macOS: security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`)
  left.push(`Windows: certutil -addstore -user Root ${file}`)
  left.push(`Node programs: NODE_EXTRA_CA_CERTS=${file}; curl: --cacert ${file}`)
  return { done, left }
}

const homeOf = ({ env, cwd }: Io): string => env['HOME'] ?? cwd

/** A name for a file, of plain characters, that differs between roots of one name. */
const fileName = ({ name, fingerprint }: Root): string =>
  `idp-${name.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60)}-${fingerprint.replaceAll(':', '').slice(0, 8).toLowerCase()}`

async function intoSystem(root: Root, file: string, io: Io, done: string[], left: string[]): Promise<void> {
  if (!existsSync(SYSTEM_FOLDER)) return
  const update = programAt('update-ca-certificates', io)
  const target = join(SYSTEM_FOLDER, `${fileName(root)}.crt`)
  if (!update || !isWritable(SYSTEM_FOLDER)) {
    left.push(`the system (curl, git, ...): sudo cp ${file} ${target} && sudo update-ca-certificates`)
    return
  }
  await writeFile(target, root.pem, { mode: 0o644 })
  const problem = await run(update, [], io)
  if (problem === undefined) done.push('the system trusts it (curl, git, ...)')
  else left.push(`the system: update-ca-certificates failed: ${problem}`)
}

async function intoNss(root: Root, file: string, io: Io, done: string[], left: string[]): Promise<void> {
  const home = homeOf(io)
  const database = join(home, '.pki', 'nssdb')
  const words = ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', `${root.name} (idp)`, '-i', file]
  const certutil = programAt('certutil', io)
  if (!certutil) {
    left.push(`Chromium: install certutil (libnss3-tools), then certutil ${words.map(quoted).join(' ')}`)
    return
  }
  await mkdir(database, { recursive: true, mode: 0o700 })
  if (!existsSync(join(database, 'cert9.db')))
    await run(certutil, ['-d', `sql:${database}`, '-N', '--empty-password'], io)
  const problem = await run(certutil, words, io)
  if (problem === undefined) done.push('Chromium trusts it')
  else left.push(`Chromium: certutil failed: ${problem}`)
}

const quoted = (word: string): string => (/^[\w:./,-]+$/.test(word) ? word : JSON.stringify(word))

function programAt(name: string, { env }: Io): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Runs a program; answers what went wrong. */
function run(path: string, args: readonly string[], { signal }: Io): Promise<string | undefined> {
  return new Promise((done) => {
    const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'], signal })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(0, 2_000)))
    child.on('error', (error) => done(describeError(error)))
    child.on('close', (code) => done(code === 0 ? undefined : said.trim() || `it ended with ${code}`))
  })
}
