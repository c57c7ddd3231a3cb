import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..', '..')

/** A program of this folder, bundled so that another process can run it. */
export interface Writer {
  readonly path: string
  readonly remove: () => void
}

/** Bundles a program; the bundle lies inside the project, so that it finds the database's binary. */
export async function bundle(name: string): Promise<Writer> {
  const path = join(root, '.cache', 'run', `${name}-${process.pid}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  return { path, remove: () => rmSync(path, { force: true }) }
}
