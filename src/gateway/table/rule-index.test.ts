import { describe, expect, test } from 'vitest'
import { compilePattern } from '../../lib/re2.ts'
import { readTarget } from './path.ts'
import { type AttachedRoute, noFilters, type PathMatch, type RequestMatch } from './route.ts'
import { RuleIndex } from './rule-index.ts'

const pattern = (source: string): PathMatch => {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error('not a pattern')
  return { by: 'pattern', pattern: compiled.value, length: source.length }
}
const exact = (value: string): PathMatch => ({ by: 'exact', value })
const prefix = (value: string): PathMatch => ({ by: 'prefix', value })

type Some = Partial<RequestMatch> & { readonly to: string }

/** A route whose rules have one match each, called as `to` says. */
function route(name: string, rules: readonly Some[], createdMs = 0): AttachedRoute {
  return {
    namespace: 'team',
    name,
    createdMs,
    hosts: [undefined],
    rules: rules.map(({ to, ...match }) => ({
      matches: [{ path: prefix(''), headers: [], query: [], ...match }],
      action: { route: name, rule: to, isGrpc: false, filters: noFilters, backends: [] },
    })),
  }
}

function find(
  routes: readonly AttachedRoute[],
  url: string,
  { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): string | undefined {
  const target = readTarget(url)
  return target && new RuleIndex(routes).find({ method, target, headers })?.action.rule
}

describe('which rule a request goes by', () => {
  const paths = [
    route('paths', [
      { to: 'root' },
      { to: 'foo', path: prefix('/foo') },
      { to: 'foo-bar', path: prefix('/foo/bar') },
      { to: 'exact', path: exact('/foo/bar/exact') },
      { to: 'with-slash', path: exact('/slash/') },
      { to: 'digits', path: pattern('/foo/[0-9]+') },
    ]),
  ]
  test.each([
    { name: 'nothing else than the root', url: '/other', want: 'root' },
    { name: 'a prefix is whole elements', url: '/foobar', want: 'root' },
    { name: 'a prefix itself', url: '/foo', want: 'foo' },
    { name: 'a prefix with a slash', url: '/foo/', want: 'foo' },
    { name: 'the longest prefix', url: '/foo/bar/baz', want: 'foo-bar' },
    { name: 'an exact path before prefixes', url: '/foo/bar/exact', want: 'exact' },
    { name: 'an exact path is all of it', url: '/foo/bar/exact/', want: 'foo-bar' },
    { name: 'the slash belongs to an exact path', url: '/slash', want: 'root' },
    { name: 'a path tells upper from lower case', url: '/FOO', want: 'root' },
    { name: 'a pattern before prefixes', url: '/foo/12', want: 'digits' },
    { name: 'a pattern covers the whole path', url: '/foo/12/x', want: 'foo' },
    { name: 'the query is no part of the path', url: '/foo?/foo/12', want: 'foo' },
    { name: 'dots are resolved first', url: '/foo/bar/../../other', want: 'root' },
    { name: 'hidden dots are resolved first', url: '/foo/%2e%2E/other', want: 'root' },
    { name: 'dots do not lead above the root', url: '/../../foo', want: 'foo' },
    { name: 'hidden letters are letters', url: '/%66oo', want: 'foo' },
    { name: 'a hidden slash is no slash', url: '/foo%2fbar', want: 'root' },
  ])('$name', ({ url, want }) => {
    expect(find(paths, url)).toBe(want)
  })

  const versions: readonly Some[] = [
    { to: 'v1', headers: [{ name: 'version', exact: 'one' }] },
    { to: 'v2', headers: [{ name: 'version', exact: 'two' }] },
    {
      to: 'v2-orange',
      headers: [
        { name: 'version', exact: 'two' },
        { name: 'color', exact: 'orange' },
      ],
    },
    { to: 'dog', query: [{ name: 'animal', exact: 'dog' }] },
    { to: 'post', method: 'POST' },
    { to: 'posted-v1', method: 'POST', headers: [{ name: 'version', exact: 'one' }] },
  ]
  test.each([
    { name: 'a header', headers: { version: 'one' }, want: 'v1' },
    { name: 'more headers first', headers: { version: 'two', color: 'orange' }, want: 'v2-orange' },
    { name: 'all of the headers', headers: { version: 'two', color: 'blue' }, want: 'v2' },
    { name: 'values tell case', headers: { version: 'ONE' }, want: undefined },
    { name: 'a parameter', url: '/?animal=dog&animal=cat', want: 'dog' },
    { name: 'the first of two parameters', url: '/?animal=cat&animal=dog', want: undefined },
    { name: 'names of parameters tell case', url: '/?Animal=dog', want: undefined },
    { name: 'an escaped parameter', url: '/?animal=%64og', want: 'dog' },
    { name: 'headers before parameters', url: '/?animal=dog', headers: { version: 'one' }, want: 'v1' },
    { name: 'a method before headers', method: 'POST', headers: { version: 'two', color: 'orange' }, want: 'post' },
    { name: 'a method and a header', method: 'POST', headers: { version: 'one' }, want: 'posted-v1' },
    { name: 'a header called as what every object has', url: '/', want: undefined },
  ])('$name', ({ url = '/', want, ...request }) => {
    const wanted: Some = { to: 'odd', headers: [{ name: 'constructor', exact: 'x' }] }
    expect(find([route('versions', [...versions, wanted])], url, request)).toBe(want)
  })

  test.each([
    {
      name: 'the older route',
      routes: [route('a', [{ to: 'young' }], 2), route('b', [{ to: 'old' }], 1)],
      want: 'old',
    },
    { name: 'then the first by name', routes: [route('b', [{ to: 'b' }]), route('a', [{ to: 'a' }])], want: 'a' },
    { name: 'then the first rule', routes: [route('a', [{ to: 'first' }, { to: 'second' }])], want: 'first' },
    {
      name: 'a longer prefix of a younger route first',
      routes: [route('a', [{ to: 'old' }], 1), route('b', [{ to: 'longer', path: prefix('/x') }], 2)],
      url: '/x',
      want: 'longer',
    },
    {
      name: 'a shorter prefix when the longer one wants more',
      routes: [route('a', [{ to: 'short' }, { to: 'long', path: prefix('/x'), method: 'PUT' }])],
      url: '/x',
      want: 'short',
    },
  ])('of equals: $name', ({ routes, url = '/', want }) => {
    expect(find(routes, url)).toBe(want)
  })

  test('a pattern that would take forever elsewhere takes no time', () => {
    const evil = [route('evil', [{ to: 'evil', path: pattern('/(a+)+b') }, { to: 'root' }])]
    expect(find(evil, `/${'a'.repeat(5_000)}c`)).toBe('root')
  })
})
