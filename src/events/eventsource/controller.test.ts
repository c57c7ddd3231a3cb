import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../apiserver/apiserver.testkit.ts'
import { EventSourceKind } from './event-source.ts'
import { buses, dataOf, type EventSourceWorld, eventSourceWorld, NAMESPACE, secrets } from './event-source.testkit.ts'

const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
})

async function worldWithBus(): Promise<EventSourceWorld> {
  const world = await eventSourceWorld()
  worlds.push(world)
  await world.bus()
  return world
}

const hook = { endpoint: '/hook', port: '12000', method: 'POST' }
const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
const answerOf = async (response: Response): Promise<string> => `${response.status} ${await response.text()}`

describe('a webhook', () => {
  test('answers with success when its event is on the bus, as a CloudEvent', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: { ...hook, metadata: { team: 'payments' } } } })
    const url = await world.url('hooks')
    expect(await answerOf(await post(`${url}/hook?x=1`, '{"a":1}'))).toBe('200 success')
    const [kept] = world.kept
    expect(kept?.to).toEqual({
      namespace: NAMESPACE,
      busName: 'default',
      eventSourceName: 'hooks',
      eventName: 'example',
    })
    expect(kept?.event.context).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      source: 'hooks',
      specversion: '1.0',
      type: 'webhook',
      datacontenttype: 'application/json',
      subject: 'example',
      time: new Date(world.clock.now()).toISOString(),
    })
    expect(kept && dataOf(kept)).toMatchObject({ body: { a: 1 }, metadata: { team: 'payments' } })
    await expect.poll(() => world.condition('hooks', 'SourcesProvided')).toBe('True : ')
    await expect.poll(() => world.condition('hooks', 'Deployed')).toBe('True : ')
    expect(world.metrics.text()).toContain(
      'argo_events_events_sent_total{event_name="example",eventsource_name="hooks",namespace="demo"} 1',
    )
  })

  test('is a Service with the ports that it asks for, and goes with its EventSource', async () => {
    const world = await worldWithBus()
    await world.source('hooks', {
      service: { metadata: { labels: { shown: 'yes' } }, ports: [{ name: 'web', port: 80, targetPort: 12_000 }] },
      webhook: { example: hook, other: { ...hook, port: '12001' } },
    })
    await world.url('hooks')
    const services = { group: '', version: 'v1', plural: 'services' }
    const service = valueOf(
      await world.client.get({ resource: services, namespace: NAMESPACE, name: 'hooks-eventsource-svc' }),
    )
    expect(service.metadata.labels).toMatchObject({ shown: 'yes', 'eventsource-name': 'hooks', 'owner-name': 'hooks' })
    expect(service.metadata.ownerReferences).toMatchObject([{ kind: 'EventSource', name: 'hooks', controller: true }])
    expect(service['spec']).toMatchObject({
      ports: [
        { name: 'web', port: 80 },
        { name: 'port-12001', port: 12_001 },
      ],
    })
    expect(await answerOf(await post(`${await world.url('hooks')}/hook`, '1'))).toBe('200 success')
    expect(await answerOf(await post(`${await world.url('hooks', 12_001)}/hook`, '2'))).toBe('200 success')
    expect(world.kept.map(({ to }) => to.eventName)).toEqual(['example', 'other'])
    await world.remove(EventSourceKind, 'hooks')
    await expect
      .poll(async () => {
        await world.settle()
        const read = await world.client.get({ resource: services, namespace: NAMESPACE, name: 'hooks-eventsource-svc' })
        return read.ok
      })
      .toBe(false)
  })

  test('answers what it cannot take, and keeps nothing of it', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: { ...hook, maxPayloadSize: 20 } } })
    const url = await world.url('hooks')
    expect(await answerOf(await fetch(`${url}/hook`))).toBe('400 http method does not match')
    expect(await answerOf(await post(`${url}/other`, '1'))).toBe('404 404 page not found\n')
    expect(await answerOf(await fetch(`${url}/health`))).toBe('200 OK')
    expect((await post(`${url}/hook`, '{"a"')).status).toBe(400)
    expect(await answerOf(await post(`${url}/hook`, JSON.stringify('x'.repeat(30))))).toBe('413 the body is too large')
    expect(await streamed(`${url}/hook`, ['"', 'x'.repeat(30), '"'])).toBe(413)
    expect(world.kept).toEqual([])
    expect(world.metrics.text()).toContain(
      'idp_events_refused_total{because="too-large",event_name="example",eventsource_name="hooks",namespace="demo"} 2',
    )
  })

  test('lets go of whoever sends too slowly, or breaks off', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: hook } })
    const { port } = new URL(await world.url('hooks'))
    const slow = connect(Number(port), '127.0.0.1')
    const heard: string[] = []
    slow.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    slow.write('POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"a')
    await expect
      .poll(async () => {
        await world.clock.advance(5_000)
        return heard.join('').split('\r\n')[0]
      })
      .toBe('HTTP/1.1 408 Request Timeout')
    slow.destroy()
    expect(world.kept).toEqual([])
  })

  test('asks for a token where one is named, and sees at once when it changes', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: { ...hook, authSecret: { name: 'token', key: 'value' } } } })
    const url = `${await world.url('hooks')}/hook`
    expect(await answerOf(await post(url, '1'))).toBe('500 Error loading auth token')
    await expect
      .poll(() => world.condition('hooks', 'Deployed'))
      .toBe('False SourceFailed: webhook/example: there is no Secret "token"')
    await world.secret('token', { value: 's3cret\n' })
    await expect.poll(() => world.condition('hooks', 'Deployed')).toBe('True : ')
    expect(await answerOf(await post(url, '1'))).toBe('401 Invalid Authorization Header')
    expect(await answerOf(await post(url, '1', { authorization: 'Bearer other' }))).toBe('401 Invalid Auth token')
    expect(await answerOf(await post(url, '1', { authorization: 'Bearer s3cret' }))).toBe('200 success')
    expect(world.kept.map(({ event }) => event.data).join()).not.toContain('s3cret')
    await world.remove(secrets, 'token')
    await expect.poll(() => world.condition('hooks', 'Deployed')).toMatch(/^False SourceFailed/)
  })

  test('is told to come back when the bus takes nothing', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: hook } })
    const url = `${await world.url('hooks')}/hook`
    world.refuseWith({ code: 'event-bus-missing', message: 'gone' })
    expect(await answerOf(await post(url, '1'))).toBe('500 failed to record event')
    world.refuseWith({ code: 'event-bus-full', message: 'full' })
    const full = await post(url, '1')
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '5'])
    world.refuseWith(undefined)
    expect((await post(url, '1')).status).toBe(200)
    expect(world.kept).toHaveLength(1)
  })

  test('leaves out what its filter does not want, and what the filter cannot judge', async () => {
    const world = await worldWithBus()
    const filter = { expression: 'body.severity == "high" && asInt(body.count) > 1' }
    await world.source('hooks', { webhook: { example: { ...hook, filter } } })
    const url = `${await world.url('hooks')}/hook`
    const bodies = [
      { severity: 'low', count: '2' },
      { severity: 'high', count: '2' },
      { severity: 'high', count: [] },
    ]
    for (const body of bodies) expect((await post(url, JSON.stringify(body))).status).toBe(200)
    expect(world.kept.map(dataOf)).toMatchObject([{ body: { severity: 'high', count: '2' } }])
    expect(world.complaints.map(({ message }) => message)).toContain('an event is left out, its filter failed')
    expect(await notes(world)).toEqual([expect.stringMatching(/^FilterFailed webhook\/example: /)])
  })

  test('follows its spec while its Service stays', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: hook } })
    const url = await world.url('hooks')
    await world.source('hooks', { webhook: { example: { ...hook, endpoint: '/v2/{id:[0-9]+}' } } })
    expect(await world.url('hooks')).toBe(url)
    expect((await post(`${url}/hook`, '1')).status).toBe(404)
    expect((await post(`${url}/v2/17`, '1')).status).toBe(200)
    expect((await post(`${url}/v2/x`, '1')).status).toBe(404)
  })
})

describe('a forge', () => {
  const body = '{"ref":"refs/heads/main"}'
  const headers = {
    'X-GitHub-Event': 'push',
    'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', 'k').update(body).digest('hex')}`,
  }
  const github = {
    webhook: hook,
    repositories: [{ owner: 'o', names: ['r'] }],
    webhookSecret: { name: 'forge', key: 'k' },
  }

  test('that sends a delivery again is answered with success, and makes no second event, after a restart neither', async () => {
    const world = await worldWithBus()
    await world.secret('forge', { k: 'k' })
    await world.source('forge', { github: { push: github } })
    const url = async () => `${await world.url('forge')}/hook`
    expect(await answerOf(await post(await url(), body, headers))).toBe('200 success')
    expect(await answerOf(await post(await url(), body, headers))).toBe('200 success')
    await world.restart()
    expect(await answerOf(await post(await url(), body, headers))).toBe('200 success')
    expect(world.kept).toHaveLength(1)
    expect((await post(await url(), body, { ...headers, 'X-GitHub-Delivery': 'another' })).status).toBe(200)
    expect(world.kept).toHaveLength(2)
    expect(world.kept[0]?.event.context).toMatchObject({ type: 'github', source: 'forge', subject: 'push' })
  })

  test('that cannot sign is turned away', async () => {
    const world = await worldWithBus()
    await world.secret('forge', { k: 'another' })
    await world.source('forge', { github: { push: github } })
    expect(await answerOf(await post(`${await world.url('forge')}/hook`, body, headers))).toBe(
      '400 payload signature check failed',
    )
    expect(await notes(world)).toEqual(['DeliveryRefused github/push: payload signature check failed'])
    expect(world.kept).toEqual([])
  })
})

describe('the status says', () => {
  test('that there is no bus, and that there is one now', async () => {
    const world = await eventSourceWorld()
    worlds.push(world)
    await world.source('hooks', { eventBusName: 'mine', webhook: { example: hook } })
    await expect.poll(() => world.condition('hooks', 'SourcesProvided')).toBe('True : ')
    await expect
      .poll(() => world.condition('hooks', 'Deployed'))
      .toBe('False EventBusNotFound: EventBus not found: there is no EventBus "mine" in the namespace.')
    await world.bus('mine')
    await expect.poll(() => world.condition('hooks', 'Deployed')).toBe('True : ')
    const target = { resource: buses, namespace: NAMESPACE, name: 'mine' }
    const conditions = [{ type: 'Deployed', status: 'False', reason: 'X', message: '' }]
    valueOf(
      await world.client.patch(
        { ...target, subresource: 'status' },
        { type: 'merge', body: { status: { conditions } } },
      ),
    )
    await expect.poll(() => world.condition('hooks', 'Deployed')).toBe('False EventBusNotReady: EventBus not ready.')
    await world.remove(buses, 'mine')
    await expect.poll(() => world.condition('hooks', 'Deployed')).toMatch(/^False EventBusNotFound/)
  })

  test('which field makes it invalid, where admission was not asked', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: { ...hook, port: 'x' } } })
    await expect
      .poll(() => world.condition('hooks', 'SourcesProvided'))
      .toBe('False InvalidEventSource: spec.webhook.example.port: "x" is not the number of a port')
    await expect.poll(() => world.condition('hooks', 'Deployed')).toBe('Unknown : ')
  })

  test('what is not run, while the rest is', async () => {
    const world = await worldWithBus()
    await world.source('mixed', { webhook: { example: hook }, sqs: { queue: {} }, gitea: { push: {} } })
    await world.url('mixed')
    await expect
      .poll(() => world.condition('mixed', 'Deployed'))
      .toBe('False UnsupportedEventSource: not run by this platform: gitea; sqs/queue')
    expect((await post(`${await world.url('mixed')}/hook`, '1')).status).toBe(200)
  })

  test('nothing new when nothing is', async () => {
    const world = await worldWithBus()
    await world.source('hooks', { webhook: { example: hook } })
    await world.url('hooks')
    const read = async () =>
      valueOf(await world.client.get({ resource: EventSourceKind, namespace: NAMESPACE, name: 'hooks' })).metadata
        .resourceVersion
    await world.settle()
    const before = await read()
    await world.restart()
    await world.url('hooks')
    expect(await read()).toBe(before)
  })
})

/** What Events say, as `Reason message`. */
async function notes(world: EventSourceWorld): Promise<readonly string[]> {
  await world.settle(10_000)
  const events = { resource: { group: '', version: 'v1', plural: 'events' }, namespace: NAMESPACE }
  return valueOf(await world.client.list(events)).items.map((one) => [one['reason'], one['message']].join(' '))
}

/** Sends a body in pieces, without saying how long it is; answers with the status. */
function streamed(url: string, pieces: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: 'POST' }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    for (const piece of pieces) sent.write(piece)
    sent.end()
  })
}
