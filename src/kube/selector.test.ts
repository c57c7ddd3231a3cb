import { expect, test } from 'vitest'
import {
  compileSelector,
  formatLabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from './selector.ts'

const labels = { app: 'web', tier: 'front', replicas: '5', 'example.com/team': 'a' }

test.each([
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app=api', false],
  ['app!=api', true],
  ['missing!=api', true],
  ['app', true],
  ['!app', false],
  ['!missing', true],
  ['app in (web, api)', true],
  ['app notin (web,api)', false],
  ['missing notin (web)', true],
  ['replicas>4', true],
  ['replicas>5', false],
  ['replicas<6', true],
  ['tier>1', false],
  ['app=web,tier=back', false],
  [' app = web , tier in (front) ', true],
  ['example.com/team=a', true],
  ['app=', false],
  ['app in ()', false],
  ['constructor', false],
  ['!a__proto__x', true],
])('%j matches: %s', (text, want) => {
  const parsed = parseLabelSelector(text)
  expect(parsed.ok && matchesLabels(parsed.value, labels)).toBe(want)
})

test.each([
  '=a',
  'a=b=c',
  'a in b',
  'a in (b',
  'a>b',
  'a,',
  ',a',
  '-a',
  'a=-b',
  'a b',
  'a&b=c',
  'x/y/z=1',
  `a=${'v'.repeat(64)}`,
])('%j is refused', (text) => {
  expect(parseLabelSelector(text)).toMatchObject({ ok: false, error: [{ code: 'selector-invalid' }] })
})

test.each(['a=b', 'a!=b', 'a in (b,c)', 'a notin (b,c)', 'a', '!a', 'a>5', 'a<5', 'a=b,c'])(
  '%j prints as itself',
  (text) => {
    const parsed = parseLabelSelector(text)
    expect(parsed.ok && formatLabelSelector(parsed.value)).toBe(text)
  },
)

test('the object form compiles to the same requirements', () => {
  const compiled = compileSelector({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ],
  })
  expect(compiled.ok && matchesLabels(compiled.value, labels)).toBe(true)
  expect(compiled.ok && matchesLabels(compiled.value, { app: 'web' })).toBe(false)
})

test('every mistake of an object selector is told with its place', () => {
  const compiled = compileSelector(
    {
      matchExpressions: [
        { key: 'a', operator: 'Is' },
        { key: 'b', operator: 'In' },
        { key: 'c', operator: 'Exists', values: ['x'] },
      ],
    },
    'spec.selector',
  )
  expect(!compiled.ok && compiled.error.map((problem) => problem.at)).toEqual([
    'spec.selector.matchExpressions[0].operator',
    'spec.selector.matchExpressions[1].values',
    'spec.selector.matchExpressions[2].values',
  ])
})

test.each([
  ['metadata.name=a', true],
  ['metadata.name!=a', false],
  ['metadata.name=a,status.phase=', true],
  ['metadata.name=a\\,b', false],
  ['', true],
])('field selector %j matches: %s', (text, want) => {
  const parsed = parseFieldSelector(text)
  expect(parsed.ok && matchesFields(parsed.value, (field) => (field === 'metadata.name' ? 'a' : undefined))).toBe(want)
})

test('a field selector without an operator is refused', () => {
  expect(parseFieldSelector('metadata.name').ok).toBe(false)
})
