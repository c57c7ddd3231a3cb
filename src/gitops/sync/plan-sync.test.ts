import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { manifest, syncWorld } from './sync-world.testkit.ts'

const applied = (log: readonly string[]): readonly string[] => log.filter((line) => !line.startsWith('try '))

describe('waves and phases', () => {
  test('objects without waves are tried, then applied in the order of their kinds, and that is all', () => {
    const world = syncWorld([manifest('Deployment', 'web'), manifest('ConfigMap', 'b'), manifest('ConfigMap', 'a')])
    expect(world.turn()).toMatchObject({
      do: 'finish',
      phase: 'Succeeded',
      message: 'successfully synced (all tasks run)',
    })
    expect(world.log).toEqual([
      'try apply ConfigMap/a',
      'try apply ConfigMap/b',
      'try apply Deployment/web',
      'apply ConfigMap/a',
      'apply ConfigMap/b',
      'apply Deployment/web',
    ])
    expect(world.results.map(({ name, status, hookPhase, syncPhase }) => [name, status, hookPhase, syncPhase])).toEqual(
      [
        ['a', 'Synced', 'Running', 'Sync'],
        ['b', 'Synced', 'Running', 'Sync'],
        ['web', 'Synced', 'Running', 'Sync'],
      ],
    )
  })

  test('a wave waits until the one before is healthy, and says what for', () => {
    const world = syncWorld([manifest('ConfigMap', 'late', { wave: 1 }), manifest('Deployment', 'db')])
    world.health.set('Deployment/db', { status: 'Progressing', message: '0 of 1 updated replicas are available' })
    expect(world.turn()).toMatchObject({
      do: 'wait',
      message: 'waiting for healthy state of apps/Deployment/db: 0 of 1 updated replicas are available',
    })
    expect(applied(world.log)).toEqual(['apply Deployment/db'])
    expect(world.turn().do).toBe('wait')
    world.health.set('Deployment/db', { status: 'Healthy' })
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(['apply Deployment/db', 'apply ConfigMap/late'])
  })

  test('a wave that degrades fails the sync, and later waves are not touched', () => {
    const world = syncWorld([manifest('ConfigMap', 'late', { wave: 1 }), manifest('Deployment', 'db')])
    world.health.set('Deployment/db', { status: 'Degraded', message: 'it exceeded its progress deadline' })
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Failed' })
    expect(applied(world.log)).toEqual(['apply Deployment/db'])
  })

  test('hooks before and after', () => {
    const world = syncWorld([
      manifest('Job', 'after', { hook: 'PostSync' }),
      manifest('Job', 'before', { hook: 'PreSync' }),
      manifest('ConfigMap', 'a'),
    ])
    world.health.set('Job/before', { status: 'Progressing' })
    expect(world.turn()).toMatchObject({ do: 'wait', message: 'waiting for completion of hook batch/Job/before' })
    expect(applied(world.log)).toEqual(['apply Job/before'])
    world.health.set('Job/before', { status: 'Healthy' })
    world.health.set('Job/after', { status: 'Progressing' })
    expect(world.turn()).toMatchObject({ do: 'wait', message: 'waiting for completion of hook batch/Job/after' })
    world.health.set('Job/after', { status: 'Healthy', message: 'Job completed' })
    expect(world.turn()).toMatchObject({
      do: 'finish',
      phase: 'Succeeded',
      message: 'successfully synced (no more tasks)',
    })
    expect(applied(world.log)).toEqual([
      'apply Job/before',
      'release-hook Job/before',
      'apply ConfigMap/a',
      'apply Job/after',
      'release-hook Job/after',
    ])
  })

  test('a failed PreSync hook stops the sync, and the SyncFail hook runs', () => {
    const world = syncWorld([
      manifest('Job', 'check', { hook: 'PreSync' }),
      manifest('Job', 'tell', { hook: 'SyncFail' }),
      manifest('ConfigMap', 'a'),
    ])
    world.health.set('Job/check', { status: 'Degraded', message: 'exit code 1' })
    world.health.set('Job/tell', { status: 'Progressing' })
    expect(world.turn()).toMatchObject({ do: 'wait', message: 'waiting for completion of hook batch/Job/tell' })
    world.health.set('Job/tell', { status: 'Healthy' })
    expect(world.turn()).toMatchObject({
      do: 'finish',
      phase: 'Failed',
      message: 'one or more synchronization tasks completed unsuccessfully',
    })
    expect(applied(world.log).filter((line) => line.startsWith('apply'))).toEqual(['apply Job/check', 'apply Job/tell'])
    expect(world.results).toMatchObject([
      { name: 'check', status: 'Synced', hookPhase: 'Failed', message: 'exit code 1', hookType: 'PreSync' },
      { name: 'tell', status: 'Synced', hookPhase: 'Succeeded', hookType: 'SyncFail' },
    ])
  })

  test('what the dry run refuses is never applied', () => {
    const world = syncWorld([manifest('ConfigMap', 'a'), manifest('ConfigMap', 'bad')])
    world.refuses.set('ConfigMap/bad', 'data: Invalid value')
    expect(world.turn()).toMatchObject({
      do: 'finish',
      phase: 'Failed',
      message: 'one or more objects failed to apply (dry run)',
    })
    expect(applied(world.log)).toEqual([])
    expect(world.results).toMatchObject([{ name: 'bad', status: 'SyncFailed', message: 'data: Invalid value' }])
  })
})

describe('hooks', () => {
  test.each([
    { policy: undefined, health: 'Healthy', left: true },
    { policy: 'HookSucceeded', health: 'Healthy', left: false },
    { policy: 'HookFailed', health: 'Healthy', left: true },
    { policy: 'HookSucceeded', health: 'Degraded', left: true },
    { policy: 'HookFailed', health: 'Degraded', left: false },
  ] as const)('a hook with policy $policy that ends $health is left: $left', ({ policy, health, left }) => {
    const world = syncWorld([manifest('Job', 'once', { hook: 'Sync', ...(policy ? { policy } : {}) })])
    world.health.set('Job/once', { status: health })
    expect(world.turn()).toMatchObject({ do: 'finish', phase: health === 'Healthy' ? 'Succeeded' : 'Failed' })
    expect([...world.live.values()].map(({ metadata }) => metadata.name)).toEqual(left ? ['once'] : [])
  })

  test('a hook of an earlier sync makes room first, and is waited for', () => {
    const old = manifest('Job', 'once', { hook: 'Sync' })
    const world = syncWorld([old], {}, [old])
    world.lingers.add('Job/once')
    expect(world.turn()).toMatchObject({ do: 'wait', message: 'waiting for deletion of hook batch/Job/once' })
    world.live.clear()
    world.health.set('Job/once', { status: 'Healthy' })
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(['delete-hook Job/once', 'apply Job/once', 'release-hook Job/once'])
  })

  test('a hook with generateName has the same name however often its sync is planned', () => {
    const hook: KubeObject = manifest('Job', '', { hook: 'PreSync' })
    const { name: _none, ...metadata } = hook.metadata
    const world = syncWorld([{ ...hook, metadata: { ...metadata, generateName: 'migrate-' } }])
    world.health.set('Job/migrate-abcdef0-presync-1767225600', { status: 'Progressing' })
    expect(world.turn()).toMatchObject({ do: 'wait' })
    world.health.set('Job/migrate-abcdef0-presync-1767225600', { status: 'Healthy' })
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual([
      'apply Job/migrate-abcdef0-presync-1767225600',
      'release-hook Job/migrate-abcdef0-presync-1767225600',
    ])
  })

  test('the hooks and weights of Helm are those of a sync', () => {
    const helm = (name: string, hook: string, weight: string): KubeObject => {
      const object = manifest('Job', name)
      return {
        ...object,
        metadata: { ...object.metadata, annotations: { 'helm.sh/hook': hook, 'helm.sh/hook-weight': weight } },
      }
    }
    const world = syncWorld([
      helm('second', 'pre-install,pre-upgrade', '5'),
      helm('first', 'pre-install', '-5'),
      helm('test', 'test', '0'),
      helm('last', 'post-install', '0'),
      manifest('ConfigMap', 'a'),
    ])
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log).filter((line) => line.startsWith('apply'))).toEqual([
      'apply Job/first',
      'apply Job/second',
      'apply ConfigMap/a',
      'apply Job/last',
    ])
  })

  test('terminating ends what runs and keeps what was applied', () => {
    const world = syncWorld([manifest('ConfigMap', 'a', { wave: -1 }), manifest('Job', 'stuck', { hook: 'Sync' })])
    world.health.set('Job/stuck', { status: 'Progressing' })
    expect(world.turn().do).toBe('wait')
    world.phase = 'Terminating'
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Failed', message: 'Operation terminated' })
    expect([...world.live.values()].map(({ kind }) => kind)).toEqual(['ConfigMap'])
    expect(world.results).toContainEqual(
      expect.objectContaining({ name: 'stuck', hookPhase: 'Failed', message: 'Terminated' }),
    )
  })
})

describe('pruning', () => {
  const old = [manifest('ConfigMap', 'x', { wave: 1 }), manifest('ConfigMap', 'y', { wave: 2 })]

  test('is not done unless asked for', () => {
    const world = syncWorld([], {}, old)
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(world.results).toMatchObject([
      { status: 'PruneSkipped', message: 'ignored (requires pruning)' },
      { status: 'PruneSkipped' },
    ])
  })

  test('goes in the reverse order of waves', () => {
    const world = syncWorld([], { prune: true }, old)
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(['prune ConfigMap/y', 'prune ConfigMap/x'])
  })

  test('comes last when asked for', () => {
    const targets = [manifest('ConfigMap', 'a'), manifest('ConfigMap', 'z', { wave: 9 })]
    const world = syncWorld(targets, { prune: true, syncOptions: ['PruneLast=true'] }, old)
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual([
      'apply ConfigMap/a',
      'apply ConfigMap/z',
      'prune ConfigMap/x',
      'prune ConfigMap/y',
    ])
  })

  test('of what asks for a word waits for it, and holds up its whole wave', () => {
    const careful = manifest('ConfigMap', 'x', { options: 'Prune=confirm' })
    const world = syncWorld([manifest('ConfigMap', 'a')], { prune: true }, [careful])
    expect(world.turn()).toMatchObject({ do: 'wait', message: 'waiting for pruning confirmation of /ConfigMap/x' })
    expect(applied(world.log)).toEqual([])
    expect(world.turn({ isPruneConfirmed: true })).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(['prune ConfigMap/x', 'apply ConfigMap/a'])
  })

  test('leaves what says Prune=false', () => {
    const world = syncWorld([], { prune: true }, [manifest('ConfigMap', 'x', { options: 'Prune=false' })])
    world.turn()
    expect(world.results).toMatchObject([{ status: 'PruneSkipped', message: 'ignored (no prune)' }])
    expect(world.live.size).toBe(1)
  })
})

describe('what depends on what', () => {
  const definition = manifest('CustomResourceDefinition', 'widgets.example.com', {
    spec: { group: 'example.com', names: { kind: 'Widget' } },
    wave: 3,
  })

  test('a definition comes before its objects, which are not tried without it', () => {
    const world = syncWorld([manifest('Widget', 'w'), definition])
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(world.log).toEqual([
      'try apply CustomResourceDefinition/widgets.example.com',
      'apply CustomResourceDefinition/widgets.example.com',
      'apply Widget/w',
    ])
  })

  test('an object of a kind that nobody defines is refused before anything is done', () => {
    const world = syncWorld([manifest('Widget', 'w'), manifest('ConfigMap', 'a')])
    expect(world.turn()).toMatchObject({
      do: 'finish',
      phase: 'Failed',
      message: expect.stringContaining('does not serve example.com/v1 Widget') as string,
    })
    expect(world.log).toEqual([])
  })

  test('a Namespace comes before what lives in it, whatever its wave', () => {
    const world = syncWorld([manifest('ConfigMap', 'a'), manifest('Namespace', 'shop', { wave: 7 })])
    world.turn()
    expect(world.log).toEqual(['apply Namespace/shop', 'try apply ConfigMap/a', 'apply ConfigMap/a'])
  })

  test('a missing Namespace is created when asked for, and looked after when it has metadata', () => {
    const target: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
    const world = syncWorld([manifest('ConfigMap', 'a')], { syncOptions: ['CreateNamespace=true'] })
    expect(world.turn({ managedNamespace: { target } })).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(['apply Namespace/shop', 'apply ConfigMap/a'])
  })
})

describe('a sync of some objects', () => {
  test.each([
    { name: 'only those', resources: [{ kind: 'ConfigMap', name: 'a' }], want: ['apply ConfigMap/a'] },
    {
      name: 'all but those',
      resources: [{ kind: 'ConfigMap', name: 'a', exclude: true }],
      want: ['apply ConfigMap/b'],
    },
    { name: 'a kind', resources: [{ kind: '*', name: 'b', group: '*' }], want: ['apply ConfigMap/b'] },
  ])('$name', ({ resources, want }) => {
    const world = syncWorld(
      [manifest('ConfigMap', 'a'), manifest('ConfigMap', 'b'), manifest('Job', 'h', { hook: 'PreSync' })],
      { resources },
    )
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(applied(world.log)).toEqual(want)
  })

  test('only what differs, when asked for', () => {
    const same = manifest('ConfigMap', 'a')
    const world = syncWorld([same, manifest('ConfigMap', 'b')], { syncOptions: ['ApplyOutOfSyncOnly=true'] }, [same])
    world.turn()
    expect(world.log).toEqual(['try apply ConfigMap/b', 'apply ConfigMap/b'])
  })

  test('a dry run changes nothing', () => {
    const world = syncWorld([manifest('ConfigMap', 'a')], { dryRun: true, prune: true }, [manifest('ConfigMap', 'x')])
    expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
    expect(world.log).toEqual(['try prune ConfigMap/x', 'try apply ConfigMap/a'])
    expect([...world.live.keys()]).toEqual(['/ConfigMap/shop/x'])
  })
})
