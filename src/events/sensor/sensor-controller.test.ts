import { afterEach, expect, test } from 'vitest'
import { refusal, sensorsWorld, type SensorsWorld, sensorYaml } from './sensors-world.testkit.ts'
import { succeed } from '../../lib/result.ts'

let world: SensorsWorld
afterEach(() => world.stop())

const either = "[{ template: { name: tell, conditions: 'a || b', log: {} } }]"
const retried =
  '[{ template: { name: tell, conditions: a, log: {} }, retryStrategy: { steps: 3, duration: 10s, factor: 2, jitter: 0 } }]'
const firedIds = (): readonly string[] => world.shots.map(({ ids }) => ids.join('+'))

test('a Sensor that can run is Ready, and its triggers fire in the order of the events', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(either))
  expect(await world.conditions()).toEqual({
    DependenciesProvided: 'True',
    TriggersProvided: 'True',
    Deployed: 'True',
    Subscribed: 'True',
    RightsGranted: 'True',
    Delivering: 'True',
    Ready: 'True',
  })
  for (const id of ['1', '2', '3']) await world.send(id === '2' ? 'b' : 'a', id)
  await world.send('c', '4')
  expect(firedIds()).toEqual(['1', '2', '3'])
  expect(world.metrics.text()).toContain(
    'argo_events_action_triggered_total{namespace="team-a",sensor_name="reacts",trigger_name="tell"} 3',
  )
})

test('an event that comes twice fires once', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(either))
  await world.send('a', '1')
  expect(await world.send('a', '1')).toEqual({ ok: true, value: { isRepeat: true } })
  expect(firedIds()).toEqual(['1'])
})

test('what cannot be compiled is refused at admission, with the exact reason', async () => {
  world = await sensorsWorld()
  const [made] = await world.attempt(sensorYaml("[{ template: { name: tell, conditions: 'a && nobody', log: {} } }]"))
  expect(made).toMatchObject({
    ok: false,
    error: {
      code: 422,
      message: expect.stringContaining('spec.triggers[0].template.conditions: "a && nobody" is no condition'),
    },
  })
})

test('what cannot be compiled and got in all the same is red, and runs once it is mended', async () => {
  world = await sensorsWorld({ admission: false })
  await world.apply(sensorYaml("[{ template: { name: tell, conditions: 'a &&', log: {} } }]"))
  const broken = await world.conditions()
  expect(broken['TriggersProvided']).toContain('False: InvalidTriggers: spec.triggers[0].template.conditions')
  expect(broken['Deployed']).toContain('False: InvalidSpec')
  expect(broken['Ready']).toContain('"a &&" is no condition: it ends where the name of a dependency is missing')
  // Nothing is lost meanwhile.
  await world.send('a', '1')
  expect(firedIds()).toEqual([])
  const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'sensors' }
  const body = { spec: { triggers: [{ template: { name: 'tell', conditions: 'a', log: {} } }] } }
  await world.client.patch({ resource, namespace: 'team-a', name: 'reacts' }, { type: 'merge', body })
  expect((await world.conditions())['Ready']).toBe('True')
  expect(firedIds()).toEqual(['1'])
})

test('a Sensor without its bus is red, and works once there is one', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(either, '  eventBusName: other'))
  expect((await world.conditions())['Deployed']).toContain('False: EventBusNotFound')
  await world.apply(`
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: { name: other, namespace: team-a }
spec: { nats: { native: {} } }
`)
  expect((await world.conditions())['Ready']).toBe('True')
})

test('a failure is tried again as the strategy says, with the reason and the next time in the status', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(retried))
  world.answer = () => refusal('no room')
  await world.send('a', '1')
  expect((await world.conditions())['Delivering']).toBe(
    'False: Retrying: trigger "tell", event 1: attempt 1 of 3 failed: no room [trigger-refused]; the next is at 2026-01-01T00:00:10.000Z',
  )
  await world.clock.advance(10_000)
  expect((await world.conditions())['Delivering']).toContain(
    'attempt 2 of 3 failed: no room [trigger-refused]; the next is at 2026-01-01T00:00:30.000Z',
  )
  world.answer = () => Promise.resolve(succeed({ because: 'told' }))
  await world.clock.advance(20_000)
  expect((await world.conditions())['Delivering']).toBe('True')
  expect(world.shots.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  expect(new Set(world.shots.map(({ fireId }) => fireId)).size).toBe(1)
})

test('what is given up is kept, the next event goes on, and a replay after the fix clears it', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(retried))
  world.answer = (_, { events }) =>
    [...events.values()].some(({ context }) => context.id === '1')
      ? refusal('no room')
      : Promise.resolve(succeed({ because: 'told' }))
  await world.send('a', '1')
  await world.send('a', '2')
  await world.clock.advance(30_000)
  await world.settle()
  expect(firedIds()).toEqual(['1', '1', '1', '2'])
  const [letter] = world.sensors().deadLetters.list('team-a')
  expect(letter).toMatchObject({ sensor: 'reacts', trigger: 'tell', attempts: 3, because: 'no room [trigger-refused]' })
  if (!letter) return
  world.answer = () => Promise.resolve(succeed({ because: 'told' }))
  const replayed = world.sensors().replayDead(letter)
  await world.settle()
  expect(await replayed).toMatchObject({ ok: true, value: { trigger: 'tell', ends: [{ end: 'fired' }] } })
  expect(world.shots.at(-1)).toMatchObject({ ids: ['1'], fireId: letter.id })
  expect(world.sensors().deadLetters.list('team-a')).toEqual([])
})

test('a dead letter that is dropped is no trouble any more', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml('[{ template: { name: tell, conditions: a, log: {} } }]'))
  world.answer = () => refusal('no room')
  await world.send('a', '1')
  expect((await world.conditions())['Delivering']).toBe(
    'False: GivenUp: trigger "tell", event 1: given up after 1 attempt: no room [trigger-refused]; 1 dead letter kept',
  )
  const [letter] = world.sensors().deadLetters.list('team-a')
  expect(letter && (await world.sensors().deadLetters.drop(letter))).toBe(true)
  expect((await world.conditions())['Ready']).toBe('True')
})

test('dead letters go to the trigger for them', async () => {
  world = await sensorsWorld()
  const dlq = 'dlqTrigger: { template: { name: last-words, log: {} } }'
  await world.apply(sensorYaml(`[{ template: { name: tell, conditions: a, log: {} }, ${dlq} }]`))
  world.answer = ({ template }) =>
    template.name === 'tell' ? refusal('no room') : Promise.resolve(succeed({ because: 'taken' }))
  await world.send('a', '1')
  expect(world.shots.map(({ trigger }) => trigger)).toEqual(['tell', 'last-words'])
  expect(world.sensors().deadLetters.list('team-a')).toMatchObject([{ dlq: 'taken' }])
})

test('a Sensor with errorOnFailedRound stops at a failure, also over a restart, until its dead letter is replayed', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml('[{ template: { name: tell, conditions: a, log: {} } }]', '  errorOnFailedRound: true'))
  world.answer = () => refusal('no room')
  await world.send('a', '1')
  await world.send('a', '2')
  expect((await world.conditions())['Subscribed']).toContain('False: FailedRound: trigger "tell" failed')
  await world.restart()
  expect((await world.conditions())['Subscribed']).toContain('False: FailedRound')
  expect(firedIds()).toEqual(['1'])
  world.answer = () => Promise.resolve(succeed({ because: 'told' }))
  const [letter] = world.sensors().deadLetters.list('team-a')
  if (!letter) throw new Error('there is no dead letter')
  const replayed = world.sensors().replayDead(letter)
  await world.settle()
  expect(await replayed).toMatchObject({ ok: true })
  await world.settle()
  expect(firedIds().toSorted()).toEqual(['1', '1', '2'])
  expect((await world.conditions())['Ready']).toBe('True')
})

test('at most once is tried once, and its failure is kept', async () => {
  world = await sensorsWorld()
  await world.apply(
    sensorYaml(
      '[{ template: { name: tell, conditions: a, log: {} }, atLeastOnce: false, retryStrategy: { steps: 5 } }]',
    ),
  )
  world.answer = () => refusal('no room')
  await world.send('a', '1')
  expect(firedIds()).toEqual(['1'])
  expect(world.sensors().deadLetters.list('team-a')).toHaveLength(1)
})

test('at most once that is cut short is kept, and not done again', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml('[{ template: { name: tell, conditions: a, log: {} }, atLeastOnce: false }]'))
  world.answer = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')))
    })
  await world.send('a', '1')
  await world.restart()
  expect(firedIds()).toEqual(['1'])
  expect(world.sensors().deadLetters.list('team-a')).toMatchObject([
    { because: 'the Sensor ended while it was fired: it may have happened or not' },
  ])
})

test('a rate limit spaces firings', async () => {
  world = await sensorsWorld()
  await world.apply(
    sensorYaml(
      '[{ template: { name: tell, conditions: a, log: {} }, rateLimit: { unit: Minute, requestsPerUnit: 6 } }]',
    ),
  )
  for (const id of ['1', '2', '3']) await world.send('a', id)
  expect(firedIds()).toEqual(['1'])
  await world.clock.advance(10_000)
  expect(firedIds()).toEqual(['1', '2'])
  await world.clock.advance(10_000)
  expect(firedIds()).toEqual(['1', '2', '3'])
})

test('what is held for a condition survives a restart; what was fired is not fired again', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml('[{ template: { name: tell, log: {} } }]'))
  await world.send('a', '1')
  await world.restart()
  await world.send('b', '2')
  expect(firedIds()).toEqual(['1+2'])
  await world.restart()
  expect(firedIds()).toEqual(['1+2'])
})

test('a Sensor gets the events since it was made, and a namesake begins anew', async () => {
  world = await sensorsWorld()
  await world.send('a', '1')
  await world.clock.advance(5_000)
  await world.apply(sensorYaml(either))
  await world.send('a', '2')
  expect(firedIds()).toEqual(['2'])
  const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'sensors' }
  await world.client.delete({ resource, namespace: 'team-a', name: 'reacts' })
  await world.settle()
  await world.clock.advance(5_000)
  await world.send('a', '3')
  await world.clock.advance(5_000)
  await world.apply(sensorYaml(either))
  await world.send('a', '4')
  expect(firedIds()).toEqual(['2', '4'])
})

test('a missing right is red with the rule that is missing, nothing is made, and a Role mends it', async () => {
  world = await sensorsWorld()
  const configMap = '{ apiVersion: v1, kind: ConfigMap, metadata: { generateName: made- } }'
  const trigger = `{ name: make, conditions: a, k8s: { operation: create, source: { resource: ${configMap} } } }`
  await world.apply(sensorYaml(`[{ template: ${trigger} }]`))
  expect((await world.conditions())['RightsGranted']).toBe(
    'False: MissingRights: trigger "make": ServiceAccount team-a/default may not create configmaps in namespace team-a; ' +
      'give it a Role in namespace team-a with apiGroups: [""] resources: ["configmaps"] verbs: ["create"]',
  )
  await world.send('a', '1')
  const [letter] = world.sensors().deadLetters.list('team-a')
  expect(letter?.because).toContain('may not create configmaps in namespace team-a')
  await world.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: makes, namespace: team-a }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [create, get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: makes, namespace: team-a }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: makes }
subjects: [{ kind: ServiceAccount, name: default, namespace: team-a }]
`)
  expect((await world.conditions())['RightsGranted']).toBe('True')
  if (!letter) throw new Error('there is no dead letter')
  const replayed = world.sensors().replayDead(letter)
  await world.settle()
  expect(await replayed).toMatchObject({ ok: true, value: { ends: [{ end: 'fired' }] } })
  const made = await world.client.list({
    resource: { group: '', version: 'v1', plural: 'configmaps' },
    namespace: 'team-a',
  })
  expect(made.ok && made.value.items.filter(({ metadata }) => metadata.name?.startsWith('made-'))).toHaveLength(1)
})

test('parameters fill the template of a trigger', async () => {
  world = await sensorsWorld()
  const parameters = '[{ src: { dependencyName: a, dataKey: size, useRawData: true }, dest: log.intervalSeconds }]'
  await world.apply(sensorYaml(`[{ template: { name: tell, conditions: a, log: {} }, parameters: ${parameters} }]`))
  await world.send('a', '1', { size: 7 })
  expect(world.shots[0]?.template['log']).toEqual({ intervalSeconds: 7 })
  // Nothing is there for the next: it is not fired, and not tried again.
  await world.send('a', '2', {})
  expect(world.shots).toHaveLength(1)
  expect(world.sensors().deadLetters.list('team-a')).toMatchObject([{ attempts: 1 }])
})

test('an event goes once more to the Sensors of its namespace', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml(either))
  await world.send('a', '1')
  const replaying = world.sensors().replay('team-a', '1')
  await world.settle()
  expect(await replaying).toMatchObject({ ok: true, value: [{ sensor: 'team-a/reacts', ends: [{ end: 'fired' }] }] })
  expect(new Set(world.shots.map(({ fireId }) => fireId)).size).toBe(1)
  expect(await world.sensors().replay('team-a', 'nobody')).toMatchObject({
    ok: false,
    error: [{ code: 'event-unknown' }],
  })
})

test('a heartbeat comes through; a trigger that is stuck misses it within a minute, and recovers by itself', async () => {
  world = await sensorsWorld()
  const stuck =
    '[{ template: { name: tell, conditions: a, log: {} }, retryStrategy: { steps: 2, duration: 2m, jitter: 0 } }]'
  await world.apply(sensorYaml(stuck, '', '{ idp-blueprint.io/heartbeat: 30s }'))
  expect((await world.conditions())['Heartbeat']).toBe('True')
  expect(world.shots).toEqual([])
  world.answer = () => refusal('no room')
  await world.send('a', '1')
  await world.clock.advance(60_000)
  expect((await world.conditions())['Heartbeat']).toBe(
    'False: Missed: it has not come to "tell" (busy: no room [trigger-refused]) within 20 s',
  )
  expect((await world.conditions())['Ready']).toContain('False')
  world.answer = () => Promise.resolve(succeed({ because: 'told' }))
  await world.clock.advance(120_000)
  expect((await world.conditions())['Heartbeat']).toBe('True')
  expect((await world.conditions())['Ready']).toBe('True')
})

test('every step of an event is traced, with the values compared', async () => {
  world = await sensorsWorld()
  await world.apply(sensorYaml('[{ template: { name: tell, log: {} } }]'))
  await world.send('a', '1')
  await world.send('b', '2')
  expect(world.traced.map(({ eventId, step, because }) => `${eventId} ${step}: ${because}`)).toEqual([
    '1 filtered: passes',
    '1 conditioned: a && b does not hold yet with a',
    '2 filtered: passes',
    '2 conditioned: a && b holds with a, b',
    '1 resolved: log as ServiceAccount default',
    '2 resolved: log as ServiceAccount default',
    '1 fired: told',
    '2 fired: told',
  ])
})

const makes = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: makes, namespace: team-a }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [create, get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: makes, namespace: team-a }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: makes }
subjects: [{ kind: ServiceAccount, name: default, namespace: team-a }]
`
const maker = (policy: string): string => {
  const configMap = '{ apiVersion: v1, kind: ConfigMap, metadata: { name: made } }'
  const template = `{ name: make, conditions: a, k8s: { operation: create, source: { resource: ${configMap} } } }`
  return sensorYaml(`[{ template: ${template}, policy: { k8s: { labels: { phase: done }, ${policy} } } }]`)
}
const waits = 'backoff: { steps: 3, duration: 10s, factor: 1, jitter: 0 }'
const configMaps = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'team-a', name: 'made' }

test('a policy waits for the labels of what was made; the next event comes after', async () => {
  world = await sensorsWorld()
  await world.apply(makes)
  await world.apply(maker(waits))
  await world.send('a', '1')
  await world.send('a', '2')
  expect(firedIds()).toEqual(['1'])
  await world.client.patch(configMaps, { type: 'merge', body: { metadata: { labels: { phase: 'done' } } } })
  await world.clock.advance(10_000)
  expect(firedIds()).toEqual(['1', '2'])
  expect(world.traced.find(({ step }) => step === 'fired')?.because).toContain('its labels are as the policy asks')
})

test.each([
  ['', 0],
  ['errorOnBackoffTimeout: true, ', 1],
])('labels that do not come in time, %s: %i dead letters', async (timeout, letters) => {
  world = await sensorsWorld()
  await world.apply(makes)
  await world.apply(maker(timeout + waits))
  await world.send('a', '1')
  await world.clock.advance(60_000)
  expect(world.sensors().deadLetters.list('team-a')).toHaveLength(letters)
  expect(
    world
      .sensors()
      .deadLetters.list('team-a')
      .every(({ because }) => because.includes('has not got the label phase=done')),
  ).toBe(true)
})

test('looking at the labels needs a right of its own, which is named', async () => {
  world = await sensorsWorld()
  await world.apply(makes.replace('[create, get]', '[create]'))
  await world.apply(maker(waits))
  expect((await world.conditions())['RightsGranted']).toContain('may not get configmaps')
})

test('a status that the policy does not allow is a failure', async () => {
  world = await sensorsWorld()
  const template = "{ name: call, conditions: a, http: { url: 'http://service.team-a.svc/', method: POST } }"
  await world.apply(sensorYaml(`[{ template: ${template}, policy: { status: { allow: [200, 201] } } }]`))
  world.http = 503
  await world.send('a', '1')
  expect(world.sensors().deadLetters.list('team-a')).toMatchObject([
    { because: expect.stringContaining('the policy allows 200, 201, not 503') },
  ])
  world.http = 201
  await world.send('a', '2')
  expect(world.sensors().deadLetters.list('team-a')).toHaveLength(1)
})

test('an EventBus says what it runs on, whatever it asks for', async () => {
  world = await sensorsWorld()
  const [made, refused] = await world.attempt(`
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: { name: asks, namespace: team-a }
spec: { kafka: { url: 'kafka:9092' } }
---
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: { name: wrong, namespace: team-a }
spec: { jetstream: {} }
`)
  expect(refused).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining('spec.jetstream.version is missing') },
  })
  const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'eventbus' }
  const found = await world.client.get({ resource, namespace: 'team-a', name: 'asks' })
  expect(made?.ok && found.ok && found.value['status']).toMatchObject({
    conditions: [
      { type: 'Configured', status: 'True' },
      {
        type: 'Deployed',
        status: 'True',
        reason: 'EmbeddedLog',
        message:
          "asks for kafka: runs on the platform's embedded log, which keeps at most 50000 events, 268435456 bytes, 168 hours",
      },
    ],
  })
})

test('a trigger that breaks is tried again and then kept, and the others go on', async () => {
  world = await sensorsWorld()
  await world.apply(
    sensorYaml(
      '[{ template: { name: tell, conditions: a, log: {} } }, { template: { name: too, conditions: a, log: {} } }]',
    ),
  )
  world.answer = ({ template }) =>
    template.name === 'tell' ? Promise.reject(new Error('a bug')) : Promise.resolve(succeed({ because: 'told' }))
  await world.send('a', '1')
  expect(world.sensors().deadLetters.list('team-a')).toMatchObject([
    { trigger: 'tell', because: 'a bug [trigger-failed]' },
  ])
  expect(world.shots.map(({ trigger }) => trigger).toSorted()).toEqual(['tell', 'too'])
})
