import { expect, test } from 'vitest'
import {
  ISSUER,
  issueToken,
  newSigningKey,
  publicKeySet,
  readTokenKeys,
  type TokenRequest,
  userOfToken,
  verifyToken,
} from './service-account-tokens.ts'

const keys = readTokenKeys([newSigningKey()])
const nowMs = Date.UTC(2026, 0, 1)
const request: TokenRequest = {
  namespace: 'team',
  serviceAccount: { name: 'bot', uid: 'u1' },
  audiences: [],
  expirationSeconds: 3600,
}
const token = issueToken(
  keys,
  { ...request, bound: { kind: 'pod', to: { name: 'web-1', uid: 'p1' } } },
  { nowMs, id: 'id-1' },
)
const wanted = { nowMs, audiences: [ISSUER] }

test('a token stands for its ServiceAccount and names the Pod it is bound to', () => {
  const checked = verifyToken(keys, token, wanted)
  expect(checked.ok && userOfToken(checked.value)).toEqual({
    username: 'system:serviceaccount:team:bot',
    uid: 'u1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': ['JTI=id-1'],
      'authentication.kubernetes.io/pod-name': ['web-1'],
      'authentication.kubernetes.io/pod-uid': ['p1'],
    },
  })
})

const [header = '', payload = '', signature = ''] = token.split('.')
const forged = Buffer.from(payload, 'base64url').toString('utf8').replace('team:bot', 'kube-system:admin')
test.each([
  ['expired', token, { ...wanted, nowMs: nowMs + 3_600_000 }, /expired/],
  ['not valid yet', token, { ...wanted, nowMs: nowMs - 60_000 }, /not valid yet/],
  ['for another audience', token, { ...wanted, audiences: ['vault'] }, /another audience/],
  ['changed', `${header}.${Buffer.from(forged).toString('base64url')}.${signature}`, wanted, /signature/],
  ['unsigned', `${header}.${payload}.`, wanted, /not a signed token/],
  ['with no algorithm', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.x`, wanted, /signature/],
  ['not a token at all', 'secret', wanted, /not a signed token/],
  ['endless', 'a.'.repeat(1_000_000), wanted, /not a signed token/],
  ['of another server', issueToken(readTokenKeys([newSigningKey()]), request, { nowMs, id: 'x' }), wanted, /signature/],
])('a token that is %s is refused', (_name, text, when, message) => {
  const checked = verifyToken(keys, text, when)
  expect(!checked.ok && checked.error[0]?.message).toMatch(message)
})

test('an older key still verifies after rotation, and the new one signs', () => {
  const pem = newSigningKey()
  const before = readTokenKeys([pem])
  const after = readTokenKeys([newSigningKey(), pem])
  const old = issueToken(before, request, { nowMs, id: 'a' })
  expect(verifyToken(after, old, wanted).ok).toBe(true)
  expect(verifyToken(before, issueToken(after, request, { nowMs, id: 'b' }), wanted).ok).toBe(false)
})

test('the public key set holds no private part', () => {
  expect(publicKeySet(keys).keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256' })
  expect(JSON.stringify(publicKeySet(keys))).not.toContain('"d"')
})

test('a token that was found good once is still held to its time and its exact text', () => {
  expect(verifyToken(keys, token, wanted).ok).toBe(true)
  expect(verifyToken(keys, token, wanted).ok).toBe(true)
  expect(verifyToken(keys, token, { ...wanted, nowMs: nowMs + 3_600_000 }).ok).toBe(false)
  const last = token.endsWith('A') ? 'B' : 'A'
  expect(verifyToken(keys, `${token.slice(0, -2)}${last}${token.slice(-1)}`, wanted).ok).toBe(false)
  expect(verifyToken(readTokenKeys([newSigningKey()]), token, wanted).ok, 'other keys remember nothing of ours').toBe(
    false,
  )
})
