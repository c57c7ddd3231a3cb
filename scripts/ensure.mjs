// Set-up that every command shares: install when the lock file changed, build when a source changed.
// A fresh tree is recognised by two stamps and costs a few milliseconds.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

// A reader that went away (`npm test | head`) is no error of ours, but nobody is left to talk to.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(1)
})

/** Runs a program in the repository, shows its output, and ends this process when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (done.error) fail(`cannot run ${command}: ${done.error.message}`)
  return done.status ?? 1
}

/** Runs npm: by its own file where npm started us, which needs no search path and no shell on any system. */
export function npm(args) {
  const file = process.env.npm_execpath ?? ''
  return basename(file) === 'npm-cli.js' ? run(process.execPath, [file, ...args]) : run('npm', args)
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

/** Whether every package that we name is there: an install that was cut short, or a folder removed by hand, shows here. */
function isComplete() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = Object.keys({ ...dependencies, ...devDependencies })
  return names.every((name) => existsSync(join(root, 'node_modules', name, 'package.json')))
}

export function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.idp-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && isComplete()) return
  process.stderr.write('installing dependencies\n')
  // Not `npm ci`: it refuses a lock file that lacks another platform's optional binaries, which some registries do not carry.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  // One more try: a registry that drops a connection is common enough on a fresh machine.
  if (npm(args) !== 0 && npm(args) !== 0) fail('npm install failed: see the lines above')
  if (!isComplete()) fail('npm install left packages out: remove node_modules and try again')
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
  const [stamp, entry] = ['.built', 'idp.js'].map((name) => join(root, 'dist', name))
  const sources = ['src', 'scripts/build.mjs', 'package.json', 'package-lock.json'].map((path) => join(root, path))
  if (existsSync(stamp) && existsSync(entry)) {
    const built = statSync(stamp).mtimeMs
    if (sources.every((path) => newest(path) <= built)) return
  }
  const began = new Date()
  if (run(process.execPath, ['scripts/build.mjs']) !== 0) fail('the build failed: see the lines above')
  writeFileSync(stamp, '')
  // What is saved while the build runs is newer than the build.
  utimesSync(stamp, began, began)
}

/** Runs a tool installed under node_modules by its own entry file, without a shell. */
export function tool(name, args, options = {}) {
  return run(process.execPath, [join(root, 'node_modules', name), ...args], options)
}
