import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { platformFolder, removeFolder, type RunningPlatform, spawnUp, startPlatform } from './platform.ts'

const applications = { resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' } }
const namespaces = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
const configMaps = { resource: { group: '', version: 'v1', plural: 'configmaps' } }
const patience = { timeout: 30_000, interval: 50 }

describe('a platform', () => {
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

  const write = (path: string, text: string): void => {
    const file = join(platform.repository, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
  }
  const commit = async (message: string): Promise<void> => {
    await platform.git('add', '--all')
    await platform.git('commit', '--quiet', '--message', message)
  }
  const application = async (name: string): Promise<{ readonly sync?: string; readonly health?: string }> => {
    const read = await platform.client.get({ ...applications, namespace: 'argocd', name })
    if (!read.ok) return {}
    const { sync, health } = (read.value['status'] ?? {}) as Record<string, { readonly status?: string }>
    return { ...(sync?.status ? { sync: sync.status } : {}), ...(health?.status ? { health: health.status } : {}) }
  }
  const settled = { sync: 'Synced', health: 'Healthy' }

  test('is up when every Application is Synced and Healthy, and says so on one screen', async () => {
    expect(platform.summary.applications.isSettled).toBe(true)
    expect(platform.summary.applications.total).toBeGreaterThan(8)
    const status = await platform.idp('status')
    expect(status.stdout).toContain('Applications Synced and Healthy')
    expect(status.stdout + status.stderr).toContain('Everything is as it should be.')
    expect(status.code).toBe(0)
    const second = await platform.idp('up', 'platform', '--state', '.idp')
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('runs already')
    expect((await platform.idp('bootstrap', '--check', 'platform')).stdout).toBe('nothing differs from IT/\n')
  })

  test('makes an Application of a new folder, heals what is changed by hand, and prunes what is removed', async () => {
    write('K8s/events/hello/kustomization.yaml', 'resources: [hello.yaml]\nnamespace: events\n')
    write(
      'K8s/events/hello/hello.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: hello, labels: { app.kubernetes.io/component: demo } }\ndata: { word: "first" }\n',
    )
    await commit('events: say hello')
    await expect.poll(() => application('events-hello'), patience).toEqual(settled)
    const target = { ...configMaps, namespace: 'events', name: 'hello' }
    const word = async (): Promise<unknown> => {
      const read = await platform.client.get(target)
      return read.ok ? (read.value['data'] as { readonly word?: string }).word : read.error.reason
    }
    expect(await word()).toBe('first')
    await platform.client.patch(target, { type: 'merge', body: { data: { word: 'by hand' } } })
    await expect.poll(word, patience).toBe('first')
    rmSync(join(platform.repository, 'K8s/events/hello'), { recursive: true })
    await commit('events: say nothing')
    await expect.poll(word, patience).toBe('NotFound')
    await expect.poll(() => application('events-hello'), patience).toEqual({})
  }, 60_000)

  test('refuses what its policies forbid, says by which rule and how to mend it, and goes on once it is mended', async () => {
    const file = 'K8s/events/governance/kustomization.yaml'
    const before = await platform.git('show', `HEAD:${file}`)
    expect(before).toMatch(/^ +owner: .+$/m)
    write(file, before.replace(/^ +owner: .+\n/m, ''))
    await commit('events: forget the owner')
    const why = async (): Promise<string> => (await platform.idp('app', 'why', 'events-governance')).stdout
    await expect.poll(why, patience).toContain('owner')
    expect(await why()).toContain('namespace-labels')
    write(file, `${before}\n`)
    await commit('events: remember the owner')
    await expect.poll(() => application('events-governance'), patience).toEqual(settled)
    const live = await platform.client.get({ ...namespaces, name: 'events' })
    expect(live.ok && live.value.metadata.labels?.['owner']).toBeTruthy()
  }, 60_000)

  test('goes on in a moment where it was, after an end and after a crash', async () => {
    expect(await platform.stop()).toBe(0)
    await platform.client.close()
    platform = await startPlatform(folder)
    expect(platform.summary.applications.isSettled).toBe(true)
    process.kill(platform.pid, 'SIGKILL')
    await platform.client.close()
    platform = await startPlatform(folder)
    expect(platform.summary.applications.isSettled).toBe(true)
  }, 120_000)
})

test('a platform that is killed again and again while it begins, comes up at the next start', async () => {
  const folder = await platformFolder()
  try {
    for (let round = 0; round < 20; round++) {
      const child = spawnUp(folder, [], { stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await sleep(250 + round * 150)
      child.kill('SIGKILL')
      await ended
    }
    const platform = await startPlatform(folder)
    expect(platform.summary.applications.isSettled).toBe(true)
    expect((await platform.idp('bootstrap', '--check', 'platform')).stdout).toBe('nothing differs from IT/\n')
    await platform.client.close()
    expect(await platform.stop()).toBe(0)
  } finally {
    removeFolder(folder)
  }
}, 240_000)
