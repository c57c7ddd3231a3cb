// The process that the events story kills: events-crash-writer FOLDER NAME|drain. Tells every accepted event at once.
import { join } from 'node:path'
import { writeSync } from 'node:fs'
import { usualSettings } from '../../src/events/bus/bus-settings.ts'
import { EventLog } from '../../src/events/bus/event-log.ts'
import type { BusRecord } from '../../src/events/bus/record.ts'
import { compileSensor } from '../../src/events/sensor/compile-sensor.ts'
import { DeadLetters } from '../../src/events/sensor/dead-letters.ts'
import { RightsChecker } from '../../src/events/sensor/rights.ts'
import { RunningSensor } from '../../src/events/sensor/running-sensor.ts'
import { triggerMetrics } from '../../src/events/sensor/sensor-metrics.ts'
import { noTrace } from '../../src/events/sensor/trace-sink.ts'
import { triggerChecks } from '../../src/events/triggers/checks.ts'
import type { Client } from '../../src/kube/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { silentMetrics } from '../../src/lib/metrics.ts'
import { succeed } from '../../src/lib/result.ts'
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'
import type { Store } from '../../src/store/store.ts'

const [folder = '', name = ''] = process.argv.slice(2)
const tell = (line: string): void => void writeSync(1, `${line}\n`)
const NAMES = ['a', 'b']

async function open<V>(below: string): Promise<Store<V>> {
  const opened = await openLmdbStore<V>({ folder: join(folder, below), codec: jsonCodec() })
  if (opened.ok) return opened.value
  tell(`refused ${JSON.stringify(opened.error)}`)
  return process.exit(3)
}

const objects = await open<readonly string[]>('objects')
const store = await open<BusRecord>('bus')
const bus = new EventLog({ store, clock: systemClock, ids: systemIds, log: silentLog, metrics: silentMetrics })
bus.configure('team-a', 'default', usualSettings)

const { compiled: sensor } = compileSensor(
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Sensor',
    metadata: { namespace: 'team-a', name: 'reacts', uid: 'u1', generation: 1 },
    spec: {
      dependencies: NAMES.map((eventName) => ({ name: eventName, eventSourceName: 'web', eventName })),
      triggers: [
        { template: { name: 'each', conditions: 'a || b', log: {} } },
        { template: { name: 'both', conditions: 'a && b', log: {} } },
      ],
    },
  },
  { fill: () => succeed(''), template: succeed, checks: triggerChecks },
)
if (!sensor) throw new Error('the Sensor cannot be compiled')
// Nothing here asks the cluster.
const client = {} as Client
const running = new RunningSensor({
  sensor,
  createdMs: 0,
  bus,
  metrics: triggerMetrics(silentMetrics),
  onChange: () => {},
  ports: {
    client,
    clientAs: () => client,
    clock: systemClock,
    chance: () => 0,
    log: silentLog,
    fill: () => succeed(''),
    rights: new RightsChecker(client, systemClock),
    trace: noTrace,
    deadLetters: new DeadLetters(store),
    executors: {
      rightsOf: () => Promise.resolve([]),
      // Makes an object whose name says what it is of, as triggers do; that it is there already is as good.
      async fire({ template }, { events, fireId }) {
        const ids = [...events.values()].map((event) => event.context.id ?? '')
        await objects.put(`${template.name}/${fireId}`, () => ids, 'absent')
        return succeed({ because: 'made' })
      },
    },
  },
})
running.start()

async function send(sender: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const eventName = NAMES[(sender + turn) % NAMES.length] ?? ''
    const id = `${name}-${sender}-${turn}`
    const to = { namespace: 'team-a', busName: 'default', eventSourceName: 'web', eventName }
    const accepted = await bus.publish(to, { context: { id, source: 'web', subject: eventName }, data: '{}' })
    if (accepted.ok) tell(`accepted ${id}`)
  }
}

if (name === 'drain') {
  while (running.behind > 0) await systemClock.sleep(5)
  await running.stop()
  await Promise.all([store.close(), objects.close()])
} else await Promise.all([0, 1, 2].map(send))
