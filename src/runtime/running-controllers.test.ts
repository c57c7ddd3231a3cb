import { expect, test } from 'vitest'
import { configMap, inDefault, testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import { seededIds } from '../lib/ids.ts'
import { silentLog } from '../lib/log.ts'
import type { ControllerPorts } from './controller-part.ts'
import { makeControllers } from './running-controllers.ts'

test('a part that asks for its recorder only when it runs is heard all the same', async () => {
  const { client, clock } = await testServer()
  const object = valueOf(await client.create(inDefault, configMap('a')))
  const late = (ports: ControllerPorts) => ({
    pending: () => [],
    async run(signal: AbortSignal) {
      await clock.sleep(1_000, { signal })
      ports.events('late').note(object, { type: 'Warning', reason: 'Late', message: 'but here' })
      await clock.sleep(3_600_000, { signal }).catch(() => {})
    },
  })
  const outer = { client, clock, ids: seededIds(), log: silentLog }
  const controllers = makeControllers<ControllerPorts>([{ name: 'late', does: 'comes late', make: late }], outer)
  const stopping = new AbortController()
  const running = controllers.run(stopping.signal)
  await clock.advance(10_000)
  const events = { resource: { group: '', version: 'v1', plural: 'events' }, namespace: 'default' }
  expect(valueOf(await client.list(events)).items).toMatchObject([{ reason: 'Late', message: 'but here' }])
  stopping.abort()
  await clock.advance(0)
  await running
})
