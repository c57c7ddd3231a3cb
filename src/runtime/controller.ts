import type { KubeObject } from '../kube/object.ts'
import type { Status } from '../kube/status.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { type Metrics, silentMetrics } from '../lib/metrics.ts'
import type { CacheChange, Informer } from './informer.ts'
import { parseApiVersion } from '../kube/gvk.ts'
import { type RetryDelay, retry, type Turn, WorkQueue } from './work-queue.ts'

/** What a turn is given besides its key. */
export interface TurnContext {
  readonly log: Log
  readonly signal: AbortSignal
}

/** Which changes concern a controller, as keys. */
export interface Watch {
  readonly informer: Pick<Informer, 'listen' | 'synced'>
  /** The keys to look at after a change; without it, the key of the object that changed. */
  readonly keys?: (object: KubeObject, change: CacheChange) => readonly string[]
}

/** A controller is a value: what it watches, and what one turn on a key does. */
export interface Controller {
  readonly name: string
  readonly watches: readonly Watch[]
  readonly concurrency?: number
  readonly retryDelay?: RetryDelay
  /** Brings the world closer to what the key asks for; running it twice changes nothing. */
  reconcile(key: string, context: TurnContext): Promise<Turn>
}

export interface ControllerPorts {
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: Metrics
}

/** A controller with its queue, which can be looked into and started. */
export interface ControllerLoop {
  readonly name: string
  readonly queue: WorkQueue
  /** Waits for the caches, then works until the signal is aborted; resolves when the turns under way have ended. */
  run(signal: AbortSignal): Promise<void>
}

/** Answers a refused write: somebody else was faster is no news, everything else is. */
export function retryAfter(status: Status): Turn {
  if (status.reason === 'Conflict') return { do: 'retry', because: 'the object changed meanwhile', quietly: true }
  return retry(`${status.reason}: ${status.message}`)
}

/** Wires a controller to its queue. */
export function controllerLoop(controller: Controller, ports: ControllerPorts): ControllerLoop {
  const { name, concurrency = 1, retryDelay } = controller
  const { clock, metrics = silentMetrics } = ports
  const log = ports.log.child({ controller: name })
  const turns = metrics.counter('idp_controller_turns_total', 'Turns of a controller, by what they led to.')
  const seconds = metrics.histogram('idp_controller_turn_seconds', 'How long the turns of a controller took.')
  const took = seconds.with({ controller: name })
  const ends = {
    done: turns.with({ controller: name, outcome: 'done' }),
    again: turns.with({ controller: name, outcome: 'again' }),
    retry: turns.with({ controller: name, outcome: 'retry' }),
  }
  let count = 0

  const work = async (key: string, signal: AbortSignal): Promise<Turn> => {
    const turnLog = log.child({ key, turn: ++count })
    const began = clock.now()
    const turn = await attempt(controller, key, { log: turnLog, signal })
    took.observe((clock.now() - began) / 1_000)
    ends[turn.do].add()
    return turn
  }
  const queue = new WorkQueue({ clock, work, concurrency, ...(retryDelay ? { retryDelay } : {}) })
  return {
    name,
    queue,
    async run(signal) {
      const leave: (() => void)[] = []
      try {
        // Complete caches first: a turn must not take what it has not seen yet for absent.
        await Promise.all(controller.watches.map(({ informer }) => informer.synced(signal)))
        for (const watch of controller.watches)
          leave.push(watch.informer.listen((change) => addKeys(queue, watch, change)))
        await queue.run(signal)
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        for (const stop of leave) stop()
      }
    },
  }
}

function addKeys(queue: WorkQueue, { keys }: Watch, change: CacheChange): void {
  if (!keys) {
    queue.add(change.key)
    return
  }
  for (const key of keys(change.object, change)) queue.add(key)
  // What it belonged to before has to notice that it is gone from there.
  if (change.type === 'changed' && change.previous) for (const key of keys(change.previous, change)) queue.add(key)
}

async function attempt(controller: Controller, key: string, context: TurnContext): Promise<Turn> {
  try {
    const turn = await controller.reconcile(key, context)
    if (turn.do === 'retry') {
      if (turn.quietly) context.log.debug('a turn will be tried again', { because: turn.because })
      else context.log.warn('a turn will be tried again', { because: turn.because })
    }
    return turn
  } catch (error) {
    if (context.signal.aborted) return retry('stopped in the middle of a turn')
    context.log.error('a turn failed', error)
    return retry(describeError(error))
  }
}

/** The key of the object that controls this one, when it is of the kind. */
export function ownerKeys(kind: string, group: string): (object: KubeObject) => readonly string[] {
  return (object) =>
    (object.metadata.ownerReferences ?? [])
      .filter((owner) => owner.controller === true && owner.kind === kind)
      .filter((owner) => parseApiVersion(owner.apiVersion).group === group)
      .map((owner) => `${object.metadata.namespace ?? ''}/${owner.name}`)
}
