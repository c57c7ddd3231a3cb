import { describe, expect, test } from 'vitest'
import type { Client, Collection, Target, WatchEvent } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fail, succeed } from '../../lib/result.ts'
import { isObject, type Json } from '../../lib/json.ts'
import type { WebhookPorts } from '../admission/webhooks/webhooks.ts'
import { refusalOf, testServer, valueOf } from '../apiserver.testkit.ts'

const definitions: Collection = {
  resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
}
const inVersion = (version: string): Collection => ({
  resource: { group: 'example.com', version, plural: 'widgets' },
  namespace: 'default',
})
const v1 = inVersion('v1')
const v2 = inVersion('v2')
const named = (collection: Collection, name: string): Target => ({ ...collection, name })

/** v1 says `size`, v2 says `extent`, and both have replicas. */
const version = (name: string, field: string, isStored: boolean): object => ({
  name,
  served: true,
  storage: isStored,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: [field],
          properties: { [field]: { type: 'integer', minimum: 1 }, replicas: { type: 'integer' } },
        },
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
  subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  selectableFields: [{ jsonPath: `.spec.${field}` }],
})

const definition = (reviewVersions: readonly string[] = ['v1']): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [version('v1', 'size', true), version('v2', 'extent', false)],
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: reviewVersions,
        clientConfig: { service: { namespace: 'default', name: 'converter' } },
      },
    },
  },
})

const widget = (name: string, apiVersion: 'v1' | 'v2', spec: object, metadata: object = {}): KubeObject => ({
  apiVersion: `example.com/${apiVersion}`,
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec,
})

interface Review {
  readonly apiVersion: string
  readonly request: {
    readonly uid: string
    readonly desiredAPIVersion: string
    readonly objects: readonly (KubeObject & { readonly spec: Readonly<Record<string, unknown>> })[]
  }
}
type Answer = Record<string, unknown> & { convertedObjects: KubeObject[] }

/** What a sound webhook answers. */
function convert({ request }: Review): Answer {
  const { uid, desiredAPIVersion, objects } = request
  return {
    uid,
    result: { status: 'Success' },
    convertedObjects: objects.map((object) => {
      const { size, extent, ...spec } = object.spec
      const field = desiredAPIVersion === 'example.com/v2' ? 'extent' : 'size'
      return { ...object, apiVersion: desiredAPIVersion, spec: { ...spec, [field]: size ?? extent } }
    }),
  }
}

interface Converting {
  readonly client: Client
  readonly asked: Review[]
  /** Changes what the webhook answers from now on. */
  readonly answer: (how: (answer: Answer) => unknown) => void
}

async function converting(reviewVersions?: readonly string[]): Promise<Converting> {
  const asked: Review[] = []
  let change: (answer: Answer) => unknown = (answer) => answer
  const call: WebhookPorts['call'] = async (client, body) => {
    expect(client.service).toEqual({ namespace: 'default', name: 'converter', path: '/', port: 443 })
    const review = structuredClone(body) as Review
    asked.push(review)
    const response = change(convert(review))
    if (response === undefined) return fail({ code: 'webhook-unreachable', message: 'nobody is there' })
    await Promise.resolve()
    const { apiVersion } = review
    return succeed(
      isObject(response) && response['kind'] !== undefined
        ? response
        : { kind: 'ConversionReview', apiVersion, response },
    )
  }
  const { client } = await testServer({ callWebhook: call })
  valueOf(await client.create(definitions, definition(reviewVersions)))
  return { client, asked, answer: (how) => void (change = how) }
}

test('an object of another version is converted, kept in the storage version, and answered as it came', async () => {
  const { client, asked } = await converting()
  const made = valueOf(await client.create(v2, widget('a', 'v2', { extent: 3, unknown: 1 }, { labels: { a: 'b' } })))
  expect(made).toMatchObject({ apiVersion: 'example.com/v2', spec: { extent: 3 }, metadata: { labels: { a: 'b' } } })
  expect(made['spec']).toEqual({ extent: 3 })
  expect(asked.map(({ request }) => request.desiredAPIVersion)).toEqual(['example.com/v1', 'example.com/v2'])
  asked.length = 0
  const kept = valueOf(await client.get(named(v1, 'a')))
  expect(kept).toMatchObject({ apiVersion: 'example.com/v1', metadata: { uid: made.metadata.uid } })
  expect(kept['spec']).toEqual({ size: 3 })
  expect(asked).toEqual([])
  expect(valueOf(await client.get(named(v2, 'a')))).toEqual(made)
  expect(asked).toHaveLength(1)
})

test('traffic in the storage version never asks the webhook', async () => {
  const { client, asked } = await converting()
  const made = valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
  valueOf(await client.update(named(v1, 'a'), { ...made, spec: { size: 2 } }))
  valueOf(await client.patch(named(v1, 'a'), { type: 'merge', body: { spec: { size: 3 } } }))
  valueOf(await client.list(v1))
  valueOf(await client.delete(named(v1, 'a')))
  expect(valueOf(await client.list(v2)).items).toEqual([])
  expect(asked).toEqual([])
})

test('a list is converted in one question, and selected and counted in the version that was asked for', async () => {
  const { client, asked } = await converting()
  for (const size of [1, 2, 3]) valueOf(await client.create(v1, widget(`w${size}`, 'v1', { size })))
  const all = valueOf(await client.list(v2))
  expect(all.items.map(({ spec }) => spec)).toEqual([{ extent: 1 }, { extent: 2 }, { extent: 3 }])
  expect(asked.map(({ request }) => request.objects.length)).toEqual([3])
  const some = valueOf(await client.list(v2, { fieldSelector: 'spec.extent=2' }))
  expect(some.items.map(({ metadata }) => metadata.name)).toEqual(['w2'])
  expect(refusalOf(await client.list(v2, { fieldSelector: 'spec.size=2' })).message).toContain('spec.size')
  const first = valueOf(await client.list(v2, { limit: 2 }))
  expect(first.items).toHaveLength(2)
  expect(first.metadata).toMatchObject({ remainingItemCount: 1 })
  const rest = valueOf(await client.list(v2, { limit: 2, continue: first.metadata.continue ?? '' }))
  expect(rest.items.map(({ spec }) => spec)).toEqual([{ extent: 3 }])
})

async function take(events: AsyncIterator<WatchEvent>, count: number): Promise<readonly (readonly unknown[])[]> {
  const taken: (readonly unknown[])[] = []
  while (taken.length < count) {
    const { value, done } = await events.next()
    if (done) break
    const event: WatchEvent = value
    taken.push([event.type, 'spec' in event.object ? event.object.spec : event.object])
  }
  return taken
}

test('a watch tells every event in order in the version that was asked for', async () => {
  const { client } = await converting()
  const stop = new AbortController()
  valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
  const events = client.watch(v2, { signal: stop.signal })[Symbol.asyncIterator]()
  expect(await take(events, 1)).toEqual([['ADDED', { extent: 1 }]])
  valueOf(await client.patch(named(v1, 'a'), { type: 'merge', body: { spec: { size: 2 } } }))
  valueOf(await client.create(v2, widget('b', 'v2', { extent: 5 })))
  valueOf(await client.delete(named(v1, 'a')))
  expect(await take(events, 3)).toEqual([
    ['MODIFIED', { extent: 2 }],
    ['ADDED', { extent: 5 }],
    ['DELETED', { extent: 2 }],
  ])
  stop.abort()
})

test('a watch selects by the fields of its own version', async () => {
  const { client } = await converting()
  const stop = new AbortController()
  const events = client.watch(v2, { signal: stop.signal, fieldSelector: 'spec.extent=2' })[Symbol.asyncIterator]()
  const first = take(events, 1)
  valueOf(await client.create(v1, widget('b', 'v1', { size: 2 })))
  expect(await first).toEqual([['ADDED', { extent: 2 }]])
  valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
  valueOf(await client.patch(named(v1, 'b'), { type: 'merge', body: { spec: { size: 7 } } }))
  valueOf(await client.patch(named(v1, 'a'), { type: 'merge', body: { spec: { size: 2 } } }))
  expect(await take(events, 2)).toEqual([
    ['DELETED', { extent: 2 }],
    ['ADDED', { extent: 2 }],
  ])
  stop.abort()
})

test('a watch ends with an error when its events cannot be converted', async () => {
  const { client, answer } = await converting()
  valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
  answer(() => undefined)
  const seen: WatchEvent[] = []
  for await (const event of client.watch(v2)) seen.push(event)
  expect(seen).toMatchObject([{ type: 'ERROR', object: { code: 500 } }])
})

describe('writes in another version', () => {
  test('an update is checked in its own version and against the revision that was read', async () => {
    const { client } = await converting()
    const made = valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
    const read = valueOf(await client.get(named(v2, 'a')))
    const next = valueOf(await client.update(named(v2, 'a'), { ...read, spec: { extent: 4 } }))
    expect(next['spec']).toEqual({ extent: 4 })
    expect(valueOf(await client.get(named(v1, 'a')))['spec']).toEqual({ size: 4 })
    expect(refusalOf(await client.update(named(v2, 'a'), { ...read, spec: { extent: 5 } })).code).toBe(409)
    const nothing = { ...next, spec: { extent: 0 } }
    expect(refusalOf(await client.update(named(v2, 'a'), nothing)).message).toContain('spec.extent')
    expect(made.metadata.uid).toBe(next.metadata.uid)
  })

  test('a patch is applied to the converted object', async () => {
    const { client } = await converting()
    valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
    const body = [
      { op: 'test', path: '/spec/extent', value: 1 },
      { op: 'replace', path: '/spec/extent', value: 9 },
    ]
    expect(valueOf(await client.patch(named(v2, 'a'), { type: 'json', body }))['spec']).toEqual({ extent: 9 })
    expect(valueOf(await client.get(named(v1, 'a')))['spec']).toEqual({ size: 9 })
  })

  test('an apply creates and changes', async () => {
    const { client } = await converting()
    const apply = (spec: object): ReturnType<Client['patch']> =>
      client.patch(named(v2, 'a'), { type: 'apply', body: widget('a', 'v2', spec) }, { fieldManager: 'me' })
    expect(valueOf(await apply({ extent: 1, replicas: 2 }))['spec']).toEqual({ extent: 1, replicas: 2 })
    expect(valueOf(await apply({ extent: 2 }))['spec']).toEqual({ extent: 2 })
    expect(valueOf(await client.get(named(v1, 'a')))['spec']).toEqual({ size: 2 })
  })

  test('status and scale', async () => {
    const { client } = await converting()
    valueOf(await client.create(v1, widget('a', 'v1', { size: 1, replicas: 1 })))
    const merge = (subresource: string, body: Json): ReturnType<Client['patch']> =>
      client.patch({ ...named(v2, 'a'), subresource }, { type: 'merge', body })
    const status = valueOf(await merge('status', { spec: { extent: 8 }, status: { replicas: 6 } }))
    expect(status).toMatchObject({ spec: { extent: 1 }, status: { replicas: 6 } })
    expect(valueOf(await merge('scale', { spec: { replicas: 5 } }))).toMatchObject({ spec: { replicas: 5 } })
    expect(valueOf(await client.get({ ...named(v2, 'a'), subresource: 'scale' }))).toMatchObject({
      spec: { replicas: 5 },
      status: { replicas: 6 },
    })
    expect(valueOf(await client.get(named(v1, 'a')))).toMatchObject({
      spec: { size: 1, replicas: 5 },
      status: { replicas: 6 },
    })
  })

  test('deletions answer what is gone', async () => {
    const { client } = await converting()
    for (const size of [1, 2]) valueOf(await client.create(v1, widget(`w${size}`, 'v1', { size })))
    valueOf(await client.create(v1, widget('held', 'v1', { size: 1 }, { finalizers: ['example.com/wait'] })))
    expect(valueOf(await client.delete(named(v2, 'held')))).toMatchObject({ spec: { extent: 1 } })
    valueOf(await client.deleteCollection(v2, { fieldSelector: 'spec.extent=2' }))
    expect(valueOf(await client.list(v1)).items.map(({ metadata }) => metadata.name)).toEqual(['held', 'w1'])
  })
})

test('a definition goes with its objects though its webhook does not answer', async () => {
  const { client, answer } = await converting()
  const wanted = definition()
  const { versions } = wanted['spec'] as { readonly versions: readonly unknown[] }
  const read = valueOf(await client.get({ ...definitions, name: 'widgets.example.com' }))
  const turned = { ...(read['spec'] as object), versions: versions.toReversed() }
  valueOf(await client.update({ ...definitions, name: 'widgets.example.com' }, { ...read, spec: turned }))
  valueOf(await client.create(v1, widget('a', 'v1', { size: 1 })))
  answer(() => undefined)
  valueOf(await client.delete({ ...definitions, name: 'widgets.example.com' }))
  const events = client.watch(definitions, { resourceVersion: '1' })
  for await (const event of events) if (event.type === 'DELETED') break
  expect(valueOf(await client.list(definitions)).items).toEqual([])
})

test('only labels and annotations may be changed by a conversion', async () => {
  const { client, answer } = await converting()
  answer((given) => ({
    ...given,
    convertedObjects: given.convertedObjects.map((object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { by: 'webhook' }, resourceVersion: '1', finalizers: ['x/y'] },
    })),
  }))
  const made = valueOf(await client.create(v2, widget('a', 'v2', { extent: 1 })))
  expect(made.metadata.labels).toEqual({ by: 'webhook' })
  expect(made.metadata.finalizers).toBeUndefined()
  expect(valueOf(await client.get(named(v1, 'a'))).metadata.resourceVersion).toBe(made.metadata.resourceVersion)
})

test('the review is spoken in the first version of it that is known', async () => {
  const { client, asked } = await converting(['v7', 'v1beta1', 'v1'])
  valueOf(await client.create(v2, widget('a', 'v2', { extent: 1 })))
  expect(asked[0]?.apiVersion).toBe('apiextensions.k8s.io/v1beta1')
})

const eachObject =
  (change: (object: KubeObject) => unknown) =>
  (answer: Answer): unknown => ({ ...answer, convertedObjects: answer.convertedObjects.map(change) })

test.each<[string, (answer: Answer) => unknown, string]>([
  ['cannot be reached', () => undefined, 'nobody is there'],
  ['answers something else', () => ({ kind: 'Pod' }), 'expected a ConversionReview'],
  ['answers another review', (answer) => ({ ...answer, uid: 'x' }), 'expected response.uid='],
  ['fails', (answer) => ({ ...answer, result: { status: 'Failure', message: 'too odd' } }), 'too odd'],
  ['does not say how it went', ({ result: _result, ...answer }) => answer, 'not "Success"'],
  ['loses an object', (answer) => ({ ...answer, convertedObjects: [] }), 'expected 1 converted objects, got 0'],
  ['answers no objects', eachObject(() => 7), 'not an object'],
  [
    'converts to another version',
    eachObject((one) => ({ ...one, apiVersion: 'example.com/v3' })),
    'invalid apiVersion',
  ],
  ['changes the kind', eachObject((one) => ({ ...one, kind: 'Gadget' })), 'invalid kind'],
  ['changes the name', eachObject((one) => ({ ...one, metadata: { ...one.metadata, name: 'b' } })), 'metadata.name'],
  ['changes the uid', eachObject((one) => ({ ...one, metadata: { ...one.metadata, uid: 'b' } })), 'metadata.uid'],
  ['drops the metadata', eachObject(({ metadata: _metadata, ...one }) => one), 'missing metadata'],
  [
    'makes labels that are none',
    eachObject((one) => ({ ...one, metadata: { ...one.metadata, labels: { a: 1 } } })),
    'metadata.labels',
  ],
])('a webhook that %s refuses the request and changes nothing', async (_how, change, because) => {
  const { client, answer } = await converting()
  const before = valueOf(await client.create(v1, widget('old', 'v1', { size: 1 })))
  answer(change)
  const refusal = refusalOf(await client.create(v2, widget('new', 'v2', { extent: 1 })))
  expect(refusal.code).toBe(500)
  expect(refusal.message).toContain('conversion webhook for example.com/v2, Kind=Widget failed: ')
  expect(refusal.message).toContain(because)
  for (const outcome of [
    await client.get(named(v2, 'old')),
    await client.list(v2),
    await client.patch(named(v2, 'old'), { type: 'merge', body: { spec: { extent: 2 } } }),
    await client.delete(named(v2, 'old')),
  ]) {
    expect(refusalOf(outcome).message).toContain('conversion webhook for example.com/v1, Kind=Widget failed: ')
  }
  expect(valueOf(await client.list(v1)).items).toEqual([before])
})
