import { describe, expect, test } from 'vitest'
import { corsHeaders, type CrossOrigin, isAllowedOrigin, isPreflight, preflightHeaders } from './cors.ts'
import { changeHeaders, headerOf, namedByConnection, travels } from './headers.ts'
import { redirectLocation } from './redirect.ts'
import type { Cors, Redirect } from './route.ts'
import { chooseBackend, targetOf } from './table.ts'

test('headers are set, added and removed, whatever case they are in', () => {
  const before = ['X-Set', 'old', 'x-set', 'older', 'X-Gone', 'x', 'x-add', 'first', 'Kept', 'yes']
  const after = changeHeaders(before, {
    set: [['x-Set', 'new']],
    add: [
      ['X-Add', 'second'],
      ['X-More', 'one'],
    ],
    remove: ['x-gone', 'x-absent'],
  })
  expect(after).toEqual(['x-add', 'first', 'Kept', 'yes', 'x-Set', 'new', 'X-Add', 'second', 'X-More', 'one'])
  expect([headerOf(after, 'x-add'), headerOf(after, 'x-gone')]).toEqual(['first', undefined])
})

test('what concerns a connection does not travel on', () => {
  const named = namedByConnection('Keep-Alive, X-Private ,close')
  expect(
    ['connection', 'te', 'x-private', 'x-public', 'keep-alive', 'close'].map((name) => travels(name, named)),
  ).toEqual([false, false, false, true, false, true])
  expect(namedByConnection('keep-alive').size).toBe(0)
})

describe('where a redirect sends', () => {
  const reachedAt = (port: number): number => ({ 80: 8080, 443: 8443 })[port] ?? port
  const location = (redirect: Omit<Redirect, 'status'>, more: object = {}): string =>
    redirectLocation(
      { status: 302, ...redirect },
      {
        scheme: 'http',
        authority: { host: 'a.b', port: undefined },
        target: { path: '/foo/bar', query: undefined },
        prefix: '/foo',
        listenerPort: 80,
        reachedAt,
        ...more,
      },
    )
  test.each([
    { name: 'another host', redirect: { hostname: 'c.d' }, want: 'http://c.d/foo/bar' },
    { name: 'another scheme', redirect: { scheme: 'https' as const }, want: 'https://a.b/foo/bar' },
    { name: 'another port', redirect: { port: 8081 }, want: 'http://a.b:8081/foo/bar' },
    {
      name: 'the usual port of the scheme',
      redirect: { scheme: 'https' as const, port: 443 },
      want: 'https://a.b/foo/bar',
    },
    {
      name: 'a port of the other scheme',
      redirect: { scheme: 'http' as const, port: 443 },
      want: 'http://a.b:443/foo/bar',
    },
    { name: 'the port of the listener', redirect: {}, more: { listenerPort: 9000 }, want: 'http://a.b:9000/foo/bar' },
    { name: 'a whole path', redirect: { path: { replace: 'whole', value: '/x' } as const }, want: 'http://a.b/x' },
    { name: 'a prefix', redirect: { path: { replace: 'prefix', value: '/x' } as const }, want: 'http://a.b/x/bar' },
    {
      name: 'the query stays',
      redirect: { hostname: 'c' },
      more: { target: { path: '/', query: 'q=1' } },
      want: 'http://c/?q=1',
    },
    {
      name: 'a client that sees our ports is sent to one',
      redirect: { scheme: 'https' as const },
      more: { authority: { host: 'a.b', port: 8080 } },
      want: 'https://a.b:8443/foo/bar',
    },
    {
      name: 'and stays on its own',
      redirect: { path: { replace: 'whole', value: '/x' } as const },
      more: { authority: { host: 'a.b', port: 8080 } },
      want: 'http://a.b:8080/x',
    },
  ])('$name', ({ redirect, more, want }) => {
    expect(location(redirect, more)).toBe(want)
  })
})

describe('pages of other origins', () => {
  const cors: Cors = {
    origins: ['https://a.b', 'https://*.c.d', 'http://e.f:8080'],
    methods: ['GET', 'PUT'],
    headers: ['x-one', 'x-two'],
    expose: ['x-three'],
    hasCredentials: true,
    maxAgeSeconds: 5,
  }
  const asked = (origin: string | undefined, more: Partial<CrossOrigin> = {}): CrossOrigin => ({
    method: 'OPTIONS',
    origin,
    wantedMethod: 'PUT',
    wantedHeaders: 'x-one',
    ...more,
  })
  test.each([
    ['https://a.b', true],
    ['https://a.b:443', true],
    ['http://a.b', false],
    ['https://x.c.d', true],
    ['https://y.x.c.d', true],
    ['https://c.d', false],
    ['https://xc.d', false],
    ['http://e.f:8080', true],
    ['http://e.f', false],
    ['null', false],
    ['https://a.b.evil.com', false],
    ['https://a.b/', false],
    ['', false],
  ])('%s: %s', (origin, want) => {
    expect(isAllowedOrigin(cors.origins, origin)).toBe(want)
  })
  test('a star allows every origin', () => {
    expect([isAllowedOrigin(['*'], 'null'), isAllowedOrigin(['http://*'], 'http://any.where')]).toEqual([true, true])
  })
  test('who asks first is told what is allowed', () => {
    expect(preflightHeaders(cors, asked('https://a.b'))).toEqual([
      'access-control-allow-origin',
      'https://a.b',
      'vary',
      'Origin',
      'access-control-allow-credentials',
      'true',
      'access-control-allow-methods',
      'GET, PUT',
      'access-control-allow-headers',
      'x-one, x-two',
      'access-control-max-age',
      '5',
    ])
    expect(preflightHeaders(cors, asked('https://evil'))).toEqual([])
  })
  test('stars are echoed where there are credentials, and told where there are none', () => {
    const all = { ...cors, origins: ['*'], methods: ['*'], headers: ['*'], expose: ['*'] }
    expect(preflightHeaders(all, asked('https://x', { wantedHeaders: undefined })).slice(0, 8)).toEqual([
      'access-control-allow-origin',
      'https://x',
      'vary',
      'Origin',
      'access-control-allow-credentials',
      'true',
      'access-control-allow-methods',
      'PUT',
    ])
    expect(corsHeaders(all, asked('https://x'))).not.toContain('access-control-expose-headers')
    const open = { ...all, hasCredentials: false }
    expect(corsHeaders(open, asked('https://x'))).toEqual([
      'access-control-allow-origin',
      '*',
      'access-control-expose-headers',
      '*',
    ])
    expect(corsHeaders(open, asked(undefined))).toEqual([])
  })
  test.each([
    { name: 'OPTIONS with both headers', more: {}, want: true },
    { name: 'another method', more: { method: 'GET' }, want: false },
    { name: 'no origin', more: { origin: undefined }, want: false },
    { name: 'no wanted method', more: { wantedMethod: undefined }, want: false },
  ])('asking first is $name: $want', ({ more, want }) => {
    expect(isPreflight(asked('https://a.b', more))).toBe(want)
  })
})

test('backends get the share of their weight', () => {
  const backend = (weight: number, because: string) => ({
    weight,
    target: { do: 'refuse' as const, status: 500, because },
    filters: { mirrors: [] },
  })
  const backends = [backend(1, 'a'), backend(0, 'b'), backend(3, 'c')]
  const chosen = [0, 0.2, 0.25, 0.5, 0.999].map((chance) => targetOf(chooseBackend(backends, chance)))
  expect(chosen.map((target) => target.do === 'refuse' && target.because)).toEqual(['a', 'a', 'c', 'c', 'c'])
  const none = { do: 'refuse', status: 500, because: 'no backend is configured for this route' }
  expect(
    [[], [backend(0, 'a')], [backend(0, 'a'), backend(0, 'b')]].map((few) => targetOf(chooseBackend(few, 0))),
  ).toEqual([none, none, none])
})
