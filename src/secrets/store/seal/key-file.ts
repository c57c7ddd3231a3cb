import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Result, succeed } from '../../../lib/result.ts'
import { createKeyFile, readKeyFile } from '../../../store/sealing-keys.ts'

/** The key that unseals at start. */
export interface UnsealFile {
  /** The keys in the file, the newest first; a missing file has none. */
  read(): Result<readonly Uint8Array[]>
  /** The newest key; where there is no file yet, one is made with mode 0600. */
  ensure(): Result<Uint8Array>
}

/** The key file at a path. */
export function unsealFile(path: string): UnsealFile {
  const read = (): Result<readonly Uint8Array[]> => {
    if (!existsSync(path)) return succeed([])
    const keys = readKeyFile(path)
    return keys.ok ? succeed(keys.value.map(({ secret }) => secret)) : keys
  }
  return {
    read,
    ensure() {
      const known = read()
      if (!known.ok) return known
      const [first] = known.value
      if (first) return succeed(first)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return succeed(createKeyFile(path)[0].secret)
    },
  }
}
