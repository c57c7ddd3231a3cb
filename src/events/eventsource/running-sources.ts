import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Source } from '../sources/source.ts'

/** A source that is wanted, and how to make it. */
export interface WantedSource {
  readonly name: string
  /** Everything that decides what it does: with another one it is made anew. */
  readonly fingerprint: string
  readonly make: () => Source
}

interface Running {
  readonly fingerprint: string
  readonly source: Source
  /** What broke it, while it waits to begin again. */
  readonly broken: () => string | undefined
  readonly stop: () => Promise<void>
}

export interface RunningSourcesPorts {
  readonly clock: Clock
  readonly log: Log
  /** Told when a trouble has become another. */
  readonly onTrouble: () => void
}

/** How long a source that broke waits until it begins again. */
const BROKEN_MS = 10_000

/** The sources of one EventSource that are at work, each for as long as it is wanted as it is. */
export class RunningSources {
  readonly #running = new Map<string, Running>()
  readonly #ports: RunningSourcesPorts

  constructor(ports: RunningSourcesPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#running.size
  }

  /** Stops what is not wanted any more, or not as it is, and starts what is missing. They end with the signal. */
  async become(wanted: readonly WantedSource[], signal: AbortSignal): Promise<void> {
    const names = new Map(wanted.map((one) => [one.name, one]))
    for (const [name, running] of this.#running) {
      const next = names.get(name)
      if (next?.fingerprint === running.fingerprint) continue
      this.#running.delete(name)
      await running.stop()
      const source = next?.make()
      await this.#retire(name, running.source, source)
      if (next && source) this.#running.set(name, this.#start(next, source, signal))
    }
    for (const one of wanted) {
      if (!this.#running.has(one.name)) this.#running.set(one.name, this.#start(one, one.make(), signal))
    }
  }

  /** What keeps sources from their work, by name. */
  troubles(): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    for (const [name, { source, broken }] of this.#running) {
      const trouble = broken() ?? source.trouble()
      if (trouble !== undefined) found.set(name, trouble)
    }
    return found
  }

  /** The sources that have only begun. */
  starting(): readonly string[] {
    return [...this.#running].flatMap(([name, { source }]) =>
      source.isStarting?.() === true && source.trouble() === undefined ? [name] : [],
    )
  }

  /** Stops all. What they remember, and have left outside, stays: they will be back. */
  async pause(): Promise<void> {
    const all = [...this.#running.values()]
    this.#running.clear()
    await Promise.all(all.map(({ stop }) => stop()))
  }

  #start({ name, fingerprint }: WantedSource, source: Source, outer: AbortSignal): Running {
    this.#ports.log.info('a source begins', { source: name })
    const stopping = new AbortController()
    const signal = AbortSignal.any([outer, stopping.signal])
    const { clock, log, onTrouble } = this.#ports
    let broken: string | undefined
    const work = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await source.run(signal)
          return
        } catch (error) {
          if (signal.aborted) return
          log.error('a source broke, it will begin again', error, { source: name })
          broken = describeError(error)
        }
        onTrouble()
        await clock.sleep(BROKEN_MS, { signal }).catch(() => {})
        broken = undefined
      }
    }
    const ended = work()
    return {
      fingerprint,
      source,
      broken: () => broken,
      stop: async () => {
        stopping.abort(new Error('the source is not wanted any more'))
        await ended
      },
    }
  }

  async #retire(name: string, source: Source, next: Source | undefined): Promise<void> {
    try {
      await source.retire?.(next)
    } catch (error) {
      this.#ports.log.warn('a source could not be retired', { source: name, because: describeError(error) })
    }
  }
}
