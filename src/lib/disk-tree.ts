import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import type { FileTree } from './file-tree.ts'

/** Files of the disk are read whole; larger ones are no source of manifests. */
const LARGEST = 128 * 1024 * 1024

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(cause.code))

/**
 * A folder of the disk as a tree. Links may lead anywhere below `within`, the folder itself when not given; one that leads
 * out of it is as if it were not there.
 */
export function diskTree(root: string, within: string = root): FileTree {
  const top = realpathSync(resolve(root))
  const bounds = realpathSync(resolve(within))
  const place = (path: string): string | undefined => {
    if (path.split('/').includes('..')) return undefined
    try {
      const real = realpathSync(join(top, path))
      return real === bounds || real.startsWith(bounds.endsWith(sep) ? bounds : bounds + sep) ? real : undefined
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw new Error(`cannot read ${path}`, { cause })
    }
  }
  return {
    read(path) {
      const real = place(path)
      if (real === undefined) return undefined
      const stat = statSync(real)
      if (!stat.isFile()) return undefined
      if (stat.size > LARGEST) throw new Error(`cannot read ${path}: it is larger than ${LARGEST} bytes`)
      return readFileSync(real)
    },
    list(path) {
      const real = place(path)
      if (real === undefined || !statSync(real).isDirectory()) return undefined
      const names: string[] = []
      for (const entry of readdirSync(real, { withFileTypes: true })) {
        if (!entry.isSymbolicLink()) {
          if (entry.isDirectory()) names.push(`${entry.name}/`)
          else if (entry.isFile()) names.push(entry.name)
          continue
        }
        const target = place(path === '' ? entry.name : `${path}/${entry.name}`)
        if (target !== undefined) names.push(statSync(target).isDirectory() ? `${entry.name}/` : entry.name)
      }
      return names.toSorted()
    },
  }
}
