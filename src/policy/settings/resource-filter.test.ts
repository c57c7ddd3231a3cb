import { expect, test } from 'vitest'
import { isFiltered, parseResourceFilters } from './resource-filter.ts'
import { usualFilters } from './policy-settings.ts'

const pod = { kind: { group: '', version: 'v1', kind: 'Pod' }, namespace: 'team', name: 'web' }
const deployment = { kind: { group: 'apps', version: 'v1', kind: 'Deployment' }, namespace: 'team', name: 'web' }
const namespace = { kind: { group: '', version: 'v1', kind: 'Namespace' }, name: 'kube-public' }

test.each([
  ['[Pod,*,*]', pod, true],
  ['[Pod]', pod, true],
  ['[Pod,team,w*]', pod, true],
  ['[Pod,other,*]', pod, false],
  ['[Pod,*,*]', { ...pod, subresource: 'status' }, false],
  ['[Pod/status,*,*]', { ...pod, subresource: 'status' }, true],
  ['[Pod/?*,*,*]', { ...pod, subresource: 'exec' }, true],
  ['[*/*,team,*]', { ...pod, subresource: 'exec' }, true],
  ['[*/*,team,*]', pod, true],
  ['[v1/Pod,*,*]', pod, true],
  ['[apps/v1/Deployment,*,*]', deployment, true],
  ['[apps/v1/Deployment/scale,*,*]', deployment, false],
  ['[Event,*,*][*/*,kube-public,*]', namespace, true],
  ['', pod, false],
  ['[', pod, false],
])('the filters %j hold %j: %j', (text, about, want) => {
  expect(isFiltered(parseResourceFilters(text), about)).toBe(want)
})

test('what a cluster lives by is left alone unless somebody changes it', () => {
  const usual = parseResourceFilters(usualFilters.join(''))
  expect(isFiltered(usual, { ...pod, namespace: 'kube-system' })).toBe(true)
  expect(isFiltered(usual, { ...pod, kind: { group: 'apps', version: 'v1', kind: 'ReplicaSet' } })).toBe(true)
  expect(isFiltered(usual, pod)).toBe(false)
})
