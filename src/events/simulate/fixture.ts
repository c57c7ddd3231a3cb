import { isEqual, isObject, own } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { Feed } from './incoming.ts'
import type { SimulatedFiring, SimulatedSensor } from './simulate.ts'
import type { Simulation } from './simulation.ts'

/** What a playbook should do with events: a document of a `*.fixture.yaml` file. */
export interface Fixture {
  readonly name: string
  readonly events: readonly FixtureEvent[]
  /** Further files or folders with objects, beside those of the fixture's own folder. */
  readonly resources: readonly string[]
  readonly expect: readonly Expectation[]
}

/** An event of a fixture; its text is in a file or in the fixture. */
export interface FixtureEvent extends Omit<Feed, 'text'> {
  readonly file?: string
  readonly body?: unknown
}

/** A trigger that must fire, or must not, and what it does. */
export interface Expectation {
  readonly sensor?: string
  readonly trigger: string
  /** How often it fires. */
  readonly fires: number
  /** What the object, the request or the message has at least. */
  readonly object?: unknown
  readonly request?: unknown
  readonly message?: unknown
}

type Fields = Readonly<Record<string, unknown>>

/** One thing that is not as it should be; none where a fixture passes. */
export type Shortfall = string

const fieldsKnown: Readonly<Record<string, readonly string[]>> = {
  fixture: ['name', 'events', 'resources', 'expect'],
  event: ['source', 'namespace', 'file', 'body', 'headers', 'as', 'time', 'id'],
  expectation: ['sensor', 'trigger', 'fires', 'object', 'request', 'message'],
}

/** Reads a document of a fixture file. */
export function readFixture(document: unknown): Result<Fixture> {
  const problems: Problem[] = []
  const wrong = (at: string, message: string): void =>
    void problems.push({ code: 'event-fixture-invalid', at, message })
  if (!isObject(document)) return fail({ code: 'event-fixture-invalid', message: 'a fixture must be an object' })
  const unknown = (fields: Fields, of: string, at: string): void => {
    for (const key of Object.keys(fields))
      if (!fieldsKnown[of]?.includes(key))
        wrong(`${at}${key}`, `is not a field of ${of === 'fixture' ? 'a fixture' : `an ${of}`}`)
  }
  unknown(document, 'fixture', '')
  const list = (key: string): readonly Fields[] => {
    const value = own(document, key)
    if (Array.isArray(value) && value.length > 0 && value.every(isObject)) return value
    wrong(key, 'must be a list of objects that is not empty')
    return []
  }
  const events = list('events').map((event, index) => {
    const at = `events[${index}]`
    unknown(event, 'event', `${at}.`)
    if (typeof event['source'] !== 'string') wrong(`${at}.source`, 'must name EVENTSOURCE/EVENT')
    if ((event['file'] === undefined) === (event['body'] === undefined)) wrong(at, 'must have either a file or a body')
    for (const field of ['file', 'namespace', 'time', 'id', 'as'])
      if (event[field] !== undefined && typeof event[field] !== 'string') wrong(`${at}.${field}`, 'must be a text')
    if (![undefined, 'delivery', 'data'].includes(event['as'] as string | undefined))
      wrong(`${at}.as`, 'must be delivery or data')
    return event as unknown as FixtureEvent // its fields were looked at just now
  })
  const expect = list('expect').map((one, index): Expectation => {
    const at = `expect[${index}]`
    unknown(one, 'expectation', `${at}.`)
    const { trigger, fires = true } = one
    if (typeof trigger !== 'string') wrong(`${at}.trigger`, 'must name a trigger')
    if (typeof fires !== 'boolean' && !Number.isInteger(fires)) wrong(`${at}.fires`, 'must be true, false or a number')
    return { ...(one as unknown as Expectation), fires: Number(fires) } // as above
  })
  const { resources = [], name } = document
  if (!Array.isArray(resources) || !resources.every((path) => typeof path === 'string'))
    wrong('resources', 'must be a list of paths')
  if (typeof name !== 'string' || name === '') wrong('name', 'must say what the fixture shows')
  if (problems.length > 0) return fail(...problems)
  return succeed({ name: String(name), events, expect, resources: resources as readonly string[] })
}

/** Compares what would happen with what should: every trigger that fires has to be expected, and may do what it does. */
export function checkFixture(fixture: Fixture, simulation: Simulation): readonly Shortfall[] {
  const found: Shortfall[] = [...simulation.failures]
  const expected = new Set<string>()
  for (const one of fixture.expect) {
    const matching = simulation.sensors.filter(({ sensor }) => one.sensor === undefined || isNamed(sensor, one.sensor))
    const triggers = matching.flatMap((sensor) => triggersNamed(sensor, one.trigger))
    for (const { key } of triggers) expected.add(key)
    if (triggers.length === 0) {
      found.push(`no Sensor that hears the events has a trigger ${JSON.stringify(one.trigger)}`)
      continue
    }
    const firings = triggers.flatMap((trigger) => trigger.firings)
    if (firings.length !== one.fires) {
      found.push(
        `${one.trigger}: should fire ${times(one.fires)}, and fires ${times(firings.length)}${whyNot(triggers)}`,
      )
      continue
    }
    if (firings.length > 0) found.push(...differences(one, firings))
  }
  for (const sensor of simulation.sensors) {
    for (const { key, trigger, firings } of triggersNamed(sensor))
      if (firings.length > 0 && !expected.has(key))
        found.push(`${sensor.sensor}, trigger ${trigger}: fires, and nobody expects it`)
  }
  return [...new Set(found)]
}

const times = (count: number): string => (count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`)

/** `namespace/name`, or the name alone. */
const isNamed = (sensor: string, wanted: string): boolean => sensor === wanted || sensor.endsWith(`/${wanted}`)

interface Named {
  readonly key: string
  readonly trigger: string
  readonly firings: readonly SimulatedFiring[]
  readonly because: readonly string[]
}

function triggersNamed({ sensor, triggers }: SimulatedSensor, name?: string): readonly Named[] {
  return triggers
    .filter(({ trigger }) => name === undefined || trigger === name)
    .map(({ trigger, firings, steps }) => ({
      key: `${sensor} ${trigger}`,
      trigger,
      firings,
      because: steps.flatMap(({ does, because, checks, dependency }) => {
        const failed = checks
          .filter(({ passes }) => !passes)
          .map((check) => `${check.filter} ${check.at}: ${check.because}`)
        return does === 'fire' ? [] : [`${dependency}: ${[because, ...failed].join('; ')}`]
      }),
    }))
}

function whyNot(triggers: readonly Named[]): string {
  const reasons = triggers.flatMap(({ because }) => because)
  return reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
}

function differences(one: Expectation, firings: readonly SimulatedFiring[]): readonly Shortfall[] {
  const found: Shortfall[] = []
  for (const part of ['object', 'request', 'message'] as const) {
    const wanted = one[part]
    if (wanted === undefined) continue
    const closest = firings
      .map(({ action }) => lacks(action?.[part], wanted, part, 0))
      .toSorted((a, b) => a.length - b.length)[0]
    for (const each of closest ?? []) found.push(`${one.trigger}: ${each}`)
  }
  return found
}

const DEEPEST = 100
const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200))

/** What of the wanted is not in the actual: maps may have more, lists and the rest have to be the same. */
function lacks(actual: unknown, wanted: unknown, at: string, depth: number): readonly string[] {
  if (isObject(wanted) && isObject(actual) && depth < DEEPEST)
    return Object.entries(wanted).flatMap(([key, value]) => lacks(own(actual, key), value, `${at}.${key}`, depth + 1))
  if (Array.isArray(wanted) && Array.isArray(actual) && wanted.length === actual.length && depth < DEEPEST)
    return wanted.flatMap((value, index) => lacks(actual[index], value, `${at}[${index}]`, depth + 1))
  return isEqual(actual, wanted) ? [] : [`${at} should be ${shown(wanted)}, and is ${shown(actual)}`]
}
