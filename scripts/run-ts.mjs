// Runs a TypeScript entry (benches, conformance, tools): node scripts/run-ts.mjs FILE.ts [ARGS...]
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, fail, root } from './ensure.mjs'

const [entry, ...args] = process.argv.slice(2)
if (!entry) fail('usage: node scripts/run-ts.mjs FILE.ts [ARGS...]')
ensureInstalled()
ensureBuilt()

const { build } = await import('esbuild')
const folder = join(root, '.cache', 'run')
mkdirSync(folder, { recursive: true })
const outfile = join(folder, `${entry.replace(/[^a-z0-9]+/gi, '-')}-${process.pid}.mjs`)
// esbuild has already shown what is wrong.
const cannotBuild = () => fail(`cannot build ${entry}`)
await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  packages: 'external',
  define: { IDP_VERSION: '"dev"', IDP_ROOT: JSON.stringify(root) },
  sourcemap: 'inline',
  logLevel: 'warning',
}).catch(cannotBuild)
const child = spawn(process.execPath, ['--enable-source-maps', '--expose-gc', outfile, ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  rmSync(outfile, { force: true })
  process.exit(signal ? 1 : (code ?? 1))
})
