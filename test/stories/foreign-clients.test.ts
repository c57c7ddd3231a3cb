import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { oracle } from '../differential/oracle.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { root, runProgram } from './idp.ts'

const CLIENT_NODE = '@kubernetes/client-node@1.4.0'

/** The folder that holds the foreign client, fetched once; undefined where it cannot be had. */
function clientNodeFolder(): string | undefined {
  const folder = join(root, '.cache', 'oracles', 'client-node')
  if (existsSync(join(folder, 'node_modules', '@kubernetes', 'client-node'))) return folder
  mkdirSync(folder, { recursive: true })
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', CLIENT_NODE]
  return spawnSync('npm', args, { timeout: 180_000 }).status === 0 ? folder : undefined
}

interface Report {
  readonly changes: number
  readonly restarts: number
  readonly seen: Readonly<Record<string, string>>
}

const folder = clientNodeFolder()
const OBJECTS = 50
const ROUNDS = 200

describe.skipIf(!folder)('an informer of @kubernetes/client-node', () => {
  let api: RunningApi
  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.remove())

  test(`hears of ${OBJECTS * ROUNDS} changes without a gap, and goes on after the server was restarted`, async () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'client-node-informer.mjs'), folder ?? '', api.kubeconfig],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    let latest: Report = { changes: -1, restarts: 0, seen: {} }
    const waiting = new Set<() => void>()
    createInterface({ input: child.stdout }).on('line', (line) => {
      latest = JSON.parse(line) as Report
      for (const look of waiting) look()
    })
    /** Waits for a report that is as wanted; the limit only ends a test that has failed. */
    const until = (isWanted: (report: Report) => boolean): Promise<Report> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!isWanted(latest)) return
          clearTimeout(limit)
          waiting.delete(look)
          resolve(latest)
        }
        const limit = setTimeout(
          () => reject(new Error(`the informer stopped at ${JSON.stringify(latest).slice(0, 300)}`)),
          50_000,
        )
        waiting.add(look)
        look()
      })
    const names = Array.from({ length: OBJECTS }, (_, at) => `counter-${at}`)
    const { ca, cert, key } = api.credentials
    const agent = new Agent({ connections: 8, connect: { ca, cert, key } })
    const writeRound = async (count: number): Promise<void> => {
      await Promise.all(
        names.map(async (name) => {
          const url = `${api.url}/api/v1/namespaces/default/configmaps`
          const body = JSON.stringify({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name },
            data: { count: String(count) },
          })
          const first = count === 1
          const answer = await request(first ? url : `${url}/${name}`, {
            method: first ? 'POST' : 'PUT',
            body,
            dispatcher: agent,
            headers: { 'content-type': 'application/json' },
          })
          await answer.body.dump()
          expect(answer.statusCode).toBe(first ? 201 : 200)
        }),
      )
    }
    // Its first report comes once it has listed: what is written from now on reaches it one by one.
    await until((report) => report.changes === 0)
    for (let count = 1; count <= ROUNDS; count++) await writeRound(count)
    const all = await until((report) => report.changes >= OBJECTS * ROUNDS)
    expect(all.changes).toBe(OBJECTS * ROUNDS)
    expect(all.restarts).toBe(0)
    expect(new Set(Object.values(all.seen))).toEqual(new Set([String(ROUNDS)]))

    const port = new URL(api.url).port
    await api.stop()
    const { credentials, folder: state } = api
    api = await startApi({ folder: state, args: ['--listen', `127.0.0.1:${port}`] })
    expect(api.credentials).toEqual(credentials)
    await writeRound(ROUNDS + 1)
    const after = await until((report) => Object.values(report.seen).every((count) => count === String(ROUNDS + 1)))
    expect(Object.keys(after.seen)).toHaveLength(OBJECTS)
    await agent.close()
    child.stdin.end()
    await new Promise((resolve) => child.on('exit', resolve))
  }, 120_000)
})

describe.each(['helm-3', 'helm-4'] as const)('%s against the embedded cluster', (name) => {
  const helm = oracle(name)
  test.skipIf(!('path' in helm))('installs, upgrades, rolls back and removes a release', async () => {
    const path = 'path' in helm ? helm.path : ''
    const api = await startApi()
    const home = mkdtempSync(join(tmpdir(), 'idp-helm-client-'))
    const run = async (...args: string[]): Promise<string> => {
      const ran = await runProgram(path, args, { cwd: home, env: { KUBECONFIG: api.kubeconfig, HOME: home } })
      expect(ran.stderr.replaceAll(/^.*(WARNING|level=).*$/gm, '').trim(), `helm ${args.join(' ')}`).toBe('')
      expect(ran.code).toBe(0)
      return ran.stdout
    }
    mkdirSync(join(home, 'demo', 'templates'), { recursive: true })
    writeFileSync(join(home, 'demo', 'Chart.yaml'), 'apiVersion: v2\nname: demo\nversion: 1.0.0\n')
    writeFileSync(join(home, 'demo', 'values.yaml'), 'color: red\n')
    writeFileSync(
      join(home, 'demo', 'templates', 'all.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  color: {{ .Values.color }}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  selector: {matchLabels: {app: demo}}\n  template:\n    metadata: {labels: {app: demo}}\n    spec:\n      containers: [{name: c, image: app}]\n',
    )
    expect(await run('install', 'first', 'demo')).toContain('STATUS: deployed')
    await run('upgrade', 'first', 'demo', '--set', 'color=blue')
    expect(await run('get', 'manifest', 'first')).toContain('color: blue')
    await run('rollback', 'first', '1')
    expect(await run('history', 'first', '-o', 'json')).toContain('Rollback to 1')
    expect(JSON.parse(await run('list', '-o', 'json'))).toMatchObject([
      { name: 'first', revision: '3', status: 'deployed' },
    ])
    await run('uninstall', 'first')
    expect(JSON.parse(await run('list', '-o', 'json'))).toEqual([])
    rmSync(home, { recursive: true, force: true })
    await api.remove()
  })
})
