import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idpPath } from './idp.ts'

/** A running `idp apiserver` on a fresh state directory. */
export interface RunningApi {
  readonly url: string
  /** The path of the administrator's kubeconfig. */
  readonly kubeconfig: string
  readonly folder: string
  readonly pid: number
  /** The administrator's credentials and the authority, in PEM. */
  readonly credentials: { readonly ca: string; readonly cert: string; readonly key: string }
  /** Asks the process to end and answers its exit code; the state stays. */
  stop(): Promise<number | null>
  /** Ends the process as a power cut would; the state stays. */
  kill(): Promise<void>
  /** Ends the process and forgets the state. */
  remove(): Promise<void>
}

/** Starts `idp apiserver` and waits until it says where it is. */
export async function startApi(
  options: { readonly folder?: string; readonly controllers?: string; readonly args?: readonly string[] } = {},
): Promise<RunningApi> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'idp-api-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const args = [
    'apiserver',
    '--listen',
    '127.0.0.1:0',
    '--state',
    join(folder, 'state'),
    '--kubeconfig-out',
    kubeconfig,
    '--controllers',
    options.controllers ?? 'none',
  ]
  const child = spawn(process.execPath, [idpPath, ...args, '-o', 'json', ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('\n')) resolve((JSON.parse(said) as { url: string }).url)
    })
    child.on('exit', (code) => reject(new Error(`idp apiserver ended with ${code}: ${complaints}`)))
  })
  const pem = (path: string): string => readFileSync(join(folder, 'state', 'pki', path), 'utf8')
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    return ended
  }
  return {
    url,
    kubeconfig,
    folder,
    pid: child.pid ?? 0,
    credentials: { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') },
    stop,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async remove() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
