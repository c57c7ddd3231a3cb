import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { application, automated, configMap, type GitOpsWorld, gitOpsWorld } from './applications.testkit.ts'

let world: GitOpsWorld
beforeEach(async () => {
  world = await gitOpsWorld()
})
afterEach(() => world.close())

const maps = { group: '', version: 'v1', plural: 'configmaps' }
const mapNamed = async (name: string) => {
  const found = await world.client.get({ resource: maps, namespace: 'shop', name })
  return found.ok ? found.value : undefined
}

describe('an automated Application', () => {
  test('gets what Git has into the cluster, and tells that it is Synced and Healthy', async () => {
    world.commit('rev1', [configMap('a', { x: '1' })])
    await world.create(application(automated))
    const app = await world.until(
      ({ status }) => status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded',
    )
    expect(app.status).toMatchObject({
      sync: { status: 'Synced', revision: 'rev1', comparedTo: { destination: { namespace: 'shop' } } },
      health: { status: 'Healthy' },
      operationState: {
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        operation: { initiatedBy: { automated: true } },
      },
      history: [{ id: 0, revision: 'rev1' }],
      resources: [{ kind: 'ConfigMap', name: 'a', namespace: 'shop', status: 'Synced', version: 'v1' }],
      sourceType: 'Directory',
      controllerNamespace: 'argocd',
    })
    expect(app.operation).toBeUndefined()
    expect(await mapNamed('a')).toMatchObject({
      data: { x: '1' },
      metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:shop/a' } },
    })
  })
})
