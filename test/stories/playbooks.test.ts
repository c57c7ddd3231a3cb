import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Collection } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { platformFolder, removeFolder, type RunningPlatform, startPlatform } from './platform.ts'

const argo = (plural: string): Collection['resource'] => ({ group: 'argoproj.io', version: 'v1alpha1', plural })
const core = (plural: string): Collection['resource'] => ({ group: '', version: 'v1', plural })
const patience = { timeout: 30_000, interval: 100 }
const playbooks = 'K8s/events/playbooks'

interface Traced {
  readonly eventId: string
  readonly fired: number
  readonly because: string
}

describe('the playbooks of the blueprint', () => {
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

  const get = async (
    plural: Collection['resource'],
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined> => {
    const found = await platform.client.get({ resource: plural, namespace, name })
    return found.ok ? found.value : undefined
  }
  const list = async (plural: Collection['resource'], namespace: string): Promise<readonly KubeObject[]> => {
    const found = await platform.client.list({ resource: plural, namespace })
    return found.ok ? found.value.items : []
  }
  const events = async (...words: readonly string[]): Promise<unknown> => {
    const ran = await platform.idp('events', ...words, '-o', 'json')
    expect(ran.stderr).toBe('')
    return JSON.parse(ran.stdout)
  }
  const send = (source: string, file: string, ...more: readonly string[]): Promise<unknown> =>
    events('send', '--source', source, '-f', join('platform', playbooks, file), ...more)
  const firedBy = async (sensor: string): Promise<readonly Traced[]> =>
    ((await events('list', '--sensor', sensor)) as readonly Traced[]).filter(({ fired }) => fired > 0)

  interface History {
    readonly revision: string
  }
  const history = async (): Promise<readonly History[]> => {
    const app = await get(argo('applications'), 'argocd', 'demo-web')
    return (app?.['status'] as { readonly history?: readonly History[] } | undefined)?.history ?? []
  }

  test('a burn rolls back what the alert names, tells of it, and stays there', async () => {
    const before = (await history()).at(-1)?.revision
    const file = join(platform.repository, 'Teams/demo/web/deployment.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/replicas: \d+/, 'replicas: 3'))
    await platform.git('commit', '--quiet', '--all', '--message', 'web: three of it')
    await expect.poll(async () => (await history()).at(-1)?.revision, patience).not.toBe(before)
    expect(await send('alertmanager/slo-alerts', 'slo-rollback/alert.json')).toMatchObject({ status: 200 })
    await expect.poll(async () => (await history()).at(-1)?.revision, patience).toBe(before)
    const app = await get(argo('applications'), 'argocd', 'demo-web')
    expect(app?.metadata.annotations).toMatchObject({ 'idp-blueprint.io/paused-until': 'resumed' })
    const [traced] = await firedBy('slo-rollback')
    const trace = (await events('trace', traced?.eventId ?? '')) as { readonly outcomes: readonly unknown[] }
    expect(trace.outcomes).toContainEqual(expect.objectContaining({ object: 'Application argocd/demo-web' }))
    const told = (await list(core('events'), 'argocd')).filter((one) => one['reason'] === 'ErrorBudgetBurn')
    expect(told.map((one) => one['message'])).toEqual(['ErrorBudgetBurn fires for demo-web: it is rolled back'])
    await send('alertmanager/slo-alerts', 'slo-rollback/alert.json')
    await expect.poll(async () => (await firedBy('slo-rollback')).length, patience).toBe(2)
    expect((await history()).at(-1)?.revision).toBe(before)
  }, 60_000)

  test('a pull request is built and shown once however often it is told, and its preview goes with it', async () => {
    const header = ['--header', 'X-GitHub-Event: pull_request']
    await send('github/pull-requests', 'pull-request/opened.json', ...header, '--id', 'one')
    await send('github/pull-requests', 'pull-request/opened.json', ...header, '--id', 'one')
    const preview = async (): Promise<KubeObject | undefined> => get(argo('applications'), 'argocd', 'preview-web-42')
    await expect.poll(preview, patience).toBeDefined()
    await expect.poll(async () => (await list(argo('workflows'), 'cicd')).length, patience).toBe(1)
    const closed = join(platform.repository, playbooks, 'closed.json')
    const opened = readFileSync(join(platform.repository, playbooks, 'pull-request/opened.json'), 'utf8')
    writeFileSync(closed, opened.replace('"opened"', '"closed"'))
    await send('github/pull-requests', 'closed.json', ...header)
    await expect.poll(preview, patience).toBeUndefined()
    expect(await list(argo('workflows'), 'cicd')).toHaveLength(1)
  }, 60_000)

  test('an Application that wants it is synced when it differs', async () => {
    const drifting = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'drifting', namespace: 'argocd', labels: { 'idp-blueprint.io/heal': 'true' } },
      spec: {
        project: 'policies',
        source: { repoURL: 'http://git.idp-system.svc:3000/platform.git', path: 'Policies', targetRevision: 'main' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'kyverno' },
      },
    }
    const made = await platform.client.create({ resource: argo('applications'), namespace: 'argocd' }, drifting)
    expect(made.ok ? '' : made.error.message).toBe('')
    const asked = async (): Promise<unknown> => {
      const app = await get(argo('applications'), 'argocd', 'drifting')
      const { operationState } = (app?.['status'] ?? {}) as {
        readonly operationState?: { readonly operation?: unknown }
      }
      return operationState?.operation
    }
    await expect
      .poll(asked, patience)
      .toMatchObject({ initiatedBy: { username: 'system:serviceaccount:events:heal-drift' } })
  }, 60_000)

  test('an ExternalSecret that fails is asked for once more, and once only', async () => {
    const resource = { group: 'external-secrets.io', version: 'v1', plural: 'externalsecrets' }
    const made = await platform.client.create(
      { resource, namespace: 'team-demo' },
      {
        apiVersion: 'external-secrets.io/v1',
        kind: 'ExternalSecret',
        metadata: { name: 'broken', namespace: 'team-demo' },
        spec: {
          refreshInterval: '1h',
          secretStoreRef: { kind: 'ClusterSecretStore', name: 'teams' },
          target: { name: 'broken' },
          data: [{ secretKey: 'a', remoteRef: { key: 'teams/demo/none', property: 'x' } }],
        },
      },
    )
    expect(made.ok ? '' : made.error.message).toBe('')
    const asked = async (): Promise<string | undefined> =>
      (await get(resource, 'team-demo', 'broken'))?.metadata.annotations?.['force-sync']
    await expect.poll(asked, patience).toBeDefined()
    expect((await firedBy('refresh-secrets')).map(({ because }) => because)).toEqual([
      'patched ExternalSecret team-demo/broken',
    ])
  }, 60_000)

  test('a right that is missing is named, and what was given up goes through once it is there', async () => {
    const rbac = (plural: string): Collection['resource'] => ({
      group: 'rbac.authorization.k8s.io',
      version: 'v1',
      plural,
    })
    const create = async (resource: Collection['resource'], object: object): Promise<void> => {
      const made = await platform.client.create({ resource, namespace: 'events' }, object)
      expect(made.ok ? '' : made.error.message).toBe('')
    }
    const metadata = { name: 'forgetful', namespace: 'events' }
    await create(core('serviceaccounts'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
    await create(argo('sensors'), {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Sensor',
      metadata,
      spec: {
        template: { serviceAccountName: 'forgetful' },
        dependencies: [{ name: 'ping', eventSourceName: 'story', eventName: 'ping' }],
        triggers: [
          {
            template: {
              name: 'note',
              k8s: {
                source: { resource: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'noted-' } } },
              },
            },
          },
        ],
      },
    })
    const ready = async (): Promise<string> => {
      const sensor = await get(argo('sensors'), 'events', 'forgetful')
      const { conditions = [] } = (sensor?.['status'] ?? {}) as {
        readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
      }
      const one = conditions.find(({ type }) => type === 'Ready')
      return `${one?.status} ${one?.message}`
    }
    await expect.poll(ready, patience).toContain('may not create configmaps in namespace events')
    await events('send', '--direct', '--source', 'story/ping', '--data', '{}')
    const letters = async (): Promise<number> =>
      ((await events('dead-letters', '--sensor', 'forgetful')) as readonly unknown[]).length
    await expect.poll(letters, patience).toBe(1)
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }]
    await create(rbac('roles'), { apiVersion, kind: 'Role', metadata, rules })
    await create(rbac('rolebindings'), {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac('').group, kind: 'Role', name: 'forgetful' },
      subjects: [{ kind: 'ServiceAccount', name: 'forgetful', namespace: 'events' }],
    })
    await events('replay', '--sensor', 'forgetful')
    expect(await letters()).toBe(0)
    const noted = (await list(core('configmaps'), 'events')).filter((one) => one.metadata.name?.startsWith('noted-'))
    expect(noted).toHaveLength(1)
    await expect.poll(ready, patience).toContain('True')
  }, 60_000)

  test('a Sensor whose condition can never hold is refused with the reason', async () => {
    const made = await platform.client.create(
      { resource: argo('sensors'), namespace: 'events' },
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Sensor',
        metadata: { name: 'dead', namespace: 'events' },
        spec: {
          dependencies: [{ name: 'burn', eventSourceName: 'alertmanager', eventName: 'slo-alerts' }],
          triggers: [{ template: { name: 'x', conditions: `burn && burn.labels.slo == 'web'`, log: {} } }],
        },
      },
    )
    expect(made.ok ? 'accepted' : made.error.message).toContain('is no condition')
  })
})
