import { expect, test } from 'vitest'
import { coversHost, HostIndex, intersectHosts, readAuthority } from './hostname.ts'

test.each([
  { a: undefined, b: undefined, want: { host: undefined } },
  { a: undefined, b: 'a.b', want: { host: 'a.b' } },
  { a: 'a.b', b: undefined, want: { host: 'a.b' } },
  { a: 'a.b', b: 'a.b', want: { host: 'a.b' } },
  { a: 'a.b', b: 'c.b', want: undefined },
  { a: '*.b', b: 'a.b', want: { host: 'a.b' } },
  { a: '*.b', b: 'x.a.b', want: { host: 'x.a.b' } },
  { a: '*.b', b: 'b', want: undefined },
  { a: '*.b', b: 'ab', want: undefined },
  { a: '*.b', b: '*.a.b', want: { host: '*.a.b' } },
  { a: '*.b', b: '*.b', want: { host: '*.b' } },
  { a: '*.a.b', b: '*.c.b', want: undefined },
  { a: '*.a.b', b: 'a.b', want: undefined },
  { a: '*.example.com', b: 'example.com', want: undefined },
])('$a and $b have $want in common', ({ a, b, want }) => {
  expect([intersectHosts(a, b), intersectHosts(b, a)]).toEqual([want, want])
})

test.each([
  { text: 'A.Example.COM', want: { host: 'a.example.com', port: undefined } },
  { text: 'a.b:8080', want: { host: 'a.b', port: 8080 } },
  { text: 'a.b.:80', want: { host: 'a.b', port: 80 } },
  { text: 'a.b:', want: { host: 'a.b', port: undefined } },
  { text: '[::1]:8080', want: { host: '[::1]', port: 8080 } },
  { text: '[::1]', want: { host: '[::1]', port: undefined } },
  { text: '', want: undefined },
  { text: ':80', want: undefined },
  { text: 'a b', want: undefined },
  { text: 'a.b:0', want: undefined },
  { text: 'a.b:65536', want: undefined },
  { text: 'a.b:80:90', want: undefined },
  { text: 'a.b/c', want: undefined },
  { text: 'user@a.b', want: undefined },
  { text: 'x'.repeat(301), want: undefined },
])('reads the authority $text', ({ text, want }) => {
  expect(readAuthority(text)).toEqual(want)
})

test('the most specific hostname answers', () => {
  const index = new HostIndex<string>()
  for (const pattern of ['a.b.c', '*.b.c', '*.c', undefined]) index.set(pattern, pattern ?? 'any')
  expect(['a.b.c', 'x.b.c', 'y.x.b.c', 'b.c', 'x.c', 'c', 'other', '.c'].map((name) => index.find(name))).toEqual([
    'a.b.c',
    '*.b.c',
    '*.b.c',
    '*.c',
    '*.c',
    'any',
    'any',
    'any',
  ])
  expect([index.get('*.c'), index.get(undefined), index.get('c')]).toEqual(['*.c', 'any', undefined])
  expect([...index.values()]).toHaveLength(4)
})

test('an index finds what a pattern covers', () => {
  for (const pattern of ['a.b', '*.b', undefined]) {
    const index = new HostIndex<boolean>()
    index.set(pattern, true)
    for (const name of ['a.b', 'x.a.b', 'b', 'ab', 'c'])
      expect([pattern, name, index.find(name) ?? false]).toEqual([pattern, name, coversHost(pattern, name)])
  }
})
