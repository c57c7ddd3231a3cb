import { execFile } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { access, constants, readdir, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { readPlatformFile } from '../../../bootstrap/settings/platform-file.ts'
import { systemClock } from '../../../lib/clock.ts'
import { explain } from '../../../lib/result.ts'
import { usualSettings } from '../../../render/settings/read-settings.ts'
import { STATE_KUBECONFIG } from '../../cluster-client.ts'
import { readRunFile } from '../up/run-file.ts'
import type { MachineFacts } from './judge.ts'

const run = promisify(execFile)
const API_PORT = 6443

/** Looks at the machine, the state folder and the settings of the folder where somebody works. */
export async function lookAround(
  stateFolder: string,
  workingFolder: string,
  path: string | undefined,
): Promise<MachineFacts> {
  const running = readRunFile(stateFolder)
  const file = await readPlatformFile(running?.repository ?? workingFolder)
  const settings = file.ok ? file.value.settings : usualSettings()
  const { host, httpPort, httpsPort } = settings.gateway
  const wanted = [
    { name: 'API', host: '127.0.0.1', port: running ? Number(new URL(running.url).port) : API_PORT },
    { name: 'gateway, HTTP', host, port: httpPort },
    { name: 'gateway, HTTPS', host, port: httpsPort },
  ]
  const name = `git.${settings.dns.suffix}`
  return {
    node: process.version,
    git: await versionOf('git', ['--version'], path),
    stateFolder,
    state: await stateOf(stateFolder),
    freeBytes: await freeBytesOf(stateFolder),
    nowMs: systemClock.now(),
    ports: await Promise.all(
      wanted.map(async ({ name: what, host: at, port }) => {
        const use = (await canListen(at, port)) ? 'free' : running ? 'ours' : 'taken'
        return { name: what, port, use } as const
      }),
    ),
    settings: file.ok ? [] : file.error.map(explain),
    sandbox: (await versionOf('bwrap', ['--version'], path)) !== undefined,
    suffix: { name, isHere: await isThisMachine(name) },
  }
}

async function versionOf(
  program: string,
  args: readonly string[],
  path: string | undefined,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, [...args], { env: { PATH: path }, timeout: 5_000 })
    return stdout.trim()
  } catch {
    // It is not there, or does not run.
    return undefined
  }
}

async function stateOf(folder: string): Promise<MachineFacts['state']> {
  try {
    const { mode } = await stat(folder)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const times = await Promise.all(
      (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mtimeMs),
    )
    const kubeconfig = await stat(join(folder, STATE_KUBECONFIG)).catch(() => undefined)
    return {
      is: 'there',
      mode,
      newestMs: Math.max(0, ...times),
      ...(kubeconfig ? { kubeconfigMode: kubeconfig.mode } : {}),
    }
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException // the error of a file system call
    if (code !== 'ENOENT') return { is: 'unusable', because: code }
    const parent = await access(dirname(folder), constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    )
    return parent === undefined || parent === 'ENOENT'
      ? { is: 'missing' }
      : { is: 'unusable', because: `cannot be made: ${parent}` }
  }
}

async function freeBytesOf(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at)
      return bavail * bsize
    } catch {
      // Not there yet: its parent is on the same disk.
      if (dirname(at) === at) return undefined
    }
  }
}

/** Whether a port can be had. */
export function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, host, () => server.close(() => done(true)))
  })
}

async function isThisMachine(name: string): Promise<boolean> {
  try {
    const found = await lookup(name, { all: true })
    return found.every(({ address }) => address.startsWith('127.') || address === '::1')
  } catch {
    // The system does not know the name.
    return false
  }
}
