import type { Client } from '../../../kube/client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { fieldsOf, isSet, textOf, textsOf } from '../../../lib/fields.ts'
import { timeFromMs } from '../../../lib/go-time.ts'
import { timeText } from '../../../lib/go-layout.ts'
import type { Zone } from '../../../lib/go-zone.ts'
import type { Log } from '../../../lib/log.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import type { Dispatch } from '../dispatch.ts'
import { retryDelayMs } from '../retry-delay.ts'
import type { MakeSource, Source } from '../source.ts'
import { metadataPart } from '../webhook/payload.ts'
import { readExclusions } from './exclusions.ts'
import { type LastTick, lastTick, timeOfTick } from './last-tick.ts'
import { readSchedule } from './schedule.ts'
import { nextTick, zoneOf } from './ticks.ts'

export interface CalendarPorts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
}

type Fields = Readonly<Record<string, unknown>>

/** Makes calendars: an event at every time of a schedule or an interval, none lost while the bus is away. */
export function calendarSource(ports: CalendarPorts): MakeSource {
  return ({ entry, object, dispatch, onTrouble }) => {
    const { namespace = '', name = '' } = object.metadata
    const memory = lastTick(entry.spec, { client: ports.client, namespace, key: `${name}.${entry.eventName}` })
    return new Calendar({ ...ports, spec: entry.spec, dispatch, onTrouble, ...(memory ? { memory } : {}) })
  }
}

interface CalendarParts extends CalendarPorts {
  readonly spec: Fields
  readonly dispatch: Dispatch
  readonly onTrouble: () => void
  readonly memory?: LastTick
}

class Calendar implements Source {
  readonly #parts: CalendarParts
  #trouble: string | undefined

  constructor(parts: CalendarParts) {
    this.#parts = parts
  }

  trouble(): string | undefined {
    return this.#trouble
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, spec } = this.#parts
    const schedule = readSchedule(spec)
    const exclusions = readExclusions(textsOf(spec, 'exclusionDates') ?? [])
    if (!schedule.ok || !exclusions.ok) throw new Error('the calendar was not checked before it was started')
    const zone = zoneOf(spec)
    const next = nextTick(schedule.value, exclusions.value, zone)
    const began = clock.now()
    let last = await this.#start(began, signal)
    while (!signal.aborted && last !== undefined) {
      const at = next(last)
      if (at === undefined) {
        this.#say('there is no such time in the next five years')
        return
      }
      if (at > clock.now()) await clock.sleep(at - clock.now(), { signal }).catch(() => {})
      if (signal.aborted) return
      await this.#tell(at, zone, signal)
      last = at
    }
  }

  /** The time after which events are due: now, or that of the last event if what was missed is to be caught up with. */
  async #start(nowMs: number, signal: AbortSignal): Promise<number | undefined> {
    const { memory, spec } = this.#parts
    if (!memory) return nowMs
    const catchup = fieldsOf(fieldsOf(spec, 'persistence'), 'catchup')
    const read = await this.#untilDone(() => memory.read(), signal)
    if (!read || signal.aborted) return undefined
    const lastMs = isSet(catchup, 'enabled') && read.value !== undefined ? timeOfTick(read.value) : undefined
    if (lastMs === undefined) return nowMs
    const longest = parseDuration(textOf(catchup, 'maxDuration'))
    const earliest = longest.ok ? nowMs - millisecondsOf(longest.value) : lastMs
    return Math.min(Math.max(lastMs, earliest), nowMs)
  }

  async #tell(at: number, zone: Zone, signal: AbortSignal): Promise<void> {
    const { spec, dispatch, memory, log } = this.#parts
    const eventTime = timeText(timeFromMs(at, zone))
    const data = `{"eventTime":${JSON.stringify(eventTime)}${metadataPart(spec['metadata'])}}`
    const told = await this.#untilDone(() => dispatch({ data, identity: `calendar ${at}`, timeMs: at }), signal)
    if (!told || !memory) return
    const remembered = await memory.write(data)
    // It is on its way; at worst it is told again after a restart, under the same id.
    if (!remembered.ok) log.warn('a calendar cannot remember', { because: remembered.error.map(explain).join('; ') })
    this.#say(remembered.ok ? undefined : sayOf(remembered.error))
  }

  /** Tries again until it succeeds; undefined when the signal came first. */
  async #untilDone<T>(
    act: () => Promise<
      { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: readonly Problem[] }
    >,
    signal: AbortSignal,
  ): Promise<{ readonly value: T } | undefined> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const made = await act()
      if (made.ok) {
        this.#say(undefined)
        return made
      }
      this.#say(sayOf(made.error))
      await this.#parts.clock.sleep(retryDelayMs(failures), { signal }).catch(() => {})
    }
    return undefined
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#parts.onTrouble()
  }
}

const sayOf = (problems: readonly Problem[]): string => problems.map(({ message }) => message).join('; ')
