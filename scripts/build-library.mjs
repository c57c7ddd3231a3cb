// Builds the importable subpaths of the package (package.json "exports"): dist/lib/<name>.js and dist/types. Not needed to run idp.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ensureInstalled, fail, root, tool } from './ensure.mjs'

ensureInstalled()
const entries = readdirSync(join(root, 'src', 'library')).filter((name) => name.endsWith('.ts'))
rmSync(join(root, 'dist', 'lib'), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: entries.map((name) => join('src', 'library', name)),
  outdir: 'dist/lib',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  packages: 'external',
  legalComments: 'none',
  logLevel: 'warning',
})
if (tool('typescript/bin/tsc', ['-p', 'tsconfig.library.json']) !== 0)
  fail('the types of the library could not be written')
