import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningApi, startApi } from './api-server.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idp-life-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** One request over HTTP/2; answers the status and what came. */
function ask(
  api: RunningApi,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const session = connect(api.url, api.credentials)
  session.on('error', () => {})
  const stream = session.request({
    ':path': path,
    ...(body ? { ':method': 'POST', 'content-type': 'application/json' } : {}),
  })
  stream.end(body ? JSON.stringify(body) : undefined)
  return new Promise((resolve, reject) => {
    let text = ''
    let status = 0
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    stream.on('error', reject)
    stream.on('end', () => {
      session.close()
      resolve({ status, text })
    })
  })
}

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } })

test('what was acknowledged is there after a restart and after a crash, under the same identity', async () => {
  const first = await startApi({ folder })
  const made = JSON.parse((await ask(first, MAPS, map('a'))).text) as {
    metadata: { uid: string; resourceVersion: string }
  }
  expect(await first.stop()).toBe(0)

  const second = await startApi({ folder })
  expect(second.credentials).toEqual(first.credentials)
  expect(JSON.parse((await ask(second, `${MAPS}/a`)).text)).toEqual(made)
  await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      ask(second, MAPS, map(`b-${at}`)).then(({ status }) => expect(status).toBe(201)),
    ),
  )
  process.kill(second.pid, 'SIGKILL')

  const third = await startApi({ folder })
  const list = JSON.parse((await ask(third, MAPS)).text) as { items: object[] }
  expect(list.items).toHaveLength(51)
  await third.stop()
})

test('one state directory has one server', async () => {
  const first = await startApi({ folder })
  await expect(startApi({ folder })).rejects.toThrow(/in use|already|another/i)
  expect((await ask(first, '/readyz')).text).toBe('ok')
  await first.stop()
})

test('keys are read by their owner alone, and Secrets are not in clear on disk', async () => {
  const api = await startApi({ folder })
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    stringData: { password: 'correct-horse-battery' },
  }
  expect((await ask(api, '/api/v1/namespaces/default/secrets', secret)).status).toBe(201)
  await api.stop()
  for (const name of ['ca.key', 'apiserver.key', 'admin.key', 'sa.key', 'secrets.keys']) {
    expect({ name, mode: statSync(join(folder, 'state', 'pki', name)).mode & 0o777 }).toEqual({ name, mode: 0o600 })
  }
  expect(statSync(api.kubeconfig).mode & 0o777).toBe(0o600)
  const data = readFileSync(join(folder, 'state', 'store', 'data.mdb'))
  expect(data.includes('correct-horse-battery')).toBe(false)
  expect(data.includes(Buffer.from('correct-horse-battery').toString('base64'))).toBe(false)
})

test('a server that is asked to stop ends its watches and goes', async () => {
  const api = await startApi({ folder })
  const session = connect(api.url, api.credentials)
  session.on('error', () => {})
  const stream = session.request({ ':path': '/api/v1/configmaps?watch=1' })
  await new Promise((resolve) => stream.once('response', resolve))
  const ended = new Promise((resolve) => stream.once('end', resolve))
  stream.resume()
  expect(await api.stop()).toBe(0)
  await ended
  session.destroy()
})
