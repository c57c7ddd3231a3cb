import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { waveOf, phasesOf } from './hook.ts'
import { kindRank } from './kind-order.ts'
import { manifest, syncWorld } from './sync-world.testkit.ts'

const kinds = ['ConfigMap', 'Secret', 'Deployment', 'Job', 'Service'] as const

const objects: fc.Arbitrary<readonly KubeObject[]> = fc
  .uniqueArray(
    fc.record({
      kind: fc.constantFrom(...kinds),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      wave: fc.option(fc.integer({ min: -2, max: 2 }), { nil: undefined }),
      hook: fc.option(fc.constantFrom('PreSync', 'Sync', 'PostSync', 'PreSync,PostSync'), { nil: undefined }),
    }),
    { selector: ({ kind, name }) => `${kind}/${name}`, maxLength: 12 },
  )
  .map((list) =>
    list.map(({ kind, name, wave, hook }) =>
      manifest(kind, name, { ...(wave === undefined ? {} : { wave }), ...(hook === undefined ? {} : { hook }) }),
    ),
  )

const phases = ['PreSync', 'Sync', 'PostSync', 'SyncFail']

/** What a task is sorted by: phase, wave, kind, name. */
function placesOf(object: KubeObject): readonly (readonly [number, number, number, string])[] {
  const { kind, metadata } = object
  return phasesOf(object).map((phase) => [phases.indexOf(phase), waveOf(object), kindRank(kind), metadata.name ?? ''])
}

const before = (a: readonly (number | string)[], b: readonly (number | string)[]): boolean => {
  const at = a.findIndex((part, index) => part !== b[index])
  const [left, right] = [a[at], b[at]]
  return at < 0 || (left !== undefined && right !== undefined && left < right)
}

test('every plan respects phase, wave, kind and name', () => {
  fc.assert(
    fc.property(objects, (targets) => {
      const world = syncWorld(targets)
      expect(world.turn()).toMatchObject({ do: 'finish', phase: 'Succeeded' })
      const done = world.log.filter((line) => line.startsWith('apply ')).map((line) => line.slice('apply '.length))
      const wanted = targets
        .flatMap((object) =>
          placesOf(object).map((place) => ({ place, name: `${object.kind}/${object.metadata.name}` })),
        )
        .toSorted((a, b) => (before(a.place, b.place) ? -1 : 1))
      expect(done).toEqual(wanted.map(({ name }) => name))
    }),
  )
})

test('the order of files never changes what is done', () => {
  fc.assert(
    fc.property(
      objects.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray([...list], { minLength: list.length }))),
      ([one, other]) => {
        const worlds = [one, other].map((targets) => syncWorld(targets))
        for (const world of worlds) world.turn()
        expect(worlds[1]?.log).toEqual(worlds[0]?.log)
        expect(worlds[1]?.results).toEqual(worlds[0]?.results)
      },
    ),
  )
})

test('a sync that is done again, with what differs only, applies nothing but hooks', () => {
  fc.assert(
    fc.property(objects, (targets) => {
      const first = syncWorld(targets)
      first.turn()
      const again = syncWorld(
        targets,
        { syncOptions: ['ApplyOutOfSyncOnly=true'], prune: true },
        [...first.live.values()].filter(
          (object) => !('argocd.argoproj.io/hook' in (object.metadata.annotations ?? {})),
        ),
      )
      again.turn()
      const plain = new Set(
        targets
          .filter(
            (one) => phasesOf(one).length === 1 && !('argocd.argoproj.io/hook' in (one.metadata.annotations ?? {})),
          )
          .map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      )
      expect(again.log.filter((line) => plain.has(line.split(' ').at(-1) ?? ''))).toEqual([])
    }),
  )
})
