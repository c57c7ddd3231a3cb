import type { Client, Collection } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import { failure, type Status } from '../kube/status.ts'
import { formatTime } from '../kube/time.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { describeError, type Log } from '../lib/log.ts'
import { done, retry, type Turn, WorkQueue } from './work-queue.ts'

/** Something that a user who looks at an object should know happened to it. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** One word in camel case, such as `FailedMount`. */
  readonly reason: string
  readonly message: string
}

/** Writes Kubernetes Events. Noting one never fails and never waits. */
export interface EventRecorder {
  note(about: KubeObject, note: EventNote): void
  /** Writes what was noted until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

export interface EventRecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** The controller that tells. */
  readonly component: string
}

/** The same note on the same object: one Event with a count. */
interface Tally {
  readonly about: KubeObject
  readonly note: EventNote
  readonly firstMs: number
  lastMs: number
  count: number
  /** What is in the cluster, and how often it says so. */
  written?: { readonly metadata: KubeObject['metadata']; readonly count: number }
  failures: number
}

const events: Collection['resource'] = { group: '', version: 'v1', plural: 'events' }

/** A repetition is written at most this often. */
const REPEAT_MS = 5_000
/** So many different messages of one reason are told one by one; then they are told as one. */
const DISTINCT_MESSAGES = 10
const DISTINCT_WITHIN_MS = 600_000
const REMEMBERED = 4_096
const LONGEST_MESSAGE = 1_024
const ATTEMPTS = 5

/** Makes a recorder that writes in the name of a component. */
export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, ids, log, component } = options
  const tallies = new Map<string, Tally>()
  const messages = new Map<string, { readonly sinceMs: number; readonly texts: Set<string> }>()

  const write = async (key: string, signal: AbortSignal): Promise<Turn> => {
    const tally = tallies.get(key)
    if (!tally || tally.written?.count === tally.count) return done
    const refused = await put(tally, signal)
    if (!refused) return done
    tally.failures += 1
    const isHopeless = refused.code >= 400 && refused.code < 500 && refused.code !== 409 && refused.code !== 429
    if (isHopeless || tally.failures >= ATTEMPTS) {
      log.warn('an event is dropped', { reason: tally.note.reason, because: refused.message })
      tallies.delete(key)
      return done
    }
    return retry(refused.message)
  }

  const put = async (tally: Tally, signal: AbortSignal): Promise<Status | undefined> => {
    const { count } = tally
    try {
      const event = eventOf(tally, tally.written?.metadata ?? newMetadata(tally, ids), component)
      const collection = { resource: events, namespace: event.metadata.namespace ?? 'default' }
      const answer = tally.written
        ? await client.update({ ...collection, name: event.metadata.name ?? '' }, event, { signal })
        : await client.create(collection, event, { signal })
      if (answer.ok) tally.written = { metadata: event.metadata, count }
      // Events live for an hour; the next one begins anew.
      else if (tally.written && answer.error.reason === 'NotFound') {
        delete tally.written
        return await put(tally, signal)
      }
      if (answer.ok) tally.failures = 0
      return answer.ok ? undefined : answer.error
    } catch (error) {
      return failure('ServiceUnavailable', describeError(error))
    }
  }

  const queue = new WorkQueue({ clock, work: write, concurrency: 2 })

  const combined = (about: KubeObject, note: EventNote): EventNote => {
    const group = JSON.stringify([identityOf(about), note.type, note.reason])
    const known = messages.get(group)
    const isOld = !known || clock.now() - known.sinceMs > DISTINCT_WITHIN_MS
    const { sinceMs, texts } = isOld ? { sinceMs: clock.now(), texts: new Set<string>() } : known
    remember(messages, group, { sinceMs, texts })
    if (texts.size < DISTINCT_MESSAGES) texts.add(note.message)
    if (texts.has(note.message)) return note
    return { ...note, message: `(combined from similar events): ${note.message}` }
  }

  return {
    note(about, given) {
      const cut =
        given.message.length > LONGEST_MESSAGE ? `${given.message.slice(0, LONGEST_MESSAGE - 3)}...` : given.message
      const note = combined(about, { ...given, message: cut })
      const isCombined = note.message !== cut
      const key = JSON.stringify([identityOf(about), note.type, note.reason, isCombined ? true : note.message])
      const now = clock.now()
      const known = tallies.get(key)
      const tally: Tally = known
        ? Object.assign(known, { note, count: known.count + 1, lastMs: now })
        : { about, note, firstMs: now, lastMs: now, count: 1, failures: 0 }
      remember(tallies, key, tally)
      if (known?.written) queue.addAfter(key, REPEAT_MS, 'repetitions are told together')
      else queue.add(key)
    },
    run: (signal) => queue.run(signal),
  }
}

function identityOf({ apiVersion, kind, metadata }: KubeObject): readonly unknown[] {
  return [apiVersion, kind, metadata.namespace, metadata.name, metadata.uid]
}

/** Without a version or a uid: nobody else writes our Events, and one that has expired may be made again. */
function newMetadata({ about, firstMs }: Tally, ids: Ids): KubeObject['metadata'] {
  const name = `${(about.metadata.name ?? 'unknown').slice(0, 220)}.${firstMs.toString(16)}${ids.suffix()}`
  return { name, namespace: about.metadata.namespace ?? 'default' }
}

function eventOf(
  { about, note, firstMs, lastMs, count }: Tally,
  metadata: KubeObject['metadata'],
  component: string,
): KubeObject {
  const { namespace, name, uid, resourceVersion } = about.metadata
  const involvedObject = { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion }
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: Object.fromEntries(Object.entries(involvedObject).filter(([, value]) => value !== undefined)),
    ...note,
    source: { component },
    reportingComponent: component,
    firstTimestamp: formatTime(firstMs),
    lastTimestamp: formatTime(lastMs),
    count,
  }
}

/** Sets a value as the newest; the oldest goes when there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest)
}
