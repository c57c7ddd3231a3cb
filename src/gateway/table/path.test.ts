import { describe, expect, test } from 'vitest'
import { prefixesOf, readTarget, replacePrefix } from './path.ts'

test.each([
  { target: '/a/b?c=d?e', want: { path: '/a/b', query: 'c=d?e' } },
  { target: '/', want: { path: '/', query: undefined } },
  { target: 'http://host:80/a?b', want: { path: '/a', query: 'b' } },
  { target: 'https://host', want: { path: '/', query: undefined } },
  { target: 'http://host?q', want: { path: '/', query: 'q' } },
  { target: '/a/./b/../c/', want: { path: '/a/c/', query: undefined } },
  { target: '/a/..', want: { path: '/', query: undefined } },
  { target: '/a/b/.', want: { path: '/a/b/', query: undefined } },
  { target: '/.hidden/...', want: { path: '/.hidden/...', query: undefined } },
  { target: '/%7euser/%c3%bc', want: { path: '/~user/%C3%BC', query: undefined } },
  { target: '/a//b', want: { path: '/a//b', query: undefined } },
  { target: '*', want: undefined },
  { target: 'example.com:443', want: undefined },
  { target: '/a\\..\\b', want: undefined },
  { target: '/a%00', want: undefined },
  { target: '/a%zz', want: undefined },
  { target: '/a#b', want: undefined },
  { target: 'ftp://host/', want: undefined },
])('reads the target $target', ({ target, want }) => {
  expect(readTarget(target)).toEqual(want)
})

test.each([
  { path: '/a/b', want: ['/a/b', '/a', ''] },
  { path: '/a/', want: ['/a/', '/a', ''] },
  { path: '/', want: ['/', ''] },
])('$path has its prefixes, the longest first', ({ path, want }) => {
  expect([...prefixesOf(path)]).toEqual(want)
})

describe('a prefix is replaced', () => {
  test.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/', '/', '/xyz', '/xyz/'],
    ['/bar', '', '/xyz', '/xyz/bar'],
  ])('in %s, %s by %s is %s', (path, prefix, replacement, want) => {
    expect(replacePrefix(path, prefix, replacement)).toBe(want)
  })
})
