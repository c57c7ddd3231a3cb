import { expect, test } from 'vitest'
import { formatCheck } from './formats.ts'

test.each([
  ['bsonobjectid', ['507f1f77bcf86cd799439011'], ['507f1f77bcf86cd79943901']],
  ['byte', ['', 'YWI=', 'YWJj\n'], ['YWI', 'YW I=', '===']],
  ['cidr', ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '010.0.0.0/8']],
  ['creditcard', ['4111 1111 1111 1111'], ['4111 1111 1111 1112', '1']],
  ['date', ['2024-02-29'], ['2023-02-29', '2024-2-9']],
  ['date-time', ['2024-01-01T00:00:00Z', '2024-01-01t00:00:00.5+02:00'], ['2024-01-01', '2024-01-01T24:00:00Z']],
  ['duration', ['1h30m', '-1.5s', '0', '3 days', '2w'], ['1', 'h', '1 fortnight', '']],
  ['email', ['a@b.example', 'Ann <a@b.example>'], ['a', 'a@', 'a@b@c', 'a b@c']],
  ['hexcolor', ['#fff', 'A0B1C2'], ['#ffff', 'red']],
  ['hostname', ['example.com', 'a-b.c.'], ['-a', 'a..b', 'a b']],
  ['ipv4', ['10.0.0.1'], ['10.0.0.256', '10.1', '010.0.0.1', '::1']],
  ['ipv6', ['::1', 'fe80::1'], ['10.0.0.1', 'fe80::1%eth0', ':::']],
  ['isbn10', ['0321751043', '0-321-75104-3'], ['0321751044']],
  ['isbn13', ['978-0321751041'], ['978-0321751042']],
  ['k8s-short-name', ['a-b'], ['A', 'a.b']],
  ['k8s-long-name', ['a.b-c'], ['a..b']],
  ['mac', ['00:00:5e:00:53:01', '0000.5e00.5301'], ['00:00:5e:00:53', 'x']],
  ['rgbcolor', ['rgb(1, 2, 255)'], ['rgb(1,2,256)', 'rgb(1,2)']],
  ['ssn', ['111-22-3333'], ['111-22-333']],
  ['uri', ['https://a.example/x?y', '/path', 'urn:a:b'], ['a', 'http://a b', '']],
  ['uuid', ['123E4567-e89b-12d3-a456-426614174000'], ['123e4567']],
  ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
])('the format %s', (format, good, bad) => {
  const check = formatCheck(format)
  expect(good.filter((text) => !check?.(text))).toEqual([])
  expect(bad.filter((text) => check?.(text))).toEqual([])
})

test('unknown formats and those without a rule have no check', () => {
  expect(formatCheck('password')).toBeUndefined()
  expect(formatCheck('constructor')).toBeUndefined()
})
