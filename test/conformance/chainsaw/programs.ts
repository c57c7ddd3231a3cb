import { spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Finished } from '../suite.ts'

/** The kubectl that scripts run: the one that IDP_KUBECTL names, or the first on the PATH. */
export function findKubectl(): string | undefined {
  const named = process.env['IDP_KUBECTL']
  if (named !== undefined && named !== '') return named
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'kubectl')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  return undefined
}

const folders = new Map<string, string>()

/** A folder in which `kubectl` is the given program, so that scripts find it whatever it is called. */
function folderOf(kubectl: string): string {
  const known = folders.get(kubectl)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'idp-kubectl-'))
  mkdirSync(folder, { recursive: true })
  symlinkSync(kubectl, join(folder, 'kubectl'))
  folders.set(kubectl, folder)
  return folder
}

export interface ProgramOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly kubectl: string
  readonly kubeconfig: string
  readonly env: Readonly<Record<string, string>>
  readonly limitMs: number
}

/** Runs a program with kubectl on its PATH and the cluster in its environment. */
export function runProgram(options: ProgramOptions): Promise<Finished> {
  const { command, args, cwd, kubectl, kubeconfig, env, limitMs } = options
  const path = `${folderOf(kubectl)}${delimiter}${process.env['PATH'] ?? ''}`
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env, PATH: path, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      }),
    )
  })
}
