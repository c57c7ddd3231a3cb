import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, type Problem } from '../lib/result.ts'

/** The layout that this program writes. */
export const FORMAT = 1

const formatPath = (folder: string): string => join(folder, 'format')
const dataPath = (folder: string): string => join(folder, 'data.mdb')

/** What a folder holds: nothing yet, or a store in a format that this program knows. */
export type Found =
  | { readonly ok: true; readonly format: number | undefined }
  | { readonly ok: false; readonly error: readonly Problem[] }

/** Looks at a folder before the database does: a damaged file would end the process. */
export function inspectFolder(folder: string): Found {
  const hasData = existsSync(dataPath(folder))
  if (!existsSync(formatPath(folder))) {
    if (!hasData) return { ok: true, format: undefined }
    const damage = damageOf(dataPath(folder))
    // The format is written last, so a store whose making was interrupted is made again.
    return damage ? corrupt(folder, damage) : { ok: true, format: undefined }
  }
  const text = readFileSync(formatPath(folder), 'utf8').trim()
  const format = /^idp-store (\d+)$/.exec(text)?.[1]
  if (!format) return corrupt(folder, `its format file says ${JSON.stringify(text.slice(0, 40))}`)
  if (Number(format) > FORMAT) {
    return fail({
      code: 'store-format-newer',
      message: `cannot open the store in ${folder}: its format ${format} is newer than ${FORMAT}, which this program knows`,
      cure: 'use the newer version that wrote it, or another state directory',
    })
  }
  const damage = hasData ? damageOf(dataPath(folder)) : 'data.mdb is missing'
  return damage ? corrupt(folder, damage) : { ok: true, format: Number(format) }
}

/** The refusal of a store that cannot be read. */
export function corrupt(folder: string, because: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return fail({
    code: 'store-corrupt',
    message: `cannot open the store in ${folder}: ${because}`,
    cure: 'restore it from a backup, or move the folder away to start with an empty one',
  })
}

/** Makes the folder, for its owner alone. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

/** Says which format the folder is in, all or nothing. */
export async function writeFormat(folder: string): Promise<void> {
  const written = `${formatPath(folder)}.new`
  const file = await open(written, 'w', 0o600)
  await file.writeFile(`idp-store ${FORMAT}\n`)
  await file.sync()
  await file.close()
  await rename(written, formatPath(folder))
  const parent = await open(folder, 'r')
  await parent.sync()
  await parent.close()
}

/*
 * The head of an LMDB file (mdb.c of LMDB 0.9, struct MDB_meta behind a page header of 24 bytes): two pages that take
 * turns, each with the magic number, the page size, the last page in use and the transaction that wrote it.
 */
const MAGIC = 0xbeefc0de
const MAGIC_AT = 24
const PAGE_SIZE_AT = 48
const LAST_PAGE_AT = 144
const HEAD_BYTES = 160

/** Why the file cannot be opened; a map of a file that is shorter than its head says ends the process when it is read. */
function damageOf(path: string): string | undefined {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return 'data.mdb is empty'
    const first = headAt(file, 0)
    if (!first) return 'data.mdb is not a database'
    const second = headAt(file, first.pageSize)
    if (!second) return 'the second page of data.mdb is damaged'
    const needed = (Math.max(first.lastPage, second.lastPage) + 1) * first.pageSize
    return size < needed ? `data.mdb has been cut short: ${size} bytes instead of at least ${needed}` : undefined
  } finally {
    closeSync(file)
  }
}

function headAt(file: number, position: number): { readonly pageSize: number; readonly lastPage: number } | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  if (readSync(file, head, 0, HEAD_BYTES, position) < HEAD_BYTES) return undefined
  const pageSize = head.readUInt32LE(PAGE_SIZE_AT)
  if (head.readUInt32LE(MAGIC_AT) !== MAGIC || pageSize < 256 || pageSize > 65_536) return undefined
  return { pageSize, lastPage: Number(head.readBigUInt64LE(LAST_PAGE_AT)) }
}
