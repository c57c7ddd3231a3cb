import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { movableClock } from '../../lib/clock.ts'
import { digestOf, memoryChartCache } from './chart-cache.ts'
import { fetchChart } from './fetch-chart.ts'
import { undiciHttp } from './http.ts'
import { parseChallenge } from './oci.ts'

const archive = gzipSync('a packed chart')
const digest = digestOf(archive)
const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
  layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', digest, size: archive.length }],
})

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void
const answers = new Map<string, Answer>()
const seen: string[] = []
let server: Server
let base = ''

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', base)
    seen.push(`${url.pathname} ${request.headers.authorization ?? '-'}`)
    const answer = answers.get(url.pathname)
    if (answer) answer(request, response, url)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
const http = undiciHttp({ clock: movableClock(), tries: 1 })
afterAll(async () => {
  await http.close()
  server.close()
})

const send =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(200, headers).end(body)

const guarded =
  (answer: Answer): Answer =>
  (request, response, url) => {
    if (request.headers.authorization === 'Bearer good') answer(request, response, url)
    else {
      const challenge = `Bearer realm="${base}/token",service="registry",scope="repository:charts/app:pull"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
  }

const reach = { http, plainHttp: true, credentials: { username: 'u', password: 'p' } }
const fetchApp = (version: string): ReturnType<typeof fetchChart> =>
  fetchChart(
    { repository: `oci://${base.slice('http://'.length)}/charts`, name: 'app', version },
    reach,
    memoryChartCache(),
  )

test('asks for a token, follows the pages of tags, and checks manifest and archive', async () => {
  answers.set('/token', (request, response, url) => {
    const ok = request.headers.authorization === `Basic ${Buffer.from('u:p').toString('base64')}`
    response.writeHead(ok && url.searchParams.get('service') === 'registry' ? 200 : 403).end('{"token": "good"}')
  })
  answers.set(
    '/v2/charts/app/tags/list',
    guarded((_request, response, url) => {
      if (url.searchParams.has('last')) response.end('{"tags": ["1.3.0_build", "2.0.0"]}')
      else
        response
          .writeHead(200, { link: '</v2/charts/app/tags/list?last=x>; rel="next"' })
          .end('{"tags": ["1.2.0", "latest"]}')
    }),
  )
  answers.set(
    '/v2/charts/app/manifests/1.3.0_build',
    guarded(send(manifest, { 'docker-content-digest': digestOf(Buffer.from(manifest)) })),
  )
  answers.set(`/v2/charts/app/blobs/${digest}`, guarded(send(archive)))
  const fetched = await fetchApp('^1.2')
  expect(fetched).toMatchObject({ ok: true, value: { version: '1.3.0+build', digest } })
  expect(seen.filter((line) => line.startsWith('/token'))).toHaveLength(1)
})

test.each<readonly [string, string, Answer, string]>([
  [
    'a manifest that does not match',
    'manifests/9.0.1',
    send(manifest, { 'docker-content-digest': digestOf(Buffer.from('other')) }),
    'chart-digest-mismatch',
  ],
  ['what is no chart', 'manifests/9.0.2', send(manifest.replace('helm.config', 'other')), 'chart-artifact-invalid'],
  ['no layer', 'manifests/9.0.3', send(manifest.replace('tar+gzip', 'zip')), 'chart-artifact-invalid'],
  [
    'an archive that does not match',
    'manifests/9.0.4',
    send(manifest.replaceAll(digest, `sha256:${'0'.repeat(64)}`)),
    'chart-digest-mismatch',
  ],
  ['a version that is not there', 'manifests/other', send(''), 'chart-not-found'],
])('%s is refused', async (_name, path, answer, code) => {
  answers.set(`/v2/charts/app/${path}`, answer)
  answers.set(`/v2/charts/app/blobs/sha256:${'0'.repeat(64)}`, send(archive))
  const fetched = await fetchApp(path === 'manifests/other' ? '9.9.9' : path.slice('manifests/'.length))
  expect(fetched.ok ? '' : fetched.error[0]?.code).toBe(code)
})

test('challenges are taken apart', () => {
  const { scheme, values } = parseChallenge('Bearer realm="https://a/b?c=d",service=x, scope="r:p:pull,push"')
  expect([scheme, ...values]).toEqual([
    'bearer',
    ['realm', 'https://a/b?c=d'],
    ['service', 'x'],
    ['scope', 'r:p:pull,push'],
  ])
})
