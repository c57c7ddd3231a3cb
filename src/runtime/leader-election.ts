import type { Client, Collection, Target } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import type { ApiResult } from '../kube/status.ts'
import { formatMicroTime } from '../kube/time.ts'
import type { Clock } from '../lib/clock.ts'
import { isObject } from '../lib/json.ts'
import { describeError, type Log } from '../lib/log.ts'

export interface LeaderElectionOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Who we are; no two processes may share it. */
  readonly identity: string
  readonly namespace: string
  readonly name: string
  readonly timings?: LeaseTimings
}

/** How long others wait for a silent leader, when a leader that cannot renew gives up, and how often each tries. */
export interface LeaseTimings {
  readonly leaseMs: number
  readonly renewWithinMs: number
  readonly retryMs: number
}

/** The timings of Kubernetes' own controllers. */
export const leaseTimings: LeaseTimings = { leaseMs: 15_000, renewWithinMs: 10_000, retryMs: 2_000 }

/** What we know of the Lease, and when we saw it change by our own clock: the clocks of others are not trusted. */
interface Seen {
  readonly lease: KubeObject
  readonly holder: string
  readonly fingerprint: string
  readonly sinceMs: number
}

/*
 *            acquired                     cannot renew in time
 *  waiting ───────────▶ leading (lead runs) ───────────────────▶ lead is stopped, then waiting again
 *     ▲                                                   aborted: lead is stopped, the Lease is given back
 *     └── held by another, until it has not changed for as long as it says it lasts
 */

/**
 * Runs `lead` while this process holds the Lease. Its signal is aborted before another process can take over; the Lease is
 * given back only after `lead` has ended. Resolves when the signal is aborted; rejects when `lead` ends with an error.
 */
export async function leadByLease(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options)
  const { clock, log, timings = leaseTimings } = options
  while (!signal.aborted) {
    const asked = clock.now()
    if (!(await candidate.tryToHold(signal))) {
      await pause(clock, timings.retryMs, signal)
      continue
    }
    log.info('leading', { lease: `${options.namespace}/${options.name}` })
    const term = new AbortController()
    const stop = (): void => term.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const leading = lead(term.signal)
    // Whatever ends it, the term is over; the error is told below.
    const ended = leading.then(
      () => term.abort(new Error('the work is done')),
      (error: unknown) => term.abort(error),
    )
    await candidate.renewUntilLost(term, asked)
    signal.removeEventListener('abort', stop)
    await ended
    await candidate.giveBack()
    await leading
    if (!signal.aborted) log.warn('no longer leading', { because: describeError(term.signal.reason) })
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions
  readonly #timings: LeaseTimings
  readonly #place: Collection
  readonly #target: Target
  #seen: Seen | undefined
  #isHolding = false

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#timings = options.timings ?? leaseTimings
    const resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }
    this.#place = { resource, namespace: options.namespace }
    this.#target = { ...this.#place, name: options.name }
  }

  /** Takes or renews the Lease; false when another holds it, or the server cannot be asked. */
  async tryToHold(signal: AbortSignal): Promise<boolean> {
    const { client, clock, log, identity } = this.#options
    try {
      const found = await client.get(this.#target, { signal })
      if (!found.ok && found.error.reason !== 'NotFound') throw new Error(found.error.message)
      if (!found.ok)
        return this.#keep(await client.create(this.#place, this.#lease(undefined, clock.now()), { signal }))
      this.#look(found.value)
      const seen = this.#seen
      const isTaken = seen && seen.holder !== '' && seen.holder !== identity && clock.now() < this.#endOf(seen)
      if (isTaken) return (this.#isHolding = false)
      return this.#keep(await client.update(this.#target, this.#lease(found.value, clock.now()), { signal }))
    } catch (error) {
      if (!signal.aborted) log.warn('cannot reach the lease', { because: describeError(error) })
      return false
    }
  }

  /** Renews until the term is aborted, and aborts it when that has failed for too long. */
  async renewUntilLost(term: AbortController, heldSinceMs: number): Promise<void> {
    const { clock, identity } = this.#options
    const { retryMs, renewWithinMs } = this.#timings
    const { signal } = term
    // Counted from before the question, and armed through every wait: no answer must keep us leading past the end.
    const endAfter = (sinceMs: number): (() => void) =>
      clock.after(sinceMs + renewWithinMs - clock.now(), () =>
        term.abort(new Error(`the lease could not be renewed within ${renewWithinMs} ms`)),
      )
    const over = aborted(signal)
    let cancel = endAfter(heldSinceMs)
    while (!signal.aborted) {
      await pause(clock, retryMs, signal)
      const asked = clock.now()
      if (await Promise.race([this.tryToHold(signal), over])) {
        cancel()
        cancel = endAfter(asked)
      } else if (this.#seen && this.#seen.holder !== identity && !signal.aborted) {
        term.abort(new Error(`${this.#seen.holder || 'nobody'} holds the lease now`))
      }
    }
    cancel()
  }

  /** Lets the next one in without a wait; best effort, as the Lease runs out by itself. */
  async giveBack(): Promise<void> {
    if (!this.#isHolding || !this.#seen) return
    this.#isHolding = false
    const { client, log, clock } = this.#options
    const spec = {
      ...specOf(this.#seen.lease),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: formatMicroTime(clock.now()),
    }
    try {
      await client.update(this.#target, { ...this.#seen.lease, spec })
    } catch (error) {
      log.warn('cannot give the lease back', { because: describeError(error) })
    }
  }

  #keep(written: ApiResult<KubeObject>): boolean {
    if (written.ok) this.#look(written.value)
    // That another was first is how it goes; anything else has to be known.
    else if (written.error.reason !== 'Conflict' && written.error.reason !== 'AlreadyExists')
      this.#options.log.warn('cannot hold the lease', { because: written.error.message })
    this.#isHolding = written.ok
    return written.ok
  }

  #look(lease: KubeObject): void {
    const spec = specOf(lease)
    const holder = spec['holderIdentity']
    const fingerprint = JSON.stringify([
      spec['holderIdentity'],
      spec['renewTime'],
      spec['leaseTransitions'],
      lease.metadata.uid,
    ])
    const sinceMs = this.#seen?.fingerprint === fingerprint ? this.#seen.sinceMs : this.#options.clock.now()
    this.#seen = { lease, holder: typeof holder === 'string' ? holder : '', fingerprint, sinceMs }
  }

  /** By our own clock: it must not have changed for as long as its holder said, or we, whichever is longer. */
  #endOf({ lease, sinceMs }: Seen): number {
    const theirs = Number(specOf(lease)['leaseDurationSeconds'] ?? 0) * 1_000
    return sinceMs + Math.max(theirs, this.#timings.leaseMs)
  }

  #lease(now: KubeObject | undefined, atMs: number): object {
    const { identity, namespace, name } = this.#options
    const old = now ? specOf(now) : {}
    const isOurs = old['holderIdentity'] === identity
    const time = formatMicroTime(atMs)
    const spec = {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timings.leaseMs / 1_000),
      acquireTime: isOurs ? (old['acquireTime'] ?? time) : time,
      renewTime: time,
      leaseTransitions: Number(old['leaseTransitions'] ?? 0) + (now && !isOurs ? 1 : 0),
    }
    // With the resourceVersion that was read, so that of two candidates one is refused.
    return now
      ? { ...now, spec }
      : { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec }
  }
}

const specOf = (lease: KubeObject): Readonly<Record<string, unknown>> => (isObject(lease['spec']) ? lease['spec'] : {})

function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    else signal.addEventListener('abort', () => resolve(false), { once: true })
  })
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
