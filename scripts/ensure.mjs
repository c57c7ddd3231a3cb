// Set-up that every command shares: install when the lock file changed, build when a source changed.
// A fresh tree is recognised by two stamps and costs a few milliseconds.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a program in the repository, shows its output, and ends this process when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (done.error) fail(`cannot run ${command}: ${done.error.message}`)
  return done.status ?? 1
}

/** Says what is wrong and ends this process: 1 failed, 2 wrong usage. */
export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer`)
}

export function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.idp-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('installing dependencies\n')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // Not `npm ci`: it refuses a lock file that lacks another platform's optional binaries, which some registries do not carry.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  // One more try: a registry that drops a connection is common enough on a fresh machine.
  if (run(npm, args) !== 0 && run(npm, args) !== 0) fail('npm install failed: see the lines above')
  writeFileSync(stamp, lock)
}

/** The newest modification time below a folder, in milliseconds. */
function newest(path) {
  const seen = statSync(path)
  if (!seen.isDirectory()) return seen.mtimeMs
  let latest = seen.mtimeMs
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(below) : statSync(below).mtimeMs)
  }
  return latest
}

export function ensureBuilt() {
  const stamp = join(root, 'dist', '.built')
  const sources = ['src', 'scripts/build.mjs', 'package-lock.json'].map((path) => join(root, path))
  if (existsSync(stamp)) {
    const built = statSync(stamp).mtimeMs
    if (sources.every((path) => newest(path) <= built)) return
  }
  if (run(process.execPath, ['scripts/build.mjs']) !== 0) fail('the build failed: see the lines above')
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, '')
}

/** Runs a tool installed under node_modules by its own entry file, without a shell. */
export function tool(name, args, options = {}) {
  return run(process.execPath, [join(root, 'node_modules', name), ...args], options)
}
