import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { deepFreeze } from '../../lib/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import { builtinSchemas } from '../schema/builtin.ts'
import type { Schema } from '../schema/schema.ts'
import { nested } from './documents.testkit.ts'
import { setOf } from './apply/path-set.ts'
import { applyPatch, type ApplyPatch, trackUpdate } from './managed-fields.ts'
import { parentEntries, scaleEntries } from './scale-fields.ts'
import { clientSideApplyManager, extractApplied, ownersOf, upgradeManagedFields } from './upgrade-managed-fields.ts'

const schemas = builtinSchemas(readData)
const schema = schemas.schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' }) as Schema
const early = '2026-01-01T00:00:00Z'
const late = '2026-01-01T00:00:09Z'

const web = (spec: object, metadata: object = {}): KubeObject =>
  deepFreeze({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata }, spec }) as KubeObject

const container = (name: string, more: object = {}): object => ({
  template: { spec: { containers: [{ name, ...more }] } },
})

function applied(write: Partial<ApplyPatch> & { readonly patch: unknown }): KubeObject {
  const result = applyPatch({ manager: 'a', apiVersion: 'apps/v1', schema, now: early, ...write })
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return deepFreeze(result.value.object)
}

const stored = (object: KubeObject): KubeObject =>
  deepFreeze({ ...object, metadata: { ...object.metadata, uid: 'u1' } })

const fieldsOf = (object: KubeObject, manager: string, operation: string = 'Apply'): unknown =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager && entry.operation === operation)?.fieldsV1

describe('server-side apply of whole objects', () => {
  test('creates an object whose fields the manager owns, without what identifies it', () => {
    const object = applied({
      patch: web({ replicas: 2, ...container('c', { image: 'i:1' }) }, { labels: { app: 'web' } }),
    })
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: early,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': {
              'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
            },
          },
        },
      },
    ])
    expect(Object.keys(object.metadata.managedFields?.[0] ?? {})).toEqual([
      'manager',
      'operation',
      'apiVersion',
      'time',
      'fieldsType',
      'fieldsV1',
    ])
  })

  test('that changes nothing answers the very object', () => {
    const patch = web({ replicas: 2 })
    const live = stored(applied({ patch }))
    const again = applyPatch({ live, patch, manager: 'a', apiVersion: 'apps/v1', schema, now: late })
    expect(again).toEqual({ ok: true, value: { object: live, changed: false } })
    expect(again.ok && again.value.object).toBe(live)
  })

  test('of a second manager shares equal fields, and notes when it came', () => {
    const live = stored(applied({ patch: web({ replicas: 2 }) }))
    const shared = applied({ live, patch: web({ replicas: 2 }), manager: 'b', now: late })
    expect(fieldsOf(shared, 'a')).toEqual(fieldsOf(shared, 'b'))
    expect(shared.metadata.managedFields?.map(({ manager, time }) => [manager, time])).toEqual([
      ['a', early],
      ['b', late],
    ])
    expect(shared.metadata.managedFields?.[0]).toBe(live.metadata.managedFields?.[0])
  })

  test('conflicts with another value of somebody else, in words that kubectl users know', () => {
    const live = stored(applied({ patch: web({ replicas: 2, ...container('c', { image: 'i:1' }) }) }))
    const conflict = applyPatch({
      live,
      patch: web({ replicas: 3 }),
      manager: 'b',
      apiVersion: 'apps/v1',
      schema,
      now: late,
    })
    expect(conflict).toMatchObject({
      ok: false,
      error: {
        reason: 'conflict',
        message: 'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
        conflicts: [{ manager: 'a', field: '.spec.replicas', message: 'conflict with "a"' }],
      },
    })
    const both = applyPatch({
      live: stored(
        trackUpdate({
          live,
          next: { ...live, spec: { ...(live['spec'] as object), paused: true } },
          manager: 'u',
          apiVersion: 'apps/v1',
          schema,
          now: late,
        }),
      ),
      patch: web({ paused: false, ...container('c', { image: 'i:2' }) }),
      manager: 'b',
      apiVersion: 'apps/v1',
      schema,
      now: late,
    })
    expect(both.ok ? '' : 'message' in both.error && both.error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.template.spec.containers[name="c"].image\n' +
        'conflicts with "u" using apps/v1:\n- .spec.paused',
    )
  })

  test('by force takes fields over', () => {
    const live = stored(applied({ patch: web({ replicas: 2, paused: true }) }))
    const forced = applied({ live, patch: web({ replicas: 3 }), manager: 'b', force: true, now: late })
    expect(forced['spec']).toEqual({ replicas: 3, paused: true })
    expect(fieldsOf(forced, 'a')).toEqual({ 'f:spec': { 'f:paused': {} } })
    expect(forced.metadata.managedFields?.[0]).toMatchObject({ manager: 'a', time: early })
  })

  test('removes what the manager applied before and nobody else owns', () => {
    const first = stored(applied({ patch: web({ replicas: 2, paused: true, ...container('c', { image: 'i' }) }) }))
    const live = stored(applied({ live: first, patch: web({ paused: true }), manager: 'b' }))
    const less = applied({ live, patch: web({ replicas: 2 }), now: late })
    expect(less['spec']).toEqual({ replicas: 2, paused: true })
    expect(less['spec']).not.toHaveProperty('template')
  })

  test('starts tracking what was there before the first apply', () => {
    const live = stored(web({ replicas: 1, paused: true }))
    const object = applied({ live, patch: web({ replicas: 1 }), now: late })
    expect(fieldsOf(object, 'before-first-apply', 'Update')).toEqual({ 'f:spec': { 'f:replicas': {}, 'f:paused': {} } })
    expect(
      applyPatch({ live, patch: web({ replicas: 4 }), manager: 'a', apiVersion: 'apps/v1', schema, now: late }),
    ).toMatchObject({
      ok: false,
      error: { conflicts: [{ manager: 'before-first-apply' }] },
    })
  })

  test('merges keyed lists by defaulted keys, and keeps the order of the live object', () => {
    const ports = (more: readonly object[]): KubeObject => web(container('c', { ports: more }))
    const live = stored(applied({ patch: ports([{ containerPort: 80, protocol: 'TCP' }, { containerPort: 81 }]) }))
    const object = applied({ live, patch: ports([{ containerPort: 80, name: 'http' }]), manager: 'b' })
    expect(object['spec']).toEqual(
      container('c', { ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }, { containerPort: 81 }] }),
    )
  })

  test.each([
    ['another version', { ...web({}), apiVersion: 'v1' }, 'apply-version-mismatch'],
    ['no kind', { apiVersion: 'apps/v1', metadata: {} }, 'apply-kind-mismatch'],
    ['managedFields', web({}, { managedFields: [] }), 'apply-managed-fields-set'],
    ['an unknown field', web({ nope: 1 }), 'apply-invalid'],
    ['repeated items', web(container('c', { env: [{ name: 'A' }, { name: 'A' }] })), 'apply-invalid'],
    ['a wrong scalar', web({ replicas: 'two' }), 'apply-invalid'],
    ['no object', [], 'apply-invalid'],
  ])('refuses a patch with %s', (_, patch, code) => {
    expect(applyPatch({ patch, manager: 'a', apiVersion: 'apps/v1', schema, now: early })).toMatchObject({
      ok: false,
      error: { reason: 'invalid', problems: [{ code }] },
    })
  })

  test('treats prototype names as names of fields', () => {
    const labels = (text: string): KubeObject => web({}, { labels: JSON.parse(text) as object })
    const live = stored(applied({ patch: labels('{"__proto__": "a", "constructor": "b"}') }))
    const object = applied({ live, patch: labels('{"constructor": "b", "toString": "c"}'), now: late })
    expect(object.metadata.labels).toEqual(JSON.parse('{"constructor": "b", "toString": "c"}'))
    expect(fieldsOf(object, 'a')).toEqual({
      'f:metadata': { 'f:labels': { 'f:constructor': {}, 'f:toString': {} } },
      'f:spec': {},
    })
  })

  test('knows the metadata of a custom resource, even where its schema speaks of the name only', () => {
    const named: Schema = { type: 'object', properties: new Map([['name', { type: 'string', maxLength: 9 }]]) }
    const crd: Schema = { type: 'object', properties: new Map([['metadata', named]]) }
    const patch = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x', labels: { a: 'b' }, finalizers: ['f'] } }
    expect(fieldsOf(applied({ patch, apiVersion: 'x/v1', schema: crd }), 'a')).toEqual({
      'f:metadata': { 'f:finalizers': { 'v:"f"': {} }, 'f:labels': { 'f:a': {} } },
    })
  })

  test('refuses 100,000 levels', () => {
    const patch = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' }, spec: nested(100_000) }
    expect(applyPatch({ patch, manager: 'a', apiVersion: 'x/v1', now: early })).toMatchObject({
      ok: false,
      error: { problems: [{ code: 'document-too-deep' }] },
    })
  })

  test('owns nothing that the endpoint resets', () => {
    const object = applied({ patch: { ...web({ replicas: 1 }), status: { replicas: 1 } }, resetFields: [['status']] })
    expect(fieldsOf(object, 'a')).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  test('deduces types without a schema: objects merge, lists are one value', () => {
    const patch = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' }, spec: { l: [{ name: 'a' }], o: { p: 1 } } }
    const object = applied({ patch, apiVersion: 'x/v1', schema: undefined })
    expect(fieldsOf(object, 'a')).toEqual({ 'f:spec': { '.': {}, 'f:l': {}, 'f:o': { '.': {}, 'f:p': {} } } })
  })
})

describe('versions', () => {
  const rename = (object: KubeObject, apiVersion: string): KubeObject | undefined => {
    if (apiVersion === 'x/v0') return undefined
    const spec = object['spec'] as Readonly<Record<string, unknown>> | undefined
    if (!spec) return { ...object, apiVersion }
    const size = spec['size'] ?? spec['replicas']
    return {
      ...object,
      apiVersion,
      spec: size === undefined ? {} : apiVersion === 'x/v1' ? { size } : { replicas: size },
    }
  }
  const v1 = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' }, spec: { size: 1 } }
  const first = stored(applied({ patch: v1, apiVersion: 'x/v1', schema: undefined, convert: rename }))
  const live = rename(first, 'x/v2') as KubeObject
  const common = { apiVersion: 'x/v2', schema: undefined, convert: rename, live }

  test('conflicts are found through conversion', () => {
    const patch = { ...v1, apiVersion: 'x/v2', spec: { replicas: 2 } }
    expect(applyPatch({ ...common, patch, manager: 'b', now: late })).toMatchObject({
      ok: false,
      error: { conflicts: [{ manager: 'a', field: '.spec.size' }] },
    })
  })

  test('an applier that goes on in another version is still one manager', () => {
    const patch = { ...v1, apiVersion: 'x/v2', spec: { replicas: 2 } }
    const object = applied({ ...common, patch, now: late })
    expect(object['spec']).toEqual({ replicas: 2 })
    expect(object.metadata.managedFields).toHaveLength(1)
    expect(object.metadata.managedFields?.[0]).toMatchObject({ apiVersion: 'x/v2', time: late })
  })

  test('managers of versions that are gone are dropped', () => {
    const [entry] = live.metadata.managedFields ?? []
    const managedFields = [{ ...entry, apiVersion: 'x/v0', manager: 'old' } as ManagedFieldsEntry]
    const stale = deepFreeze({ ...live, metadata: { ...live.metadata, managedFields } })
    const object = applied({
      ...common,
      live: stale,
      patch: { ...v1, apiVersion: 'x/v2', spec: { replicas: 2 } },
      now: late,
    })
    expect(object.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['a'])
  })
})

describe('updates', () => {
  const update = (live: KubeObject | undefined, next: KubeObject, more: object = {}): KubeObject =>
    deepFreeze(trackUpdate({ live, next, manager: 'u', apiVersion: 'apps/v1', schema, now: late, ...more }))

  test('a created object belongs to its creator, without the objects that are always there', () => {
    const object = update(undefined, web({ replicas: 1, ...container('c') }, { labels: { a: 'b' }, uid: 'u1' }))
    expect(fieldsOf(object, 'u', 'Update')).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {} } } },
        },
      },
    })
  })

  test('what changes goes over to the updater, what does not stays', () => {
    const live = stored(applied({ patch: web({ replicas: 1, paused: true }) }))
    const object = update(live, web({ replicas: 2, paused: true }, { uid: 'u1' }))
    expect(fieldsOf(object, 'a')).toEqual({ 'f:spec': { 'f:paused': {} } })
    expect(fieldsOf(object, 'u', 'Update')).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  test('what is removed belongs to nobody', () => {
    const live = stored(applied({ patch: web({ replicas: 1, paused: true }) }))
    const object = update(live, web({ paused: true }, { uid: 'u1' }))
    expect(object.metadata.managedFields).toHaveLength(1)
    expect(fieldsOf(object, 'a')).toEqual({ 'f:spec': { 'f:paused': {} } })
  })

  test('without a change keep their entries and times', () => {
    const live = stored(applied({ patch: web({ replicas: 1 }) }))
    expect(update(live, { ...live }).metadata.managedFields).toEqual(live.metadata.managedFields)
  })

  test('of an object that nobody tracks stay untracked', () => {
    expect(update(stored(web({ replicas: 1 })), stored(web({ replicas: 2 }))).metadata.managedFields).toBeUndefined()
  })

  test.each([[[]], [[{}]]])('with managedFields %j forget all managers', (managedFields) => {
    const live = stored(applied({ patch: web({ replicas: 1 }) }))
    expect(update(live, web({ replicas: 2 }, { uid: 'u1', managedFields })).metadata.managedFields).toBeUndefined()
  })

  test('through a subresource are told apart, and cannot bring entries', () => {
    const live = stored(applied({ patch: web({ replicas: 1 }) }))
    const next = { ...live, status: { replicas: 1 }, metadata: { ...live.metadata, managedFields: [] } }
    const object = update(live, next, { subresource: 'status', resetFields: [['spec']] })
    expect(object.metadata.managedFields).toMatchObject([
      { manager: 'a' },
      { manager: 'u', subresource: 'status', fieldsV1: { 'f:status': { 'f:replicas': {} } } },
    ])
  })

  test('with a value that does not fit its type keep the entries', () => {
    const live = stored(applied({ patch: web({ replicas: 1 }) }))
    const object = update(live, web({ replicas: 'x' }, { uid: 'u1' }))
    expect(object.metadata.managedFields).toEqual(live.metadata.managedFields)
  })

  test('tolerate repeated items of lists', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ]
    const object = update(undefined, web(container('c', { env }), { uid: 'u1' }))
    expect(fieldsOf(object, 'u', 'Update')).toMatchObject({
      'f:spec': {
        'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { 'f:env': { 'k:{"name":"A"}': {} } } } } },
      },
    })
  })

  test('of more than ten managers unite the oldest', () => {
    let object = update(undefined, web({ replicas: 0 }, { uid: 'u1' }), { manager: 'm00', now: early })
    for (let index = 1; index <= 12; index++) {
      const annotations = { ...object.metadata.annotations, [`k${index}`]: 'x' }
      object = update(
        object,
        { ...object, metadata: { ...object.metadata, annotations } },
        {
          manager: `m${String(index).padStart(2, '0')}`,
          now: `2026-01-01T00:01:${String(index).padStart(2, '0')}Z`,
        },
      )
    }
    const names = object.metadata.managedFields?.map(({ manager }) => manager)
    expect(names).toHaveLength(10)
    expect(names?.[0]).toBe('ancient-changes')
    expect(names?.at(-1)).toBe('m12')
    expect(fieldsOf(object, 'ancient-changes', 'Update')).toMatchObject({ 'f:spec': { 'f:replicas': {} } })
  })
})

describe('kubectl', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  const last = web({ replicas: 1 })
  const live = stored(
    trackUpdate({
      next: web({ replicas: 1, paused: true }, { annotations: { [annotation]: JSON.stringify(last) } }),
      manager: clientSideApplyManager,
      apiVersion: 'apps/v1',
      schema,
      now: early,
    }),
  )

  test('takes over what it applied from the client, and keeps the annotation in step', () => {
    const object = applied({ live, patch: web({ replicas: 5 }), manager: 'kubectl', now: late })
    expect(object['spec']).toEqual({ replicas: 5, paused: true })
    expect(object.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":5}}\n',
    )
  })

  test('still conflicts over what it had not applied', () => {
    const patch = web({ replicas: 5, paused: false })
    expect(applyPatch({ live, patch, manager: 'kubectl', apiVersion: 'apps/v1', schema, now: late })).toMatchObject({
      ok: false,
      error: { conflicts: [{ field: '.spec.paused' }] },
    })
  })

  test('is given the fields of its client-side applies by an upgrade', () => {
    const upgraded = upgradeManagedFields(live.metadata.managedFields ?? [], {
      from: [clientSideApplyManager],
      to: 'kubectl',
    })
    expect(upgraded).toMatchObject({ ok: true, value: [{ manager: 'kubectl', operation: 'Apply' }] })
    const entries = upgraded.ok ? upgraded.value : []
    expect(entries[0]?.fieldsV1).toEqual(live.metadata.managedFields?.[0]?.fieldsV1)
    expect(ownersOf(entries, 'Apply', setOf([['f:spec', 'f:replicas']]))).toHaveLength(1)
    expect(ownersOf(entries, 'Update', setOf([['f:spec', 'f:replicas']]))).toHaveLength(0)
  })

  test('extracts what it applied', () => {
    const object = applied({ live, patch: web({ replicas: 1, ...container('c') }), manager: 'kubectl', now: late })
    expect(extractApplied(object, 'kubectl', { schema })).toEqual({
      ok: true,
      value: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 1, ...container('c') } },
    })
    expect(extractApplied(object, 'nobody', { schema })).toEqual({ ok: true, value: undefined })
  })
})

describe('the scale subresource', () => {
  const paths = new Map([['apps/v1', ['spec', 'replicas']]])
  const parent = applied({ patch: web({ replicas: 1, paused: true }) }).metadata.managedFields ?? []

  test('shows who manages the replicas', () => {
    expect(scaleEntries(parent, paths)).toMatchObject({
      ok: true,
      value: [{ manager: 'a', apiVersion: 'autoscaling/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }],
    })
  })

  test('gives the replicas to whom its entries say', () => {
    const scale: readonly ManagedFieldsEntry[] = [
      {
        manager: 'hpa',
        operation: 'Update',
        apiVersion: 'autoscaling/v1',
        time: late,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
    ]
    expect(parentEntries(parent, scale, 'apps/v1', paths)).toMatchObject({
      ok: true,
      value: [
        { manager: 'a', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
        { manager: 'hpa', apiVersion: 'apps/v1', time: late, fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      ],
    })
  })
})

const spec = fc.record(
  {
    replicas: fc.constantFrom(1, 2),
    paused: fc.boolean(),
    template: fc.record({
      spec: fc.record({
        containers: fc.uniqueArray(
          fc.record(
            {
              name: fc.constantFrom('a', 'b', '__proto__', 'constructor'),
              image: fc.constantFrom('i', 'j'),
              args: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
              ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 81) }), {
                selector: (port) => port.containerPort,
                maxLength: 2,
              }),
            },
            { requiredKeys: ['name'] },
          ),
          { selector: (item) => item.name, maxLength: 3 },
        ),
      }),
    }),
  },
  { requiredKeys: [] },
)

describe('laws of apply', () => {
  test('applying twice changes nothing', () => {
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const live = stored(applied({ patch: web(one) }))
        const once = applied({ live, patch: web(two), manager: 'b', force: true, now: late })
        const twice = applyPatch({
          live: once,
          patch: web(two),
          manager: 'b',
          apiVersion: 'apps/v1',
          schema,
          now: '2027-01-01T00:00:00Z',
        })
        expect(twice).toMatchObject({ ok: true, value: { changed: false } })
      }),
    )
  })

  test('an apply sets what it says', () => {
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const live = stored(applied({ patch: web(one) }))
        const object = applied({ live, patch: web(two) })
        const { replicas, paused } = (object['spec'] ?? {}) as { replicas?: number; paused?: boolean }
        expect([replicas, paused]).toEqual([two.replicas, two.paused])
      }),
    )
  })

  test('two managers that do not conflict may apply in either order', () => {
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const run = (first: [string, object], second: [string, object]): KubeObject | undefined => {
          const live = stored(applied({ patch: web(first[1]), manager: first[0] }))
          const result = applyPatch({
            live,
            patch: web(second[1]),
            manager: second[0],
            apiVersion: 'apps/v1',
            schema,
            now: early,
          })
          return result.ok ? result.value.object : undefined
        }
        const [left, right] = [run(['a', one], ['b', two]), run(['b', two], ['a', one])]
        expect(left === undefined).toBe(right === undefined)
        if (!left || !right) return
        expect(fieldsOf(left, 'a')).toEqual(fieldsOf(right, 'a'))
        expect(fieldsOf(left, 'b')).toEqual(fieldsOf(right, 'b'))
        expect(sorted(left['spec'])).toEqual(sorted(right['spec']))
      }),
    )
  })
})

/** Lists that merge item by item stand in the order of the last apply; as sets they must agree. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted)
    return items.every((item) => typeof item === 'object')
      ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items
  }
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value).toSorted()
  return Object.fromEntries(keys.map((key) => [key, sorted((value as Record<string, unknown>)[key])]))
}

test('lists of 100,000 items are merged in one pass', () => {
  const many = (from: number): KubeObject =>
    web({}, { finalizers: Array.from({ length: 100_000 }, (_, index) => `f${from + index}`) })
  const live = stored(applied({ patch: many(0) }))
  const object = applied({ live, patch: many(50_000), manager: 'b', now: late })
  expect(object.metadata.finalizers).toHaveLength(150_000)
})
