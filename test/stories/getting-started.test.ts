import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { missingFrom, shellBlocks } from './executed-document.ts'
import { idpPath, root } from './idp.ts'
import { platformFolder, portsOf, removeFolder, type RunningPlatform, startPlatform } from './platform.ts'

const DOCUMENT = join(root, 'docs', 'getting-started.md')
const PATIENCE_MS = 60_000

let folder: string
let platform: RunningPlatform
const hasProgram = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

beforeAll(async () => {
  folder = await platformFolder('.idp/platform')
  platform = await startPlatform(folder, [], '.idp/platform')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'idp'), `#!/bin/sh\nexec "${process.execPath}" "${idpPath}" "$@"\n`)
  chmodSync(join(bin, 'idp'), 0o755)
}, 120_000)

afterAll(async () => {
  await platform.client.close()
  await platform.stop()
  removeFolder(folder)
}, 30_000)

/** Runs a block in a shell of its own, in the folder of the platform. */
function run(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const { http, https } = portsOf(join(folder, '.idp', 'platform'))
  const mine = script.replaceAll('18443', String(https)).replaceAll('18080', String(http))
  const identity = ['user.name=Ada', 'user.email=ada@example.com', 'commit.gpgSign=false']
  const env: Record<string, string | undefined> = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    GIT_CONFIG_COUNT: String(identity.length),
  }
  for (const [at, setting] of identity.entries()) {
    const [key, value] = setting.split('=')
    env[`GIT_CONFIG_KEY_${at}`] = key
    env[`GIT_CONFIG_VALUE_${at}`] = value
  }
  return new Promise((resolve) => {
    const child = spawn('sh', ['-e', '-c', mine], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('close', (code) => resolve({ code, output }))
  })
}

test('what docs/getting-started.md says, happens', async () => {
  const blocks = shellBlocks(DOCUMENT)
  expect(blocks.length).toBeGreaterThan(10)
  const skipped: string[] = []
  for (const { line, script, expects, isRepeated, needs } of blocks) {
    const program = needs ?? /^\s*(?:kubectl|curl)/.exec(script)?.[0]?.trim()
    if (program !== undefined && !hasProgram(program)) {
      skipped.push(`${program} (line ${line})`)
      continue
    }
    const until = Date.now() + (isRepeated ? PATIENCE_MS : 0)
    for (;;) {
      const { code, output } = await run(script)
      const missing = missingFrom(output, expects)
      if (missing.length === 0 && (code === 0 || isRepeated)) break
      if (Date.now() >= until) {
        throw new Error(
          `line ${line} ended with ${code} and lacks ${JSON.stringify(missing)}:\n${script}\n---\n${output}`,
        )
      }
      await sleep(200)
    }
  }
  if (skipped.length > 0) console.log(`passed over, because they are not here: ${skipped.join(', ')}`)
}, 300_000)
