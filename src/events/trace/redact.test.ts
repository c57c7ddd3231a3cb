import { expect, test } from 'vitest'
import { REDACTED, redact } from './redact.ts'

test.each<readonly [string, unknown, unknown]>([
  ['a password', { user: 'ann', password: 'x' }, { user: 'ann', password: REDACTED }],
  [
    'headers as an event shows them',
    { header: { Authorization: ['Bearer abc'] } },
    { header: { Authorization: REDACTED } },
  ],
  [
    'the data of a Secret',
    { apiVersion: 'v1', kind: 'Secret', data: { a: 'eA==' } },
    { apiVersion: 'v1', kind: 'Secret', data: { a: REDACTED } },
  ],
  [
    'a variable of the environment',
    {
      env: [
        { name: 'DB_PASSWORD', value: 'x' },
        { name: 'HOST', value: 'y' },
      ],
    },
    {
      env: [
        { name: 'DB_PASSWORD', value: REDACTED },
        { name: 'HOST', value: 'y' },
      ],
    },
  ],
  [
    'a reference to a Secret',
    { secretKeyRef: { name: 'a', key: 'b' }, slackToken: { name: 'a', key: 'b' } },
    { secretKeyRef: { name: 'a', key: 'b' }, slackToken: { name: 'a', key: 'b' } },
  ],
  [
    'names that only lead to secrets',
    { secretName: 'a', tokenPath: '/x', secretStore: 'v' },
    { secretName: 'a', tokenPath: '/x', secretStore: 'v' },
  ],
  ['credentials in a URL', 'see https://ann:pw@example.com/x', `see https://${REDACTED}@example.com/x`],
  ['a bearer token in a text', 'sent Bearer abcdef.ghi', `sent Bearer ${REDACTED}`],
  ['a token of a forge', 'use ghp_0123456789abcdefghijABCDEFGHIJ', `use ${REDACTED}`],
  [
    'what is under a secret name',
    { credentials: { user: 'a', list: [1] } },
    { credentials: { user: REDACTED, list: REDACTED } },
  ],
  [
    'a key of the prototype',
    JSON.parse('{"__proto__": {"token": "x"}}'),
    JSON.parse(`{"__proto__": {"token": "${REDACTED}"}}`),
  ],
])('%s', (_, given, want) => expect(redact(given)).toEqual(want))

test('however deep a document is, it comes to an end', () => {
  let deep: unknown = 'end'
  for (let level = 0; level < 100_000; level++) deep = { a: deep }
  expect(JSON.stringify(redact(deep))).toContain('"..."')
})
