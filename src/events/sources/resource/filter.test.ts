import { expect, test } from 'vitest'
import type { KubeObject } from '../../../kube/object.ts'
import { type ChangeType, compileChangeFilter } from './filter.ts'
import { labelSelectorOf } from './label-selector.ts'

const STARTED = Date.UTC(2026, 0, 1, 12, 0, 0, 500)
const NOW = STARTED + 60_000

const object = (metadata: object, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'web-1', uid: 'u', creationTimestamp: '2026-01-01T11:00:00Z', ...metadata },
  ...more,
})
const managed = (operation: string, time: string): object => ({ managedFields: [{ operation, time }] })
const status = { status: { phase: 'Failed', count: 3 } }
const field = (key: string, operation: string, value: string): object => ({ fields: [{ key, operation, value }] })

test.each<{
  readonly name: string
  readonly filter: object
  readonly type?: ChangeType
  readonly seen?: KubeObject
  readonly want: boolean
}>([
  { name: 'without a filter everything passes', filter: {}, want: true },
  { name: 'a prefix that the name has', filter: { prefix: 'web-' }, want: true },
  { name: 'a prefix that the name lacks', filter: { prefix: 'db-' }, want: false },
  { name: 'created by then', filter: { createdBy: '2026-01-01T11:00:00Z' }, want: true },
  { name: 'created later', filter: { createdBy: '2026-01-01T10:59:59Z' }, want: false },
  { name: 'added before the start', filter: { afterStart: true }, want: false },
  {
    name: 'added in the second of the start',
    filter: { afterStart: true },
    seen: object({ creationTimestamp: '2026-01-01T12:00:00Z' }),
    want: true,
  },
  {
    name: 'updated after the start',
    filter: { afterStart: true },
    type: 'UPDATE',
    seen: object(managed('Update', '2026-01-01T12:00:30Z')),
    want: true,
  },
  {
    name: 'applied after the start is not told by upstream',
    filter: { afterStart: true },
    type: 'UPDATE',
    seen: object(managed('Apply', '2026-01-01T12:00:30Z')),
    want: false,
  },
  { name: 'removed at once is removed now', filter: { afterStart: true }, type: 'DELETE', want: true },
  {
    name: 'removed before the start',
    filter: { afterStart: true },
    type: 'DELETE',
    seen: object({ deletionTimestamp: '2026-01-01T11:30:00Z' }),
    want: false,
  },
  {
    name: 'a field that matches',
    filter: field('status.phase', '==', 'Failed|Error'),
    seen: object({}, status),
    want: true,
  },
  {
    name: 'a field that does not',
    filter: field('status.phase', '==', '^Succeeded$'),
    seen: object({}, status),
    want: false,
  },
  {
    name: 'a field that is another',
    filter: field('status.phase', '!=', 'Failed'),
    seen: object({}, status),
    want: false,
  },
  {
    name: 'a field that is not there',
    filter: field('status.reason', '!=', 'x'),
    seen: object({}, status),
    want: false,
  },
  { name: 'a number', filter: field('status.count', '=', '^3$'), seen: object({}, status), want: true },
  {
    name: 'all fields together',
    filter: {
      fields: [
        { key: 'status.phase', operation: '==', value: 'Failed' },
        { key: 'status.count', operation: '==', value: '4' },
      ],
    },
    seen: object({}, status),
    want: false,
  },
])('$name', ({ filter, type = 'ADD', seen = object({}), want }) => {
  expect(compileChangeFilter({ filter }, STARTED)({ type, object: seen }, NOW)).toBe(want)
})

test.each([
  { selectors: [], want: '' },
  {
    selectors: [
      { key: 'app', value: 'web' },
      { key: 'tier', operation: '!=', value: 'db' },
    ],
    want: 'app=web,tier!=db',
  },
  { selectors: [{ key: 'app', operation: 'in', value: 'a,b' }], want: 'app in (a,b)' },
  { selectors: [{ key: 'app', operation: 'exists', value: '' }], want: 'app' },
  { selectors: [{ key: 'app', operation: '!', value: '' }], want: '!app' },
  { selectors: [{ key: 'app', operation: '~', value: 'x' }], want: undefined },
  { selectors: [{ key: 'app', value: 'a,b=c' }], want: undefined },
  { selectors: [{ value: 'a' }], want: undefined },
])('labels $selectors are asked for as $want', ({ selectors, want }) => {
  const made = labelSelectorOf(selectors)
  expect(made.ok ? made.value : undefined).toBe(want)
})
