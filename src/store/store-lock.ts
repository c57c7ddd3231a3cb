import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Bytes } from './lmdb-journal.ts'

const ownerKey = Buffer.from('mowner')

/** Who has a store open. */
export interface Owner {
  readonly pid: number
  readonly host: string
  /** When the process started, in the kernel's own count, where that can be told: pids are used again. */
  readonly started?: string
  /** The file this was written for: a copy of the directory is nobody's. */
  readonly file: string
}

/**
 * Takes the store for this process, or answers who has it. The question and the answer are one transaction, and the
 * database admits one writer at a time across processes, so that two cannot both win.
 */
export function takeStore(db: Bytes, folder: string): Owner | undefined {
  const me = ownerHere(folder)
  return db.transactionSync(() => {
    const known = parseOwner(db.get(ownerKey))
    if (known && known.file === me.file && isAlive(known, me)) return known
    db.putSync(ownerKey, Buffer.from(JSON.stringify(me)))
    return undefined
  })
}

/** Gives the store back. */
export function releaseStore(db: Bytes): void {
  db.removeSync(ownerKey)
}

function ownerHere(folder: string): Owner {
  const { dev, ino } = statSync(join(folder, 'data.mdb'), { bigint: true })
  const started = startOf(process.pid)
  return { pid: process.pid, host: hostname(), ...(started ? { started } : {}), file: `${dev}:${ino}` }
}

function parseOwner(bytes: Buffer | undefined): Owner | undefined {
  return bytes && (JSON.parse(bytes.toString()) as Owner) // what takeStore wrote
}

function isAlive(owner: Owner, me: Owner): boolean {
  // Another host's processes cannot be looked up from here.
  if (owner.host !== me.host) return true
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = startOf(owner.pid)
  return !started || !owner.started || started === owner.started
}

/** From /proc/PID/stat: when the process started, in ticks since boot; 'ended' for one that nobody has waited for yet. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name in parentheses and may hold spaces; the third is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19]
  } catch {
    return undefined
  }
}
