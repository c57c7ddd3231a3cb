import { expect, test } from 'vitest'
import { AccessLog } from './access-log.ts'

const record = (at: number, more: object = {}) => ({
  atMs: at * 1_000,
  method: 'GET',
  host: 'a.example',
  path: `/${at}?token=secret`,
  status: 200,
  tookMs: 1,
  route: 'HTTPRoute/team/web',
  endpoint: '127.0.0.1:80',
  client: '127.0.0.1',
  ...more,
})
const paths = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => (line === '' ? undefined : (JSON.parse(line) as { path: string }).path))

test('the last answers are kept, the oldest first, and nothing of their queries', () => {
  const log = new AccessLog(3)
  expect(log.lines()).toBe('')
  for (let at = 1; at <= 5; at++) log.add(record(at))
  expect(paths(log.lines())).toEqual(['/3', '/4', '/5'])
  expect(log.lines()).not.toContain('secret')
  expect(JSON.parse(log.lines().split('\n')[0] ?? '')).toMatchObject({ at: '1970-01-01T00:00:03Z', status: 200 })
})

test('the answers of a route or of a host can be asked for', () => {
  const log = new AccessLog()
  log.add(record(1))
  log.add(record(2, { route: 'HTTPRoute/team/other' }))
  log.add(record(3, { host: 'b.example' }))
  expect(paths(log.lines({ route: 'HTTPRoute/team/other' }))).toEqual(['/2'])
  expect(paths(log.lines({ host: 'b.example' }))).toEqual(['/3'])
  expect(paths(log.lines({ host: 'none' }))).toEqual([undefined])
})
