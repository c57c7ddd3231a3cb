import { clientContract } from '../kube/client.contract.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { KubeObject } from '../kube/object.ts'
import { testServer } from './apiserver.testkit.ts'

clientContract('the client in process', async () => {
  const store = memoryStore<KubeObject>()
  const { server, client, clock } = await testServer({ store })
  return {
    client,
    async forgetHistory() {
      await clock.advance(0)
      await store.compact(store.revision)
    },
    pass: (ms) => clock.advance(ms),
    close: () => server.close(),
  }
})
