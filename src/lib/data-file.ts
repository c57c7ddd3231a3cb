import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

/** Reads a packed file by its name below `data/`, without the suffix of its compression. */
export type ReadData = (name: string) => Uint8Array

let root: string | undefined

/** A folder of the package itself, found by walking up from where this code runs: the bundle, the sources, or a script. */
export function packageFolder(name: string): string {
  if (root !== undefined) return join(root, name)
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    if (existsSync(join(at, 'data', 'builtin', 'index.br'))) return join((root = at), name)
    if (dirname(at) === at) throw new Error(`cannot find the data folder above ${import.meta.dirname}`)
  }
}

/** Unpacks one file that came with the package: `readData('builtin/apps')` reads `data/builtin/apps.br`. Callers keep what they parse. */
export const readData: ReadData = (name) => {
  const path = join(packageFolder('data'), `${name}.br`)
  try {
    return brotliDecompressSync(readFileSync(path))
  } catch (cause) {
    throw new Error(`cannot read the packed file ${name}`, { cause })
  }
}
