import type { Json } from '../../lib/json.ts'
import type { EventLog } from '../bus/event-log.ts'
import type { CursorRecord, LoggedEvent } from '../bus/record.ts'
import { advance, type Firing, type Held } from './advance.ts'
import type { CursorFile } from './cursor-file.ts'
import { deliver, type Delivered, type Deliverer, type DeliveryPorts } from './deliver.ts'
import { HEARTBEAT_SOURCE } from './heartbeat-event.ts'

/** What a runner is made with. */
export interface RunnerOptions {
  readonly bus: EventLog
  readonly by: Deliverer
  readonly ports: DeliveryPorts
  readonly cursor: CursorFile
  /** Where to begin when there is no cursor yet. */
  readonly beginAt: number
  /** Told of what was given up, after it is on disk. */
  readonly onDead: (because: string) => Promise<void>
  /** A heartbeat of its Sensor has come as far as here. */
  readonly onHeartbeat: (eventId: string) => void
}

const BATCH = 256
/** A cursor is saved after so many events even when none of them concerned its trigger. */
const SAVED_EVERY = 2_000
/** So many firings that need not be waited for are under way at once. */
const LOOSE = 16

/** Reads the bus for one trigger, in order, from where it had come to; what it says is done is on disk. */
export class TriggerRunner {
  readonly #options: RunnerOptions
  #position: number
  #saved: number
  #held: Held
  #isRunning = false
  #wake: (() => void) | undefined
  readonly #loose = new Set<Promise<unknown>>()
  readonly #replays: Replay[] = []

  constructor(options: RunnerOptions) {
    this.#options = options
    const { sensor, trigger } = options.by
    const known = options.cursor.read()
    const isMine = known?.uid === sensor.uid
    this.#position = isMine ? known.seq : options.beginAt
    this.#saved = isMine ? known.seq : -1
    const { namespace, busName } = sensor
    // From now on, and until it is told to leave: between two versions of a Sensor nothing is forgotten.
    options.bus.join(namespace, busName, this.#readerName, {
      position: () => this.#position,
      wake: () => this.#wake?.(),
    })
    // What was held for another condition, or for dependencies that were others, is let go.
    this.#held = new Map(isMine && known.digest === trigger.digest ? known.held : [])
  }

  get name(): string {
    return this.#options.by.trigger.name
  }

  /** Everything up to this place on the bus is done with. */
  get position(): number {
    return this.#position
  }

  /** The dependencies that have an event which waits for others. */
  get holds(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** Takes an event, or what a dead letter holds, once more, between the events of the bus. */
  async replay(what: LoggedEvent | Firing): Promise<readonly Delivered[]> {
    if (!this.#isRunning) return [{ end: 'stopped' }]
    return new Promise((resolve) => {
      this.#replays.push({ what, resolve })
      this.#wake?.()
    })
  }

  get #readerName(): string {
    return `${this.#options.by.trigger.owner}/${this.name}`
  }

  /** The bus does not wait for it any more: it does not run, and nobody knows when it will again. */
  leave(): void {
    const { namespace, busName } = this.#options.by.sensor
    this.#options.bus.leave(namespace, busName, this.#readerName)
  }

  /** Works until the signal is aborted; then nothing is under way, and what it did not end is done again the next time. */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true
    const stop = (): void => this.#wake?.()
    signal.addEventListener('abort', stop)
    try {
      // A trigger begins where it began, also when nothing has happened before the process is killed.
      if (this.#saved < 0) await this.#save()
      await this.#work(signal)
      await Promise.all(this.#loose)
      await this.#save()
    } finally {
      this.#isRunning = false
      signal.removeEventListener('abort', stop)
      for (const { resolve } of this.#replays.splice(0)) resolve([{ end: 'stopped' }])
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { bus, by } = this.#options
    const { namespace, busName } = by.sensor
    while (!signal.aborted) {
      const replay = this.#replays.shift()
      if (replay) replay.resolve(await this.#again(replay.what, signal))
      const batch = bus.after(namespace, busName, this.#position, BATCH)
      for (const logged of batch) {
        if (signal.aborted || !(await this.#take(logged, signal))) return
      }
      if (batch.length === BATCH) await new Promise<void>((resolve) => setImmediate(resolve))
      else if (batch.length === 0 && this.#replays.length === 0) await this.#idle(signal)
    }
  }

  async #idle(signal: AbortSignal): Promise<void> {
    this.#options.by.series.lagSeconds.set(0)
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  /** Deals with one event; false when it was stopped before the end, so that it comes again. */
  async #take(logged: LoggedEvent, signal: AbortSignal): Promise<boolean> {
    const { by, ports } = this.#options
    if (logged.eventSourceName === HEARTBEAT_SOURCE) {
      if (logged.eventName === by.sensor.name) this.#options.onHeartbeat(logged.event.context.id ?? '')
      return this.#pass(logged.seq)
    }
    const { steps, held } = advance(by.trigger, this.#held, logged)
    if (steps.length === 0) return this.#pass(logged.seq)
    by.series.lagSeconds.set((ports.clock.now() - logged.acceptedMs) / 1_000)
    this.#tell(logged, steps)
    const firings = steps.flatMap(({ firing }) => firing ?? [])
    if (!by.trigger.atLeastOnce && firings.length > 0) {
      // Once it is on disk that it is done, a crash cannot do it twice.
      await this.#reach(logged.seq, held)
      for (const firing of firings) await this.#fireLoosely(firing, logged, signal)
      return true
    }
    for (const firing of firings) if (!(await this.#fire(firing, logged, signal))) return false
    const isChanged = firings.length > 0 || held !== this.#held
    if (!isChanged) return this.#pass(logged.seq)
    const saving = this.#reach(logged.seq, held)
    // What is held is nowhere else once the log has forgotten it; a firing repeats itself without harm.
    if (firings.length === 0) await saving
    else saving.catch((error: unknown) => ports.log.error('a cursor cannot be written', error))
    return true
  }

  /** Steps over what did not concern it. */
  #pass(seq: number): true {
    this.#position = seq
    if (seq - this.#saved > SAVED_EVERY) {
      this.#save().catch((error: unknown) => this.#options.ports.log.error('a cursor cannot be written', error))
    }
    return true
  }

  #reach(seq: number, held: Held): Promise<void> {
    this.#position = seq
    this.#held = held
    return this.#save()
  }

  #save(): Promise<void> {
    const { sensor, trigger } = this.#options.by
    const record: CursorRecord = {
      is: 'cursor',
      uid: sensor.uid,
      seq: this.#position,
      digest: trigger.digest,
      held: [...this.#held],
    }
    this.#saved = this.#position
    return this.#options.cursor.save(record)
  }

  async #fire(firing: Firing, { acceptedMs }: LoggedEvent, signal: AbortSignal): Promise<boolean> {
    const { by, ports, onDead } = this.#options
    const delivered = await deliver(firing, by, ports, signal)
    if (delivered.end === 'stopped') return false
    if (delivered.end === 'fired') by.series.latency.observe((ports.clock.now() - acceptedMs) / 1_000)
    else await onDead(delivered.because)
    return true
  }

  async #fireLoosely(firing: Firing, logged: LoggedEvent, signal: AbortSignal): Promise<void> {
    while (this.#loose.size >= LOOSE) await Promise.race(this.#loose)
    const firingNow: Promise<unknown> = this.#fire(firing, logged, signal)
      .catch((error: unknown) => this.#options.ports.log.error('a trigger cannot be fired', error))
      .finally(() => this.#loose.delete(firingNow))
    this.#loose.add(firingNow)
  }

  /** An event runs through the condition as if it came anew, but nothing that is held is taken or kept for it. */
  async #again(what: LoggedEvent | Firing, signal: AbortSignal): Promise<readonly Delivered[]> {
    const { by, ports } = this.#options
    const firings =
      'fireId' in what ? [what] : advance(by.trigger, this.#held, what).steps.flatMap(({ firing }) => firing ?? [])
    const ends: Delivered[] = []
    for (const firing of firings) ends.push(await deliver(firing, by, ports, signal))
    return ends
  }

  #tell(logged: LoggedEvent, steps: ReturnType<typeof advance>['steps']): void {
    const { by, ports } = this.#options
    const { trace, clock } = ports
    const { owner: sensor, name: trigger } = by.trigger
    const eventId = logged.event.context.id ?? ''
    const atMs = clock.now()
    // Written out field by field: this is done for every event and trigger, whatever comes of it.
    for (const { dependency, verdict, does, because, has } of steps) {
      const { passes, checks } = verdict
      if (!passes) by.series.filtered.add()
      // Checks are plain data.
      const values = { passes, checks: checks as unknown as Json }
      const word = passes ? 'passes' : because
      trace({ atMs, eventId, sensor, trigger, dependency, step: 'filtered', because: word, values })
      if (!passes) continue
      const asked = { fires: does === 'fire', has: has ?? [dependency] }
      trace({ atMs, eventId, sensor, trigger, dependency, step: 'conditioned', because, values: asked })
    }
  }
}

interface Replay {
  readonly what: LoggedEvent | Firing
  readonly resolve: (ends: readonly Delivered[]) => void
}
