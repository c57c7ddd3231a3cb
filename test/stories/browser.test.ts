import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from './idp.ts'
import { platformFolder, portsOf, removeFolder, type RunningPlatform, startPlatform } from './platform.ts'

const isHere = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
const browser = ['chromium', 'google-chrome'].find(isHere)

describe.skipIf(browser === undefined || !isHere('certutil'))('a browser that trusts the root of the platform', () => {
  let folder: string
  let platform: RunningPlatform

  beforeAll(async () => {
    folder = await platformFolder()
    platform = await startPlatform(folder)
  }, 120_000)

  afterAll(async () => {
    await platform.client.close()
    await platform.stop()
    removeFolder(folder)
  }, 30_000)

  test('shows what a team serves behind the gateway, and nothing without that trust', async () => {
    const { https } = portsOf(platform.repository)
    const page = (home: string) =>
      runProgram(
        browser ?? '',
        ['--headless=new', '--no-sandbox', '--disable-gpu', '--dump-dom', `https://demo.idp.localhost:${https}/`],
        { env: { HOME: home } },
      )
    const [strange, trusting] = ['strange', 'trusting'].map((name) => join(folder, name))
    if (strange === undefined || trusting === undefined) throw new Error('two homes were made')
    mkdirSync(strange)
    expect((await page(strange)).stdout).not.toContain('Hello from idp')

    const database = join(trusting, '.pki', 'nssdb')
    mkdirSync(database, { recursive: true })
    const root = join(folder, 'root.pem')
    expect((await platform.idp('pki', 'trust', '--out', root)).code).toBe(0)
    await runProgram('certutil', ['-N', '-d', `sql:${database}`, '--empty-password'])
    const trusted = await runProgram('certutil', ['-A', '-d', `sql:${database}`, '-n', 'idp', '-t', 'C,,', '-i', root])
    expect(trusted.code).toBe(0)
    expect((await page(trusting)).stdout).toContain('<h1>Hello from idp</h1>')
  }, 60_000)
})
