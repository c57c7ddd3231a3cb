import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Archives by the hash of their content. */
export interface ChartCache {
  /** The archive with a digest, or undefined. What does not match its digest any more is dropped, not answered. */
  get(digest: string): Uint8Array | undefined
  /** Keeps an archive and answers its digest. */
  put(archive: Uint8Array): string
}

/** `sha256:` and the hash in hex: how registries and index files name content. */
export const digestOf = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`

const DIGEST = /^sha256:[0-9a-f]{64}$/

/** A cache in memory. */
export function memoryChartCache(): ChartCache {
  const kept = new Map<string, Uint8Array>()
  return {
    get: (digest) => kept.get(digest),
    put(archive) {
      const digest = digestOf(archive)
      kept.set(digest, archive)
      return digest
    },
  }
}

/** A cache in a folder, one file an archive. Writing is atomic, so that several processes may share it. */
export function diskChartCache(folder: string): ChartCache {
  const pathOf = (digest: string): string => join(folder, `${digest.slice('sha256:'.length)}.tgz`)
  return {
    get(digest) {
      if (!DIGEST.test(digest)) return undefined
      let data: Buffer
      try {
        data = readFileSync(pathOf(digest))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new Error(`cannot read the chart cache at ${pathOf(digest)}`, { cause })
      }
      if (digestOf(data) === digest) return data
      rmSync(pathOf(digest), { force: true })
      return undefined
    },
    put(archive) {
      const digest = digestOf(archive)
      const path = pathOf(digest)
      mkdirSync(folder, { recursive: true })
      const draft = `${path}.${process.pid}.tmp`
      writeFileSync(draft, archive)
      renameSync(draft, path)
      return digest
    },
  }
}
