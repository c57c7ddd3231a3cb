import { type FieldError, forbidden, invalid, notSupported } from '../../kube/schema/field-error.ts'
import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { failure, type Status } from '../../kube/status.ts'
import type { Change } from '../../store/store.ts'
import type { Kernel } from '../kernel.ts'
import { expired, invalidOptions, pathNotFound } from '../refusals.ts'
import {
  type ApiRequest,
  type ApiResponse,
  refused,
  type RequestOptions,
  type StreamEvent,
  type WatchSink,
} from '../request.ts'
import type { ResourceStorage, ServedResource } from '../resources/resource.ts'
import { collectionPrefix } from '../storage/keys.ts'
import { selectionOf } from '../storage/selection.ts'
import { withRevision } from '../storage/stamp.ts'
import { withForms } from './forms.ts'
import { parseRevision } from './get.ts'

/** Without a timeout of its own a watch lives between half an hour and an hour, so that not all return at once. */
const SHORTEST_WATCH_S = 1_800

/** Follows a collection from a revision on, or from its state now. */
export function watch(kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  const { storage } = resource
  if (!storage) return refused(pathNotFound())
  const { options } = request
  const causes = checkOptions(options)
  if (causes.length > 0) return refused(invalidOptions('ListOptions', causes))
  const selection = selectionOf(resource, options, request.name)
  if (!selection.ok) return refused(selection.error)
  const plan: Plan = {
    kernel,
    resource,
    storage,
    options,
    prefix: collectionPrefix(storage.prefix, request.namespace),
    matches: selection.value.matches,
    asked: parseRevision(options.resourceVersion ?? '') ?? 0,
  }
  return { answer: 'watch', watch: { start: (sink) => follow(plan, sink) } }
}

interface Plan {
  readonly kernel: Kernel
  readonly resource: ServedResource
  readonly storage: ResourceStorage
  readonly options: RequestOptions
  readonly prefix: string
  readonly matches: ((object: KubeObject) => boolean) | undefined
  /** The revision asked for; 0 for none. */
  readonly asked: number
}

function checkOptions({
  sendInitialEvents,
  resourceVersionMatch: match = '',
  resourceVersion = '',
}: RequestOptions): readonly FieldError[] {
  if (sendInitialEvents === undefined) {
    if (match !== '')
      return [
        forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      ]
  } else if (match === '') {
    return [
      forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    ]
  } else if (match !== 'NotOlderThan') {
    return [notSupported('resourceVersionMatch', match, ['NotOlderThan'])]
  }
  if (resourceVersion !== '' && parseRevision(resourceVersion) === undefined)
    return [invalid('resourceVersion', resourceVersion, 'must be a number')]
  return []
}

function follow(plan: Plan, sink: WatchSink): () => void {
  const { kernel, options, asked } = plan
  const { store, clock } = kernel
  const sendsState = options.sendInitialEvents ?? asked === 0
  const from = sendsState || asked === 0 ? store.revision : asked
  let reached = from
  const fail = (status: Status): void => {
    stop()
    sink.events([{ type: 'ERROR', object: status }])
    sink.end()
  }
  const delivery = plan.storage.converter ? inTurn(plan, sink, fail) : atOnce(plan, sink)
  if (sendsState) {
    const objects = objectsNow(plan)
    delivery.deliver(
      () => objects,
      (ready) => stateOf(ready, objects),
    )
    if (options.sendInitialEvents) delivery.deliver(none, () => [bookmark(plan.resource, from, true)])
  }
  const watching = store.watch(plan.prefix, Math.min(from, store.revision), (changes, revision) => {
    const after = changes.filter((change) => change.revision > from)
    reached = Math.max(reached, revision)
    if (after.length > 0) {
      delivery.deliver(
        () => after.flatMap(({ value, previous }) => (previous ? [previous, value] : [value])),
        (ready) => after.flatMap((change) => eventOf(ready, change) ?? []),
      )
    }
  })
  if (!watching.ok) {
    delivery.stop()
    sink.events([{ type: 'ERROR', object: expired(`too old resource version: ${asked} (${watching.oldest})`) }])
    sink.end()
    return () => {}
  }
  let told = 0
  const tick = (): void => {
    if (reached <= told) return
    told = reached
    const mark = bookmark(plan.resource, reached, false)
    delivery.deliver(none, () => [mark])
  }
  const leave = options.allowWatchBookmarks ? kernel.bookmarks.join(tick) : undefined
  const leaveAll = (): void => {
    watching.close()
    leave?.()
    cancelTimeout()
  }
  function stop(): void {
    delivery.stop()
    leaveAll()
  }
  const cancelTimeout = clock.after(lifetimeMs(plan), () => {
    if (options.allowWatchBookmarks) tick()
    leaveAll()
    delivery.finish()
  })
  return stop
}

/** How events reach the sink: what they are made of comes along, for those that must be converted first. */
interface Delivery {
  deliver(from: () => readonly KubeObject[], make: (plan: Plan) => readonly StreamEvent[]): void
  /** Ends the watch behind what is still under way. */
  finish(): void
  /** Delivers nothing more. */
  stop(): void
}

const none = (): readonly KubeObject[] => []

function atOnce(plan: Plan, sink: WatchSink): Delivery {
  return {
    deliver(_from, make) {
      const events = make(plan)
      if (events.length > 0) sink.events(events)
    },
    finish: () => sink.end(),
    stop: () => {},
  }
}

/** So many objects may wait for their conversion before the watcher has to begin anew. */
const MOST_WAITING = 20_000

/** One batch after the other, each converted before it is told. */
function inTurn(plan: Plan, sink: WatchSink, fail: (status: Status) => void): Delivery {
  let isOver = false
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const next = (step: () => Promise<void> | void): void => {
    last = last
      .then(() => (isOver ? undefined : step()))
      .catch((error: unknown) => {
        plan.kernel.log.error('cannot convert for a watch', error, { resource: plan.resource.plural })
        if (!isOver) fail(failure('InternalError', 'the events of this watch could not be converted'))
      })
  }
  return {
    deliver(from, make) {
      const objects = from()
      waiting += objects.length
      next(async () => {
        const isTooMany = waiting > MOST_WAITING + objects.length
        waiting -= objects.length
        if (isTooMany) return fail(expired('the watch fell behind while its objects were converted'))
        const ready = await withForms(plan.storage, objects)
        if (isOver) return
        if (!ready.ok) return fail(ready.error)
        const events = make({ ...plan, storage: ready.value })
        if (events.length > 0) sink.events(events)
      })
    },
    finish: () => next(() => sink.end()),
    stop() {
      isOver = true
    },
  }
}

function lifetimeMs({ options, kernel }: Plan): number {
  if (options.timeoutSeconds !== undefined && options.timeoutSeconds > 0) return options.timeoutSeconds * 1_000
  const [high = 0, low = 0] = kernel.ids.bytes(2)
  return (SHORTEST_WATCH_S + ((high * 256 + low) % SHORTEST_WATCH_S)) * 1_000
}

function objectsNow({ kernel, prefix }: Plan): readonly KubeObject[] {
  const range = kernel.store.range(prefix)
  if (!range.ok) throw new Error(`cannot read ${prefix} at the newest revision: ${range.because}`)
  return range.entries.map(({ value }) => value)
}

function stateOf({ storage, matches }: Plan, objects: readonly KubeObject[]): readonly StreamEvent[] {
  return objects.flatMap((value): readonly StreamEvent[] => {
    const object = storage.toServed(value)
    return !matches || matches(object) ? [{ type: 'ADDED', object }] : []
  })
}

/** What a change means to a watcher with a selection: an object that leaves the selection is gone for it. */
function eventOf({ storage, matches }: Plan, change: Change<KubeObject>): StreamEvent | undefined {
  const previous = change.previous && storage.toServed(change.previous)
  const wasMeant = previous !== undefined && (!matches || matches(previous))
  if (change.type === 'delete') {
    const gone = storage.toServed(change.value)
    return wasMeant || (previous === undefined && (!matches || matches(gone)))
      ? { type: 'DELETED', object: gone }
      : undefined
  }
  const object = storage.toServed(change.value)
  const isMeant = !matches || matches(object)
  if (isMeant) return { type: wasMeant ? 'MODIFIED' : 'ADDED', object }
  return wasMeant ? { type: 'DELETED', object: leaving(change, previous) } : undefined
}

const left = new WeakMap<Change<KubeObject>, KubeObject>()

/** The object as it was, at the revision at which it left; made once for all watchers. */
function leaving(change: Change<KubeObject>, previous: KubeObject): KubeObject {
  const known = left.get(change)
  if (known && known.apiVersion === previous.apiVersion) return known
  const made = withRevision(previous, change.revision)
  left.set(change, made)
  return made
}

const END_OF_STATE = { 'k8s.io/initial-events-end': 'true' }

function bookmark(resource: ServedResource, revision: number, endsState: boolean): StreamEvent {
  return {
    type: 'BOOKMARK',
    object: {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: String(revision),
        // Typed clients read an absent time as null.
        creationTimestamp: null as unknown as string,
        ...(endsState ? { annotations: END_OF_STATE } : {}),
      },
    },
  }
}
