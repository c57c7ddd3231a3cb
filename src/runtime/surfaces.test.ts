import { afterEach, expect, test } from 'vitest'
import { testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { Informers } from './informers.ts'
import { reachServices } from './reach-services.ts'
import { serviceHttp } from './service-http.ts'
import { loopbackSurfaces, type Surfaces } from './surfaces.ts'

const surface = {
  namespace: 'team',
  name: 'greeter',
  ports: [
    { name: 'http', port: 8200 },
    { name: 'other', port: 8201 },
  ],
  answer: (_request: unknown, response: { end(text: string): unknown }, port: number) => {
    response.end(`hello from ${port}`)
  },
}

const open: Surfaces[] = []
const stopping: AbortController[] = []
afterEach(async () => {
  for (const one of stopping.splice(0)) one.abort()
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function world() {
  const { client } = await testServer()
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }
  valueOf(await client.create({ resource: { group: '', version: 'v1', plural: 'namespaces' } }, namespace))
  const surfaces = loopbackSurfaces({ client, log: silentLog })
  open.push(surfaces)
  return { client, surfaces }
}

test('a surface answers where it says, and as a Service by its name in the cluster', async () => {
  const { client, surfaces } = await world()
  const opened = await surfaces.open(surface)
  expect(await (await fetch(opened.url('other'))).text()).toBe('hello from 8201')

  const stop = new AbortController()
  stopping.push(stop)
  const informers = new Informers({ client, clock: systemClock, log: silentLog })
  const reach = reachServices(informers)
  void informers.run(stop.signal)
  await expect.poll(() => reach('greeter.team.svc', 8200)?.address).toBe('127.0.0.1')
  expect(reach('greeter.other.svc', 8200)).toBeUndefined()
  const http = serviceHttp({ reach, refuse: () => 'nothing outside' })
  const asked = { method: 'GET', headers: {}, timeoutMs: 5_000, signal: stop.signal }
  expect((await http({ ...asked, url: 'http://greeter.team.svc:8200/x' })).body).toBe('hello from 8200')
  await expect(http({ ...asked, url: opened.url() })).rejects.toThrow('nothing outside')
  await expect(http({ ...asked, url: opened.url().replace('127.0.0.1', 'localhost') })).rejects.toThrow(
    'nothing outside',
  )
})

test('a surface has the same port at the next start, another one where that is taken, and takes its Service away', async () => {
  const { client, surfaces } = await world()
  const first = await surfaces.open(surface)
  const url = first.url()
  const second = await surfaces.open({ ...surface, ports: [{ name: 'http', port: 8200 }] })
  expect(second.url()).not.toBe(url)
  await second.close()
  await first.close()
  await expect(fetch(url)).rejects.toThrow('fetch failed')
  const service = { resource: { group: '', version: 'v1', plural: 'services' }, namespace: 'team', name: 'greeter' }
  const read = await client.get(service)
  expect(read.ok ? '' : read.error.reason).toBe('NotFound')
  const again = await surfaces.open(surface)
  expect(again.url()).toBe(url)
})
