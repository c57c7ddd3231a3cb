import { afterEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../../apiserver/apiserver.testkit.ts'
import { dataOf, type EventSourceWorld, eventSourceWorld, NAMESPACE } from '../../eventsource/event-source.testkit.ts'
import { calendarSource } from './calendar-source.ts'

const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
})

async function worldWithBus(): Promise<EventSourceWorld> {
  const world = await eventSourceWorld((ports) => ({ makers: { calendar: calendarSource(ports) } }))
  worlds.push(world)
  await world.bus()
  return world
}

const SECOND = 1_000
const HOUR = 3_600_000
const timesOf = (world: EventSourceWorld): unknown[] =>
  world.kept.map((kept) => (dataOf(kept) as { readonly eventTime: string }).eventTime)
const persistence = { configMap: { name: 'memory', createIfNotExist: true }, catchup: { enabled: true } }

// The clock stands at 2026-01-01 00:00:01 when a world begins, a Thursday.
describe('a calendar', () => {
  test('makes an event at every time of its schedule, with its metadata', async () => {
    const world = await worldWithBus()
    await world.source('cal', { calendar: { daily: { schedule: '30 8 * * *', metadata: { a: 'b' } } } })
    await world.settle(49 * HOUR)
    expect(world.kept.map(dataOf)).toEqual([
      { eventTime: '2026-01-01 08:30:00 +0000 UTC', metadata: { a: 'b' } },
      { eventTime: '2026-01-02 08:30:00 +0000 UTC', metadata: { a: 'b' } },
    ])
    expect(world.kept[0]?.event.context).toMatchObject({
      type: 'calendar',
      source: 'cal',
      subject: 'daily',
      time: '2026-01-01T08:30:00.000Z',
    })
    await expect.poll(() => world.condition('cal', 'Deployed')).toBe('True : ')
  })

  test('makes an event at every interval', async () => {
    const world = await worldWithBus()
    await world.source('cal', { calendar: { often: { interval: '10s' } } })
    await world.settle(31 * SECOND)
    expect(world.kept).toHaveLength(3)
  })

  test('reads its schedule in its time zone, over the change of the clocks too', async () => {
    const world = await worldWithBus()
    await world.settle(Date.UTC(2026, 2, 27, 12) - world.clock.now())
    await world.source('cal', { calendar: { daily: { schedule: '0 9 * * *', timezone: 'Europe/Berlin' } } })
    await world.settle(72 * HOUR)
    expect(timesOf(world)).toEqual([
      '2026-03-28 09:00:00 +0100 CET',
      '2026-03-29 09:00:00 +0200 CEST',
      '2026-03-30 09:00:00 +0200 CEST',
    ])
  })

  test('is silent on the days that are excluded', async () => {
    const world = await worldWithBus()
    const exclusionDates = ['EXDATE:20260102T000000Z,20260103T120000Z', 'EXDATE:20260105T000000Z']
    await world.source('cal', { calendar: { daily: { schedule: '0 8 * * *', exclusionDates } } })
    await world.settle(6 * 24 * HOUR)
    expect(timesOf(world)).toEqual(['01', '04', '06'].map((day) => `2026-01-${day} 08:00:00 +0000 UTC`))
  })

  test('loses no event while the bus is away, and says so', async () => {
    const world = await worldWithBus()
    await world.source('cal', { calendar: { often: { interval: '1m' } } })
    world.refuseWith({ code: 'event-bus-full', message: 'the bus is full' })
    await world.settle(150 * SECOND)
    await expect
      .poll(() => world.condition('cal', 'Deployed'))
      .toBe('False SourceFailed: calendar/often: the bus is full')
    world.refuseWith(undefined)
    await world.settle(60 * SECOND)
    expect(timesOf(world)).toEqual(['01:01', '02:01', '03:01'].map((time) => `2026-01-01 00:${time} +0000 UTC`))
    await expect.poll(() => world.condition('cal', 'Deployed')).toBe('True : ')
  })

  test('begins anew with another schedule', async () => {
    const world = await worldWithBus()
    await world.source('cal', { calendar: { often: { interval: '1m' } } })
    await world.source('cal', { calendar: { often: { interval: '10s' } } })
    await world.settle(35 * SECOND)
    expect(world.kept).toHaveLength(3)
  })
})

describe('a calendar that remembers', () => {
  const configMap = {
    resource: { group: '', version: 'v1', plural: 'configmaps' },
    namespace: NAMESPACE,
    name: 'memory',
  }

  test('keeps its last event in a ConfigMap, and catches up with what it has missed', async () => {
    const world = await worldWithBus()
    await world.source('cal', { calendar: { hourly: { schedule: '0 * * * *', persistence } } })
    await world.settle(61 * 60 * SECOND)
    const read = valueOf(await world.client.get(configMap))
    expect(read['data']).toEqual({ 'cal.hourly': '{"eventTime":"2026-01-01 01:00:00 +0000 UTC"}' })
    await world.restart(3 * HOUR)
    expect(timesOf(world)).toEqual(['01', '02', '03', '04'].map((hour) => `2026-01-01 ${hour}:00:00 +0000 UTC`))
  })

  test('goes back no further than it is told, and reads what upstream has written', async () => {
    const world = await worldWithBus()
    const data = { 'cal.hourly': '{"eventTime":"2025-12-31 12:00:00.00012 +0000 UTC m=+12.5"}' }
    await world.put(configMap.resource, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'memory' }, data })
    const catchup = { enabled: true, maxDuration: '2h' }
    await world.source('cal', {
      calendar: { hourly: { schedule: '0 * * * *', persistence: { ...persistence, catchup } } },
    })
    expect(timesOf(world)).toEqual(['2025-12-31 23:00:00 +0000 UTC', '2026-01-01 00:00:00 +0000 UTC'])
  })

  test('does not catch up where that is not asked for', async () => {
    const world = await worldWithBus()
    const { configMap: named } = persistence
    await world.source('cal', { calendar: { hourly: { schedule: '0 * * * *', persistence: { configMap: named } } } })
    await world.settle(61 * 60 * SECOND)
    await world.restart(3 * HOUR)
    expect(world.kept).toHaveLength(1)
  })

  test('says that there is no ConfigMap, and begins when there is one', async () => {
    const world = await worldWithBus()
    const given = { configMap: { name: 'memory' }, catchup: { enabled: true } }
    await world.source('cal', { calendar: { often: { interval: '1m', persistence: given } } })
    await expect
      .poll(() => world.condition('cal', 'Deployed'))
      .toBe(
        'False SourceFailed: calendar/often: cannot remember the last event in ConfigMap "memory": there is none, and createIfNotExist is not set',
      )
    await world.put(configMap.resource, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'memory' } })
    await world.settle(120 * SECOND)
    await expect.poll(() => world.condition('cal', 'Deployed')).toBe('True : ')
    expect(world.kept.length).toBeGreaterThan(0)
  })
})
