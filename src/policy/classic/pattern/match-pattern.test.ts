import { describe, expect, test } from 'vitest'
import { matchPattern } from './match-pattern.ts'
import { matchesScalar } from './scalar.ts'

describe('a leaf of a pattern', () => {
  test.each<[unknown, unknown, boolean]>([
    [5, 5, true],
    ['5', 5, true],
    [5, '>4', true],
    [5, '<=4', false],
    ['100Mi', '<=0.5Gi', true],
    ['1h', '>30m', true],
    [undefined, '0', true],
    [undefined, '?*', false],
    ['nginx:1.2', 'nginx:* | redis:*', true],
    ['nginx:latest', '!*:latest', false],
    ['nginx:1', '!*:latest & nginx:*', true],
    [25, '10-20', false],
    [15, '10-20', true],
    [25, '10!-20', true],
    ['512Mi', '100Mi-1Gi', true],
    [true, 'true', true],
    [false, true, false],
    [null, null, true],
    ['', null, true],
    ['x', null, false],
    [{}, {}, true],
    ['a', '>b', false],
  ])('%j is what %j asks for: %j', (value, pattern, want) => expect(matchesScalar(value, pattern)).toBe(want))
})

const pod = {
  metadata: { name: 'web', labels: { app: 'web', 'team.example/name': 'a' } },
  spec: {
    hostNetwork: false,
    containers: [
      { name: 'a', image: 'nginx:latest', imagePullPolicy: 'Always' },
      { name: 'b', image: 'redis:7', imagePullPolicy: 'IfNotPresent' },
    ],
    volumes: [{ name: 'v', hostPath: { path: '/var/run/docker.sock' } }],
  },
}

describe('a pattern', () => {
  test.each<[string, unknown, string, string]>([
    ['fields as they should be', { spec: { hostNetwork: false } }, 'pass', ''],
    ['a field of another value', { spec: { hostNetwork: true } }, 'fail', '/spec/hostNetwork/'],
    ['a field that is not there', { spec: { hostPID: true } }, 'fail', '/spec/hostPID/'],
    ['anything at all, and there is nothing', { metadata: { annotations: '*' } }, 'fail', '/metadata/'],
    ['every item', { spec: { containers: [{ image: '*:*' }] } }, 'pass', ''],
    [
      'every item, and one is not',
      { spec: { containers: [{ image: 'nginx:*' }] } },
      'fail',
      '/spec/containers/1/image/',
    ],
    [
      'what it says if a condition holds',
      { spec: { containers: [{ '(image)': '*:latest', imagePullPolicy: 'Always' }] } },
      'pass',
      '',
    ],
    [
      'what it says if a condition holds, and it does not',
      { spec: { containers: [{ '(image)': '*:latest', imagePullPolicy: 'Never' }] } },
      'fail',
      '/spec/containers/0/imagePullPolicy/',
    ],
    [
      'something only of what is not here',
      { spec: { containers: [{ '(image)': 'mysql:*', imagePullPolicy: 'Always' }] } },
      'skip',
      '',
    ],
    ['something if there is one', { spec: { '=(hostIPC)': false } }, 'pass', ''],
    ['something if there is one, and it is wrong', { spec: { '=(hostNetwork)': true } }, 'fail', '/spec/hostNetwork/'],
    ['that there is none', { spec: { 'X(hostIPC)': 'null' } }, 'pass', ''],
    [
      'that there is none, and there is',
      { spec: { '=(volumes)': [{ 'X(hostPath)': 'null' }] } },
      'fail',
      '/spec/volumes/0/hostPath/',
    ],
    ['at least one item', { spec: { '^(containers)': [{ image: 'redis:*' }] } }, 'pass', ''],
    [
      'at least one item, and there is none',
      { spec: { '^(containers)': [{ image: 'mysql:*' }] } },
      'fail',
      '/spec/containers/',
    ],
    [
      'everything only for a global condition',
      { spec: { containers: [{ '<(image)': 'mysql:*' }], hostPID: true } },
      'skip',
      '',
    ],
    ['labels by wildcard', { metadata: { labels: { 'team.*/name': '?*' } } }, 'pass', ''],
    [
      'labels by wildcard, and there are none',
      { metadata: { labels: { 'squad.*/name': '?*' } } },
      'fail',
      '/metadata/labels/squad.*/name/',
    ],
    ['another structure', { spec: { containers: { image: 'x' } } }, 'fail', '/spec/containers/'],
  ])('asks for %s', (_, pattern, verdict, path) => {
    const mismatch = matchPattern(pod, pattern)
    expect({ verdict: mismatch?.verdict ?? 'pass', path: mismatch?.path ?? '' }).toEqual({ verdict, path })
  })

  test('named after a prototype is about the object itself', () => {
    expect(matchPattern(JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {"a": 2}}'))?.path).toBe(
      '/__proto__/a/',
    )
    expect(matchPattern({}, { '=(constructor)': 'x' })).toBeUndefined()
  })
})
