import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { admin, testServer } from '../apiserver/apiserver.testkit.ts'
import { runApiServer } from '../apiserver/run.ts'
import { clientContract } from '../kube/client.contract.ts'
import type { KubeObject } from '../kube/object.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds } from '../lib/ids.ts'
import { succeed } from '../lib/result.ts'
import { memoryStore } from '../store/memory-store.ts'
import { accessOf, loadKubeconfig } from './kubeconfig.ts'
import { remoteClient } from './remote-client.ts'

const root = mkdtempSync(join(tmpdir(), 'idp-client-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

clientContract('the client over HTTP', async () => {
  const store = memoryStore<KubeObject>()
  const { server, clock } = await testServer({ store })
  const running = await runApiServer({
    server,
    host: '127.0.0.1',
    port: 0,
    stateFolder: root,
    clock,
    authenticate: () => succeed(admin),
  })
  const path = join(root, 'kubeconfig')
  writeFileSync(path, running.kubeconfig)
  const config = loadKubeconfig([path])
  const access = config.ok ? accessOf(config.value) : config
  if (!access.ok) throw new Error(JSON.stringify(access.error))
  const client = remoteClient({
    access: access.value,
    clock: systemClock,
    ids: systemIds,
    environment: {},
    userAgent: 'idp/test',
  })
  return {
    client,
    async forgetHistory() {
      await clock.advance(0)
      await store.compact(store.revision)
    },
    pass: (ms) => clock.advance(ms),
    async close() {
      await client.close()
      const closing = running.close()
      // The grace of the server is measured by its own clock.
      await clock.advance(60_000)
      await closing
    },
  }
})
