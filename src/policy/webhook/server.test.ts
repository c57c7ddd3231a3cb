import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { movableClock, systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { servingCertificate, webhookAuthority } from './certificates.ts'
import { type Judge, serveWebhooks, type WebhookServer } from './server.ts'

const clock = movableClock(systemClock.now())
const ports = { clock, ids: systemIds }
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u-1',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    operation: 'DELETE',
  },
}

let folder: string
let server: WebhookServer
let agent: Agent
const asked: (() => void)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-webhook-server-'))
  const authority = await webhookAuthority(folder, ports)
  agent = new Agent({ connect: { ca: authority.cert } })
  server = await serveWebhooks({
    host: '127.0.0.1',
    port: 0,
    certificate: servingCertificate(authority, ['127.0.0.1', 'localhost'], ports),
    judges: new Map<string, Judge>([
      ['/yes', async () => ({ allowed: true })],
      ['/broken', () => Promise.reject(new Error('a bug'))],
      ['/never', () => new Promise<never>(() => asked.splice(0).forEach((call) => call()))],
    ]),
    clock,
    log: silentLog,
  })
})
afterAll(async () => {
  await agent.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(
  path: string,
  body: string | Readable | undefined,
  method: 'GET' | 'POST' = 'POST',
): Promise<{ readonly code: number; readonly text: string }> {
  const url = `https://127.0.0.1:${server.port}${path}`
  const answer = await request(url, { method, dispatcher: agent, ...(body === undefined ? {} : { body }) })
  return { code: answer.statusCode, text: await answer.body.text() }
}

test('a question is answered over TLS', async () => {
  const { code, text } = await ask('/yes?timeout=10s', JSON.stringify(review))
  expect([code, JSON.parse(text)]).toEqual([
    200,
    { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true } },
  ])
  expect(await ask('/health', undefined, 'GET')).toEqual({ code: 200, text: 'ok\n' })
})

test.each([
  ['elsewhere', '/nothing', '{}', 404, 'no such webhook'],
  ['that is no review', '/yes', '{}', 400, 'admission-review-invalid'],
  ['that somebody judges with a bug', '/broken', JSON.stringify(review), 500, 'the webhook has failed'],
  ['that is too long', '/yes', ' '.repeat(7 * 1024 * 1024), 413, 'longer than'],
])('a question %s is refused in a line', async (_name, path, body, code, said) => {
  expect(await ask(path, body)).toMatchObject({ code, text: expect.stringContaining(said) as string })
})

test('a question whose length nobody tells is refused as soon as it is too long', async () => {
  const pieces = Array.from({ length: 7 }, () => ' '.repeat(1024 * 1024))
  expect((await ask('/yes', Readable.from(pieces))).code).toBe(413)
})

test('a webhook is not read', async () => {
  expect((await ask('/yes', undefined, 'GET')).code).toBe(405)
})

test('what takes longer than the API server waits is given up', async () => {
  const judging = new Promise<void>((resolve) => asked.push(resolve))
  const answer = ask('/never?timeout=3s', JSON.stringify(review))
  await judging
  await clock.advance(3_000)
  expect((await answer).code).toBe(504)
})

test('the authority is kept for its owner alone, and made anew before it expires', async () => {
  expect(statSync(join(folder, 'ca.pem')).mode & 0o777).toBe(0o600)
  const first = await webhookAuthority(folder, ports)
  expect((await webhookAuthority(folder, ports)).cert).toBe(first.cert)
  const later = movableClock(clock.now() + 9 * 365 * 24 * 60 * 60 * 1_000)
  expect((await webhookAuthority(folder, { ...ports, clock: later })).cert).not.toBe(first.cert)
})
