import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** The repository's root. */
export const root: string = join(import.meta.dirname, '..', '..')

/** The bundled command line, as a user runs it. */
export const idpPath: string = join(root, 'dist', 'idp.js')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end. */
export function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.stdin.on('error', () => {})
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') }),
    )
    child.stdin.end(options.input ?? '')
  })
}

/** Runs `idp` to its end. */
export function idp(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runProgram(process.execPath, [idpPath, ...args], options)
}
