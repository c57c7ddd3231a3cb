import { expect, test } from 'vitest'
import { parseApplication, sourcesOf } from './application.ts'

const spec = { project: 'default', destination: { name: 'in-cluster' }, source: { repoURL: 'https://example.com/a' } }

test('an Application is read as it is', () => {
  const application = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'a' }, spec }
  expect(parseApplication(application)).toEqual({ ok: true, value: application })
})

test.each([
  ['', 'no object at all', 3],
  ['spec', 'no spec', { metadata: {} }],
  ['spec.destination', 'no destination', { metadata: {}, spec: { source: {} } }],
  ['spec.sources', 'a source that is a text', { metadata: {}, spec: { ...spec, sources: ['x'] } }],
])('what is missing is named: %s (%s)', (at, _name, object) => {
  expect(parseApplication(object)).toMatchObject({ ok: false, error: [{ code: 'application-invalid', at }] })
})

test('sources win over the one source, unless they are empty', () => {
  const many = [{ repoURL: 'https://example.com/b' }, { repoURL: 'https://example.com/c' }]
  expect(sourcesOf({ ...spec, sources: many })).toBe(many)
  expect(sourcesOf({ ...spec, sources: [] })).toEqual([spec.source])
  expect(sourcesOf({})).toEqual([])
})
