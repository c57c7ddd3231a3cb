import { describeError } from '../../lib/log.ts'
import { explain } from '../../lib/result.ts'
import type { EventLog } from '../bus/event-log.ts'
import { type DeadLetter, gone, keys, type LoggedEvent, type StoppedRecord } from '../bus/record.ts'
import type { Firing } from './advance.ts'
import type { CompiledSensor } from './compile-sensor.ts'
import { CursorFile } from './cursor-file.ts'
import type { Delivered, DeliveryPorts, Trouble } from './deliver.ts'
import { HEARTBEAT_SOURCE, heartbeatEvent } from './heartbeat-event.ts'
import { RateLimit } from './rate-limit.ts'
import type { triggerMetrics } from './sensor-metrics.ts'
import { TriggerRunner } from './trigger-runner.ts'

/** What a running Sensor is made with. */
export interface RunningSensorOptions {
  readonly sensor: CompiledSensor
  /** When the Sensor was created: events from then on are its. */
  readonly createdMs: number
  readonly bus: EventLog
  readonly ports: DeliveryPorts
  readonly metrics: ReturnType<typeof triggerMetrics>
  /** Told when there is something new to say in the status. */
  readonly onChange: () => void
}

/** How the last heartbeat went. */
export interface HeartbeatState {
  readonly isMissed: boolean
  readonly because: string
}

/** What a replay came to, for one trigger. */
export interface Replayed {
  readonly sensor: string
  readonly trigger: string
  readonly ends: readonly Delivered[]
}

/** A heartbeat is missed when it has not come through in so long. */
const HEARTBEAT_LIMIT_MS = 20_000
/** A runner that broke, on a disk that refused a write, begins again after so long. */
const RESTART_MS = 1_000

/** The triggers of one version of a Sensor, at work. */
export class RunningSensor {
  readonly sensor: CompiledSensor
  readonly #options: RunningSensorOptions
  #ended = new AbortController()
  readonly #troubles = new Map<string, Trouble>()
  #runners: readonly TriggerRunner[] = []
  #working: Promise<void> = Promise.resolve()
  #heartbeat: HeartbeatState | undefined
  #awaited: { readonly id: string; readonly triggers: Set<string>; readonly done: () => void } | undefined
  #stoppedBecause: string | undefined

  constructor(options: RunningSensorOptions) {
    this.#options = options
    this.sensor = options.sensor
  }

  /** What keeps triggers from firing, by trigger. */
  get troubles(): ReadonlyMap<string, Trouble> {
    return this.#troubles
  }

  get heartbeat(): HeartbeatState | undefined {
    return this.#heartbeat
  }

  /** How many places its slowest trigger is behind the newest event. */
  get behind(): number {
    const { head } = this.#options.bus
    return Math.max(0, ...this.#runners.map(({ position }) => head - position))
  }

  /** Why it does nothing any more until its spec changes. */
  get stoppedBecause(): string | undefined {
    return this.#stoppedBecause
  }

  start(): void {
    const { bus, sensor } = this.#options
    const { namespace, name, uid, generation, heartbeatMs } = sensor
    const stopped = bus.store.get(keys.stopped(namespace, name))?.value
    if (stopped?.is === 'stopped' && stopped.uid === uid && stopped.generation === generation) {
      this.#stoppedBecause = stopped.because
      return
    }
    const { signal } = this.#ended
    const found = bus.store.range(keys.sensor(namespace, name))
    const isNew = !found.ok || !found.entries.some(({ value }) => value.is === 'cursor' && value.uid === uid)
    const beginAt = isNew ? bus.placeBefore(namespace, sensor.busName, this.#options.createdMs) : bus.head
    this.#runners = sensor.triggers.map((trigger) => this.#runner(trigger, beginAt))
    const beating = heartbeatMs === undefined ? [] : [this.#beat(heartbeatMs, signal)]
    const running = this.#runners.map((runner, at) => this.#keepRunning(runner, at, signal))
    this.#working = Promise.all([...running, ...beating]).then(() => {})
  }

  /** Ends; nothing is under way afterwards, and what was not ended is done again by whoever runs it next. */
  async stop(): Promise<void> {
    this.#ended.abort(new Error('the Sensor is stopped'))
    await this.#working
  }

  /** The bus does not wait any more for triggers of it, but for those that go on in another version. */
  leave(goesOn: (trigger: string) => boolean = () => false): void {
    for (const runner of this.#runners) if (!goesOn(runner.name)) runner.leave()
  }

  /** What was given up has been dealt with by somebody: it is no trouble any more. */
  excuse({ trigger, events }: DeadLetter): void {
    const trouble = this.#troubles.get(trigger)
    const ids = events.map(([, { context }]) => context.id ?? '')
    const isAbout = trouble?.nextMs === undefined && trouble?.eventIds.some((id) => ids.includes(id)) === true
    if (isAbout) this.#trouble(trigger, undefined)
    else this.#options.onChange()
  }

  /** Takes an event or a dead letter to its triggers once more. */
  async replay(what: LoggedEvent | Firing, trigger?: string): Promise<readonly Replayed[]> {
    const chosen = this.#runners.filter((runner) => trigger === undefined || runner.name === trigger)
    const sensor = `${this.sensor.namespace}/${this.sensor.name}`
    return Promise.all(
      chosen.map(async (runner) => ({ sensor, trigger: runner.name, ends: await runner.replay(what) })),
    )
  }

  #runner(trigger: CompiledSensor['triggers'][number], beginAt: number): TriggerRunner {
    const { bus, ports, sensor, metrics } = this.#options
    const { namespace, name } = sensor
    return new TriggerRunner({
      bus,
      ports: { ...ports, log: ports.log.child({ ...sensor.loggingFields, sensor: `${namespace}/${name}` }) },
      cursor: new CursorFile(bus.store, { namespace, sensor: name, trigger: trigger.name }),
      beginAt,
      by: {
        sensor,
        trigger,
        rate: new RateLimit(ports.clock, trigger.intervalMs),
        series: metrics(namespace, name, trigger.name),
        trouble: (trouble) => this.#trouble(trigger.name, trouble),
      },
      onDead: (because) => this.#dead(trigger.name, because),
      onHeartbeat: (id) => this.#seen(trigger.name, id),
    })
  }

  async #keepRunning(runner: TriggerRunner, at: number, signal: AbortSignal): Promise<void> {
    const { ports, sensor } = this.#options
    for (let current = runner; !signal.aborted;) {
      try {
        await current.run(signal)
        return
      } catch (error) {
        if (signal.aborted) return
        ports.log.error('a trigger cannot go on', error, { trigger: current.name })
        const because = describeError(error)
        this.#trouble(current.name, { because, eventIds: [], attempts: 0, steps: 0 })
        await ports.clock.sleep(RESTART_MS, { signal }).catch(() => {})
      }
      // From what is on disk, not from what the broken one believed.
      const trigger = sensor.triggers[at]
      if (!trigger) return
      current = this.#runner(trigger, current.position)
      this.#runners = this.#runners.with(at, current)
    }
  }

  #trouble(trigger: string, trouble: Trouble | undefined): void {
    if (trouble) this.#troubles.set(trigger, trouble)
    else if (!this.#troubles.delete(trigger)) return
    this.#options.onChange()
  }

  async #dead(trigger: string, because: string): Promise<void> {
    const { sensor, bus } = this.#options
    if (!sensor.errorOnFailedRound) return
    const text = `trigger ${JSON.stringify(trigger)} failed and errorOnFailedRound is set: ${because}`
    const { uid, generation, namespace, name } = sensor
    const record: StoppedRecord = { is: 'stopped', uid, generation, because: text }
    await bus.store.put(keys.stopped(namespace, name), () => record, 'any')
    this.#stoppedBecause = text
    this.#ended.abort(new Error('a round failed'))
    this.leave()
    this.#options.onChange()
  }

  /** Lets a Sensor that stopped at a failed round go on from where it stood. */
  async forgive(): Promise<void> {
    if (this.#stoppedBecause === undefined) return
    const { namespace, name } = this.sensor
    await this.#working
    await this.#options.bus.store.delete(keys.stopped(namespace, name), () => gone, 'any')
    this.#stoppedBecause = undefined
    this.#ended = new AbortController()
    this.start()
    this.#options.onChange()
  }

  #seen(trigger: string, id: string): void {
    if (this.#awaited?.id !== id) return
    this.#awaited.triggers.delete(trigger)
    if (this.#awaited.triggers.size === 0) this.#awaited.done()
  }

  /** Sends a heartbeat through the bus to every trigger, again and again. */
  async #beat(everyMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.ports
    try {
      while (!signal.aborted) {
        const began = clock.now()
        await this.#beatOnce(Math.min(everyMs, HEARTBEAT_LIMIT_MS), signal)
        await clock.sleep(Math.max(began + everyMs - clock.now(), 0), { signal })
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #beatOnce(limitMs: number, signal: AbortSignal): Promise<void> {
    const { ports, bus, sensor } = this.#options
    const id = `${sensor.uid}-${ports.clock.now()}`
    const missing = new Set(sensor.triggers.map(({ name }) => name))
    const through = new Promise<void>((resolve) => (this.#awaited = { id, triggers: missing, done: resolve }))
    const address = {
      namespace: sensor.namespace,
      busName: sensor.busName,
      eventSourceName: HEARTBEAT_SOURCE,
      eventName: sensor.name,
    }
    const published = await bus
      .publish(address, heartbeatEvent(id, sensor.name, ports.clock.now()))
      .catch((error: unknown) => ({ ok: false as const, error: [{ code: '', message: describeError(error) }] }))
    if (!published.ok) {
      this.#heard({ isMissed: true, because: `the bus does not take it: ${published.error.map(explain).join('; ')}` })
      return
    }
    const waiting = new AbortController()
    const late = ports.clock.sleep(limitMs, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => {})
    await Promise.race([through, late])
    waiting.abort()
    if (signal.aborted) return
    if (missing.size === 0) this.#heard({ isMissed: false, because: 'it came through the bus to every trigger' })
    else this.#heard({ isMissed: true, because: this.#whyMissed([...missing], limitMs) })
  }

  #whyMissed(triggers: readonly string[], limitMs: number): string {
    const each = triggers.map((name) => {
      const trouble = this.#troubles.get(name)
      return `${JSON.stringify(name)}${trouble ? ` (busy: ${trouble.because})` : ''}`
    })
    return `it has not come to ${each.join(', ')} within ${limitMs / 1_000} s`
  }

  #heard(state: HeartbeatState): void {
    const isNews = state.isMissed !== this.#heartbeat?.isMissed || state.because !== this.#heartbeat.because
    this.#heartbeat = state
    if (isNews) this.#options.onChange()
  }
}
