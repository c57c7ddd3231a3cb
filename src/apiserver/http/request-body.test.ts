import { expect, test } from 'vitest'
import { parseBody } from './request-body.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'

test('a typed client may write a built-in kind in protobuf', () => {
  // The envelope names v1 ConfigMap; its message holds data {k: v}.
  const bytes = Buffer.from('6b387300' + '0a0f0a0276311209436f6e6669674d6170' + '1208' + '12060a016b120176', 'hex')
  expect(parseBody(bytes, PROTOBUF)).toEqual({
    ok: true,
    value: { value: { apiVersion: 'v1', kind: 'ConfigMap', data: { k: 'v' } }, problems: [] },
  })
})

test.each([
  ['protobuf that breaks off', Buffer.from('6b3873000aff', 'hex'), PROTOBUF, 400, /cannot read the protobuf body/],
  ['JSON that breaks off', Buffer.from('{'), 'application/json', 400, /error decoding the body/],
  ['bytes that are no text', Buffer.from([0xff, 0xfe]), 'application/json', 400, /not valid UTF-8/],
  ['another form', Buffer.from('x'), 'text/html', 415, /unknown format \(text\/html\)/],
  [
    'JSON without a floor',
    Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)),
    'application/json',
    400,
    /nested too deeply/,
  ],
])('%s is refused', (_name, bytes, type, code, message) => {
  const parsed = parseBody(bytes, type)
  expect(!parsed.ok && { code: parsed.error.code, message: parsed.error.message }).toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  })
})
