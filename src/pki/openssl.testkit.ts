import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether a program is on this machine, so that a test that asks it can be left out. */
export const has = (program: string, argument: string = 'version'): boolean =>
  spawnSync(program, [argument], { stdio: 'ignore' }).error === undefined

/** Runs a program in a folder that holds the given files; its exit code with all that it said. */
export function runWith(
  program: string,
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
): { readonly code: number; readonly text: string; readonly bytes: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'pki-test-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 })
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, maxBuffer: 16_777_216 })
    return { code: status ?? -1, text: `${stdout.toString()}${stderr.toString()}`, bytes: stdout }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Asks openssl. */
export const openssl = (
  args: readonly string[],
  files?: Readonly<Record<string, string | Uint8Array>>,
): ReturnType<typeof runWith> => runWith('openssl', args, files)
