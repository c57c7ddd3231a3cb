import { expect, test } from 'vitest'
import { type Condition, isTrue, setCondition, withoutCondition } from './condition.ts'
import { controllerOf, controllerReference, isControlledBy } from './owner.ts'
import { formatMicroTime, formatTime, parseTime } from './time.ts'

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

test('a condition keeps its transition time until its status changes', () => {
  const first = setCondition<Condition>(undefined, { type: 'Ready', status: 'False', reason: 'Starting' }, at)
  expect(first).toEqual([
    { type: 'Ready', status: 'False', reason: 'Starting', lastTransitionTime: '2026-01-02T03:04:05Z' },
  ])
  const reworded = setCondition<Condition>(first, { type: 'Ready', status: 'False', reason: 'Waiting' }, at + 60_000)
  expect(reworded[0]).toMatchObject({ reason: 'Waiting', lastTransitionTime: '2026-01-02T03:04:05Z' })
  const turned = setCondition<Condition>(reworded, { type: 'Ready', status: 'True', reason: 'Up' }, at + 60_000)
  expect(turned[0]?.lastTransitionTime).toBe('2026-01-02T03:05:05Z')
  expect(isTrue(turned, 'Ready')).toBe(true)
})

test('setting the same condition gives back the same list', () => {
  const list = setCondition<Condition>([], { type: 'Ready', status: 'True' }, at)
  expect(setCondition<Condition>(list, { type: 'Ready', status: 'True' }, at + 5_000)).toBe(list)
  expect(withoutCondition(list, 'Other')).toBe(list)
  expect(withoutCondition(list, 'Ready')).toEqual([])
})

test('an owner is known by its uid, not by its name', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web', uid: 'u1' } }
  const reference = controllerReference(owner, { group: 'apps', version: 'v1', kind: 'ReplicaSet' })
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', ownerReferences: [reference] } }
  expect(controllerOf(pod)).toBe(reference)
  expect(isControlledBy(pod, owner)).toBe(true)
  expect(isControlledBy(pod, { ...owner, metadata: { name: 'web', uid: 'u2' } })).toBe(false)
})

test.each([
  ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['2026-01-02T03:04:05.678Z', at],
  ['2026-01-02T03:04:05+01:00', Date.UTC(2026, 0, 2, 2, 4, 5)],
  ['2026-02-30T00:00:00Z', undefined],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-01-02T25:00:00Z', undefined],
  ['2026-01-02', undefined],
  ['yesterday', undefined],
])('%s reads as %s', (text, ms) => {
  expect(parseTime(text)).toBe(ms)
})

test('times print in the two forms of the API', () => {
  expect(formatTime(at)).toBe('2026-01-02T03:04:05Z')
  expect(formatMicroTime(at)).toBe('2026-01-02T03:04:05.678000Z')
})
