import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { World } from './world.ts'
import { clientOf } from '../../stories/client-of.ts'

/** An embedded cluster in a process of its own. */
export interface TestCluster {
  readonly world: World
  /** What the process complained of so far. */
  complaints(): string
  close(): Promise<void>
}

/** Starts `idp apiserver` with everything that runs beside it. */
export async function startCluster(idp: string): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-chainsaw-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const args = [
    'apiserver',
    '--listen',
    '127.0.0.1:0',
    '--state',
    join(folder, 'state'),
    '--kubeconfig-out',
    kubeconfig,
  ]
  const child = spawn(process.execPath, [idp, ...args, '--no-audit', '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-200_000)))
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.on('exit', (code) => reject(new Error(`idp apiserver ended with ${code}: ${complaints}`)))
  })
  const client = clientOf(kubeconfig)
  return {
    world: new World(client, kubeconfig),
    complaints: () => complaints,
    async close() {
      await client.close()
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
