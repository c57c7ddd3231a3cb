import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** A folder or file of the machine that a container sees somewhere. */
export interface Mount {
  readonly from: string
  readonly to: string
  readonly isReadOnly: boolean
}

/** What is to be run, and what it sees. */
export interface Command {
  readonly argv: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly cwd: string | undefined
  readonly mounts: readonly Mount[]
  readonly hostname: string
}

/** A program with its arguments, as `spawn` takes them. */
export interface Spawnable {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** Folders of the machine that nobody in a container has to see. */
const hidden = new Set([
  'home',
  'root',
  'run',
  'tmp',
  'mnt',
  'media',
  'srv',
  'boot',
  'lost+found',
  'dev',
  'proc',
  'sys',
  'var',
])

/** Builds what runs a command inside bubblewrap: its own processes, a read-only view of the machine's programs, its volumes. */
export function sandboxed({ argv, env, cwd, mounts, hostname }: Command, bubblewrap: string): Spawnable {
  const args = ['--die-with-parent', '--new-session', '--unshare-pid', '--unshare-ipc', '--unshare-uts']
  args.push('--hostname', hostname.slice(0, 63), '--tmpfs', '/')
  const view = new View()
  for (const name of readdirSync('/')) if (!hidden.has(name)) view.show(join('/', name), args)
  args.push(
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/tmp',
    '--dir',
    '/run',
    '--dir',
    '/var',
    '--dir',
    '/var/tmp',
  )
  args.push('--symlink', '../run', '/var/run', '--dir', '/root')
  view.showProgram(process.execPath, args)
  for (const { from, to, isReadOnly } of mounts) {
    const place = to.startsWith('/var/run/') ? to.slice('/var'.length) : to
    view.open(place, args)
    args.push(isReadOnly ? '--ro-bind' : '--bind', from, place)
  }
  args.push('--chdir', cwd ?? '/', '--clearenv')
  for (const [name, value] of env) args.push('--setenv', name, value)
  return { file: bubblewrap, args: [...args, '--', ...argv], cwd: '/', env: {} }
}

/** What of the machine a sandbox shows, and where places for volumes can be made. */
class View {
  readonly #shown = new Set<string>()

  show(path: string, args: string[]): void {
    let target: string
    try {
      target = realpathSync(path)
    } catch {
      return // a link to nothing shows nothing
    }
    if (target !== path) {
      args.push('--symlink', relative('/', target), path)
      return
    }
    this.#shown.add(path)
    args.push('--ro-bind', path, path)
  }

  /** Programs that were installed below a home folder are shown with what lies beside them. */
  showProgram(path: string, args: string[]): void {
    const real = realpathSync(path)
    const folder = dirname(dirname(real))
    const isShown = [...this.#shown].some((shown) => real.startsWith(shown + sep))
    if (!isShown && folder !== '/') args.push('--ro-bind', folder, folder)
  }

  /** Makes it possible to mount at a path: a read-only folder on the way is taken apart, its other entries stay. */
  open(path: string, args: string[]): void {
    const shown = [...this.#shown].find((one) => path === one || path.startsWith(one + sep))
    if (shown === undefined || existsSync(path)) return
    this.#shown.delete(shown)
    args.push('--tmpfs', shown)
    const next = shown + sep + (path.slice(shown.length + 1).split(sep)[0] ?? '')
    for (const name of readdirSync(shown)) {
      const entry = join(shown, name)
      if (entry === next && statSync(entry).isDirectory()) this.#shown.add(entry)
      args.push('--ro-bind-try', entry, entry)
    }
    this.open(path, args)
  }
}

/** Builds what runs a command without a sandbox: volumes lie below a folder that `IDP_ROOT` names. */
export function unsandboxed({ argv, env, cwd }: Command, root: string): Spawnable {
  const [file = '', ...args] = argv
  const inside = cwd === undefined ? root : existsSync(join(root, cwd)) ? join(root, cwd) : cwd
  return { file, args, cwd: existsSync(inside) ? inside : root, env: { ...Object.fromEntries(env), IDP_ROOT: root } }
}
