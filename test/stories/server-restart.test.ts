import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { admin, configMap, inDefault, valueOf } from '../../src/apiserver/apiserver.testkit.ts'
import { type RunningServer, runApiServer } from '../../src/apiserver/run.ts'
import { makeApiServer } from '../../src/apiserver/server.ts'
import type { ClusterAccess } from '../../src/client/access.ts'
import { accessOf, loadKubeconfig } from '../../src/client/kubeconfig.ts'
import { type RemoteClient, remoteClient } from '../../src/client/remote-client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { describeError, silentLog } from '../../src/lib/log.ts'
import { succeed } from '../../src/lib/result.ts'
import { Informer } from '../../src/runtime/informer.ts'
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'

const root = mkdtempSync(join(tmpdir(), 'idp-restart-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function serve(port: number): Promise<RunningServer & { readonly stop: () => Promise<void> }> {
  const store = await openLmdbStore<KubeObject>({ folder: join(root, 'store'), codec: jsonCodec() })
  if (!store.ok) throw new Error(JSON.stringify(store.error))
  const server = makeApiServer({ store: store.value, clock: systemClock, ids: systemIds, log: silentLog })
  const stateFolder = join(root, 'state')
  const authenticate = () => succeed(admin)
  const running = await runApiServer({ server, host: '127.0.0.1', port, stateFolder, clock: systemClock, authenticate })
  return Object.assign(running, {
    async stop() {
      await running.close()
      await store.value.close()
    },
  })
}

function accessTo(kubeconfig: string): ClusterAccess {
  const path = join(root, 'kubeconfig')
  writeFileSync(path, kubeconfig)
  const config = loadKubeconfig([path])
  const access = config.ok ? accessOf(config.value) : config
  if (!access.ok) throw new Error(JSON.stringify(access.error))
  return access.value
}

const clientOf = (access: ClusterAccess): RemoteClient =>
  remoteClient({ access, clock: systemClock, ids: systemIds, environment: {}, userAgent: 'idp/test' })

async function until(holds: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(20_000)
  while (!holds()) await systemClock.sleep(10, { signal: limit })
}

test('an informer over HTTP goes on after the server has stopped and come back, without listing again', async () => {
  const first = await serve(0)
  const port = Number(new URL(first.url).port)
  const access = accessTo(first.kubeconfig)
  const client = clientOf(access)
  for (const name of ['a', 'b'])
    valueOf(await client.create(inDefault, configMap(name, { n: '1' }, { labels: { my: '1' } })))
  const lists: number[] = []
  const counted = {
    ...client,
    list: (...args: Parameters<typeof client.list>) => {
      lists.push(1)
      return client.list(...args)
    },
  }
  const informer = new Informer({
    client: counted,
    clock: systemClock,
    log: silentLog,
    collection: inDefault,
    labelSelector: 'my',
  })
  const heard: string[] = []
  informer.listen(({ type, key }) => heard.push(`${type} ${key}`))
  const stopping = new AbortController()
  const running = informer.run(stopping.signal)
  await until(() => informer.isSynced)

  await first.stop()
  const second = await serve(port)
  valueOf(await client.update({ ...inDefault, name: 'a' }, configMap('a', { n: '2' }, { labels: { my: '1' } })))
  valueOf(await client.delete({ ...inDefault, name: 'b' }))
  await until(() => heard.length === 4)
  expect(heard).toEqual(['added default/a', 'added default/b', 'changed default/a', 'removed default/b'])
  expect(lists).toHaveLength(1)
  stopping.abort()
  await running

  // The certificate is checked: with another authority, or under another name, nobody is trusted.
  const stranger = clientOf({ ...access, tls: { ...access.tls, serverName: 'example.com' } })
  const trustless = clientOf({ ...access, tls: { ...access.tls, ca: access.tls.cert ?? '' } })
  const renamed = clientOf({ ...access, tls: { ...access.tls, serverName: 'kubernetes.default.svc' } })
  for (const wrong of [stranger, trustless]) {
    const outcome = await wrong.create(inDefault, configMap('c')).catch((error: unknown) => describeError(error))
    expect(outcome).toMatch(/cannot reach https:\/\/127.0.0.1.*(certificate|altname|ALTNAME)/i)
  }
  expect((await renamed.list(inDefault)).ok).toBe(true)
  for (const one of [client, stranger, trustless, renamed]) await one.close()
  await second.stop()
})
