import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs'

/** A log of JSON lines in a file that only its owner reads; a full file becomes `.1`, `.2` and so on, the oldest goes. */
export interface FileLog {
  write(event: Readonly<Record<string, unknown>>): void
  close(): void
}

const FULL_BYTES = 64 * 1024 * 1024
const KEPT = 3

/** Opens a log for appending. Lines are gathered for one turn of the event loop and written together. */
export function openFileLog(path: string, fullBytes: number = FULL_BYTES): FileLog {
  let file = openSync(path, 'a', 0o600)
  let size = statSync(path).size
  let waiting: string[] = []
  const flush = (): void => {
    if (waiting.length === 0) return
    const bytes = Buffer.from(waiting.join(''))
    waiting = []
    writeSync(file, bytes)
    size += bytes.length
    if (size >= fullBytes) rotate()
  }
  const rotate = (): void => {
    closeSync(file)
    for (let number = KEPT - 1; number >= 0; number--)
      renameIfThere(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`)
    file = openSync(path, 'a', 0o600)
    size = 0
  }
  return {
    write(event) {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push(`${JSON.stringify(event)}\n`)
    },
    close() {
      flush()
      closeSync(file)
    },
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
