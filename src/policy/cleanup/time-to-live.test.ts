import { expect, test } from 'vitest'
import { endOfLife } from './time-to-live.ts'

const createdMs = Date.UTC(2026, 0, 1)
const living = (ttl?: string): number | undefined =>
  endOfLife({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(ttl === undefined ? {} : { labels: { 'cleanup.kyverno.io/ttl': ttl } }),
    },
  })

test.each([
  ['10s', createdMs + 10_000],
  ['1h30m', createdMs + 5_400_000],
  ['1d', createdMs + 86_400_000],
  ['1d12h', createdMs + 129_600_000],
  ['2026-02-03', Date.UTC(2026, 1, 3)],
  ['2026-02-03T040506Z', Date.UTC(2026, 1, 3, 4, 5, 6)],
  ['2026-02-30', undefined],
  ['-5s', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('an object with the label %j ends at %j', (ttl, want) => expect(living(ttl)).toBe(want))
