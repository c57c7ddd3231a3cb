import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { fail, type Result, succeed } from '../lib/result.ts'

/** One key of AES-256. */
export interface SealingKey {
  readonly id: string
  readonly secret: Uint8Array
}

/** The keys that can be read with; the first is the one that is written with. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]]

export const KEY_BYTES = 32

/**
 * Reads a key file: one `id base64` a line, the key to write with first; `#` begins a comment. A file that others may
 * read is refused.
 */
export function readKeyFile(path: string): Result<SealingKeys> {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY)
  } catch (cause) {
    return fail({
      code: 'key-file-unreadable',
      message: `cannot read the key file ${path}: ${(cause as NodeJS.ErrnoException).code ?? 'unknown reason'}`,
      cure: 'restore it from a backup: without it, what was encrypted cannot be read',
    })
  }
  try {
    // Asked of the open file, so that it cannot be exchanged in between.
    const mode = fstatSync(file).mode & 0o777
    if ((mode & 0o077) !== 0) {
      return fail({
        code: 'key-file-mode',
        message: `cannot use the key file ${path}: its mode ${mode.toString(8)} lets others read it`,
        cure: `chmod 600 ${path}`,
      })
    }
    return parseKeys(readFileSync(file, 'utf8'), path)
  } finally {
    closeSync(file)
  }
}

/** Makes a key file with one new key; an existing file is left alone. */
export function createKeyFile(path: string): SealingKeys {
  const keys: SealingKeys = [newKey()]
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  writeAndClose(file, keys)
  return keys
}

/** Puts a new key in front; the old ones go on reading. The file is replaced as a whole. */
export function rotateKeyFile(path: string, keys: SealingKeys): SealingKeys {
  const rotated: SealingKeys = [newKey(), ...keys]
  replaceKeyFile(path, rotated)
  return rotated
}

/** Keeps only the key that is written with, once everything has been encrypted with it. */
export function retireOldKeys(path: string, keys: SealingKeys): SealingKeys {
  const kept: SealingKeys = [keys[0]]
  replaceKeyFile(path, kept)
  return kept
}

function replaceKeyFile(path: string, keys: SealingKeys): void {
  const next = `${path}.new`
  rmSync(next, { force: true })
  writeAndClose(openSync(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600), keys)
  renameSync(next, path)
}

function newKey(): SealingKey {
  return { id: randomBytes(4).toString('hex'), secret: randomBytes(KEY_BYTES) }
}

function writeAndClose(file: number, keys: SealingKeys): void {
  try {
    fchmodSync(file, 0o600)
    for (const { id, secret } of keys) writeSync(file, `${id} ${Buffer.from(secret).toString('base64')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function parseKeys(text: string, path: string): Result<SealingKeys> {
  const keys: SealingKey[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [id = '', encoded = '', ...more] = line.trim().split(/\s+/)
    const secret = Buffer.from(encoded, 'base64')
    const isDouble = keys.some((key) => key.id === id)
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(id) || secret.length !== KEY_BYTES || more.length > 0 || isDouble) {
      return fail({
        code: 'key-file-invalid',
        at: `${path}:${index + 1}`,
        // The line itself may hold a key.
        message: 'cannot read the key: a line is an id of its own, a space and 32 bytes in base64',
      })
    }
    keys.push({ id, secret })
  }
  const [first, ...rest] = keys
  if (!first) {
    return fail({ code: 'key-file-invalid', at: path, message: 'cannot use the key file: there is no key in it' })
  }
  return succeed([first, ...rest])
}
