import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { configMaps, definitions, events, namespaces, secrets } from '../collections.ts'
import { ownedBy, type World, world } from '../workloads.testkit.ts'

let open: World | undefined
afterEach(async () => {
  await open?.stop()
  open = undefined
})

async function collecting(): Promise<World> {
  return (open = await world({ controllers: 'garbage-collector' }))
}

const map = (
  here: World,
  name: string,
  owners: readonly object[] = [],
  more: object = {},
  namespace = 'default',
): Promise<KubeObject> =>
  here.create(configMaps, {
    metadata: { name, namespace, ...(owners.length > 0 ? { ownerReferences: owners as never } : {}), ...more },
  })

const target = (name: string) => ({ resource: configMaps, namespace: 'default', name })

describe('deletion of an owner', () => {
  test('in the background takes what it owned with it, and what that owned', async () => {
    const here = await collecting()
    const owner = await map(here, 'owner')
    const child = await map(here, 'child', [ownedBy(owner)])
    await map(here, 'grandchild', [ownedBy(child)])
    await map(here, 'stranger')
    await here.client.delete(target('owner'), { propagationPolicy: 'Background' })
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'default')).toEqual(['stranger'])
  })

  test('in the foreground waits for the dependents that block it', async () => {
    const here = await collecting()
    const owner = await map(here, 'owner')
    await map(here, 'held', [ownedBy(owner, { blockOwnerDeletion: true })], { finalizers: ['my.org/hold'] })
    await map(here, 'loose', [ownedBy(owner)])
    await here.client.delete(target('owner'), { propagationPolicy: 'Foreground' })
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'default')).toEqual(['held', 'owner'])
    await here.client.patch(target('held'), {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    })
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'default')).toEqual([])
  })

  test('with orphaning leaves the dependents, without their reference to it', async () => {
    const here = await collecting()
    const owner = await map(here, 'owner')
    await map(here, 'child', [ownedBy(owner, { blockOwnerDeletion: true })])
    await here.client.delete(target('owner'), { propagationPolicy: 'Orphan' })
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'default')).toEqual(['child'])
    const child = await here.get(configMaps, 'child', 'default')
    expect(child?.metadata.ownerReferences ?? []).toEqual([])
    expect(child?.metadata.deletionTimestamp).toBeUndefined()
  })

  test('keeps a dependent that another owner keeps, and drops the reference to the gone one', async () => {
    const here = await collecting()
    const [one, two] = [await map(here, 'one'), await map(here, 'two')]
    await map(here, 'child', [ownedBy(one), ownedBy(two)])
    await here.client.delete(target('one'), { propagationPolicy: 'Background' })
    await here.clock.advance(1_000)
    expect((await here.get(configMaps, 'child', 'default'))?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(
      ['two'],
    )
  })
})

describe('references', () => {
  test('to another uid than the namesake has are references to something gone', async () => {
    const here = await collecting()
    const owner = await map(here, 'owner')
    await map(here, 'child', [ownedBy(owner, { uid: '00000000-0000-4000-8000-000000000000' })])
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'default')).toEqual(['owner'])
  })

  test('into another namespace do not count, and are told', async () => {
    const here = await collecting()
    await here.create(namespaces, { metadata: { name: 'other' } })
    const owner = await map(here, 'owner')
    await map(here, 'child', [ownedBy(owner)], {}, 'other')
    await here.clock.advance(1_000)
    expect(await here.names(configMaps, 'other')).toEqual([])
    const told = await here.client.list({ resource: events, namespace: 'other' })
    expect(told.ok && told.value.items.map((event) => [event['type'], event['reason']])).toEqual([
      ['Warning', 'OwnerRefInvalidNamespace'],
    ])
  })

  test('to a kind that nobody serves delete nothing, until the kind is served and the owner is seen to be absent', async () => {
    const here = await collecting()
    const owner = { apiVersion: 'my.org/v1', kind: 'Thing', name: 'gone', uid: '00000000-0000-4000-8000-000000000001' }
    await map(here, 'child', [owner])
    await here.clock.advance(120_000)
    expect(await here.names(configMaps, 'default')).toEqual(['child'])
    expect(here.controllers.pending().get('garbage-collector')).toMatchObject([{ because: /not served/ }])
    await here.create(definitions, thingDefinition)
    await here.clock.advance(120_000)
    expect(await here.names(configMaps, 'default')).toEqual([])
  })
})

const thingDefinition = {
  metadata: { name: 'things.my.org' },
  spec: {
    group: 'my.org',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
}

test('custom resources own and are owned as everything else, as soon as they are served', async () => {
  const here = await collecting()
  await here.create(definitions, thingDefinition)
  await here.clock.advance(1_000)
  const things = { group: 'my.org', version: 'v1', plural: 'things' }
  const thing = await here.create(things, { metadata: { name: 'a', namespace: 'default' } })
  await map(here, 'child', [ownedBy(thing)])
  await here.clock.advance(100)
  await here.client.delete({ resource: things, namespace: 'default', name: 'a' })
  await here.clock.advance(1_000)
  expect(await here.names(configMaps, 'default')).toEqual([])
})

test('what was deleted while nobody collected is found after a restart', async () => {
  const here = await collecting()
  const owner = await map(here, 'owner')
  await map(here, 'child', [ownedBy(owner)])
  await here.stop()
  await here.client.delete(target('owner'))
  expect(await here.names(configMaps, 'default')).toEqual(['child'])
  await here.start()
  expect(await here.names(configMaps, 'default')).toEqual([])
})

/** Objects in an order in which each may be owned by earlier ones, and which of them are deleted how. */
const ownership = fc.array(
  fc.record({
    owners: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
    deleted: fc.option(fc.constantFrom('Background', 'Foreground', 'Orphan'), { freq: 2 }),
    blocks: fc.boolean(),
    isSecret: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)

test('whatever is deleted how: nothing stays that only the gone own, and nothing else goes', async () => {
  await fc.assert(
    fc.asyncProperty(ownership, async (specs) => {
      const here = await world({ controllers: 'garbage-collector' })
      try {
        const made: KubeObject[] = []
        for (const [index, spec] of specs.entries()) {
          const owners = spec.owners
            .flatMap((owner) => made[owner] ?? [])
            .map((owner) => ownedBy(owner, { blockOwnerDeletion: spec.blocks }))
          const metadata = { name: `n${index}`, namespace: 'default', ownerReferences: owners as never }
          made.push(await here.create(spec.isSecret ? secrets : configMaps, { metadata }))
        }
        await here.clock.advance(10)
        for (const [index, { deleted, isSecret }] of specs.entries()) {
          if (deleted)
            await here.client.delete(
              { resource: isSecret ? secrets : configMaps, namespace: 'default', name: `n${index}` },
              { propagationPolicy: deleted },
            )
        }
        await here.clock.advance(60_000)
        const left = [...(await here.names(configMaps, 'default')), ...(await here.names(secrets, 'default'))]
        const fates = fatesOf(specs)
        const wrong = fates.filter((fate, at) => fate !== 'either' && left.includes(`n${at}`) !== (fate === 'stays'))
        expect(wrong).toEqual([])
      } finally {
        await here.stop()
      }
    }),
    { numRuns: 40 },
  )
})

type Fate = 'stays' | 'goes' | 'frees' | 'may free' | 'either'

/**
 * What has to become of each. Freed by one owner and left by another, it depends on who was faster; so it does whether an
 * object still frees its own when it was collected before it was asked to.
 */
function fatesOf(specs: readonly { readonly owners: readonly number[]; readonly deleted: string | null }[]): Fate[] {
  const fates: Fate[] = []
  for (const [index, { owners, deleted }] of specs.entries()) {
    const above = owners.filter((owner) => owner < index).map((owner) => fates[owner])
    const isSafe = above.includes('stays') || above.every((one) => one === 'frees')
    if (deleted) fates.push(deleted !== 'Orphan' ? 'goes' : isSafe ? 'frees' : 'may free')
    else if (isSafe) fates.push('stays')
    else fates.push(above.every((one) => one === 'goes') ? 'goes' : 'either')
  }
  return fates
}
