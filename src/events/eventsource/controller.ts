import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { objectsOf } from '../../lib/fields.ts'
import type { Result } from '../../lib/result.ts'
import { type Controller, controllerLoop, retryAfter } from '../../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { type HookPorts, hookKeeper } from '../sources/hooks/hook-keeper.ts'
import { openPullRequests } from '../sources/hooks/open-pull-requests.ts'
import { secretValues, selectorsIn } from '../sources/secret-values.ts'
import { bodyBudget } from '../sources/webhook/read-body.ts'
import { conditionsOf, nextConditions, type Seen } from './conditions.ts'
import { busNameOf, EventSourceKind } from './event-source.ts'
import { type EventSourcePorts, OneEventSource, type Worked } from './one-event-source.ts'
import { judgeEventSource } from './validate.ts'
import { Wakes } from './wakes.ts'

const BUSES = { group: 'argoproj.io', version: 'v1alpha1', plural: 'eventbus' }
const SECRETS = { group: '', version: 'v1', plural: 'secrets' }

/** What the controller is given besides a cluster. */
export interface EventSourceParts extends Pick<EventSourcePorts, 'publish' | 'metrics' | 'makers' | 'functions'> {
  /** HTTP to forges on behalf of a namespace; without it hooks are not registered. */
  readonly httpFor?: (namespace: string) => Promise<Result<ServiceHttp>>
}

const SERVICE_MS = 15_000
const nothing: Worked = { unsupported: [], troubles: [] }

/** Keeps the sources of every EventSource at work as it says, and says in its status how they stand. */
export function eventSources(ports: ControllerPorts, parts: EventSourceParts): ControllerPart {
  const { client, informers, clock, ids, surfaces } = ports
  const log = ports.log.child({ controller: 'eventsource' })
  const events = ports.events('eventsource-controller')
  const objects = informers.own({
    collection: { resource: EventSourceKind },
    indexes: {
      bus: (object) => [`${object.metadata.namespace ?? ''}/${busNameOf(object)}`],
      secret: (object) => selectorsIn(object['spec']).map(({ name }) => `${object.metadata.namespace ?? ''}/${name}`),
    },
  })
  const buses = informers.shared({ collection: { resource: BUSES } })
  const secrets = informers.shared({ collection: { resource: SECRETS } })
  const wakes = new Wakes()
  const { publish, metrics, makers, functions, httpFor } = parts
  const values = secretValues(secrets.cache)
  const all: EventSourcePorts = {
    publish,
    metrics,
    makers,
    ...(functions ? { functions } : {}),
    clock,
    ids,
    log,
    secrets: values,
    note: (about, note) => events.note(about, note),
    budget: bodyBudget(),
    ...(surfaces ? { surfaces } : {}),
    ...(httpFor ? withForges({ clock, log, secrets: values, httpFor }) : {}),
  }
  const running = new Map<string, OneEventSource>()

  const stop = async (key: string, { forGood }: { readonly forGood: boolean }): Promise<void> => {
    const one = running.get(key)
    running.delete(key)
    await one?.stop({ forGood })
  }
  const busOf = (object: KubeObject): Seen['bus'] => {
    const bus = buses.cache.get(`${object.metadata.namespace ?? ''}/${busNameOf(object)}`)
    if (!bus || bus.metadata.deletionTimestamp !== undefined) return 'missing'
    const conditions = objectsOf(bus['status'], 'conditions') ?? []
    return conditions.every(({ status }) => status === 'True') ? 'ready' : 'not-ready'
  }
  const work = async (object: KubeObject, signal: AbortSignal): Promise<Worked> => {
    const onTrouble = (): void => wakes.wake(object)
    const one = running.get(keyOf(object)) ?? new OneEventSource(all, object, onTrouble)
    running.set(keyOf(object), one)
    return one.become(object, onTrouble, signal)
  }
  const tell = async (object: KubeObject, seen: Seen): Promise<Turn> => {
    const before = objectsOf(object['status'], 'conditions') as readonly Condition[] | undefined // written by this controller
    const conditions = nextConditions(before, conditionsOf(seen), clock.now())
    if (conditions === before) return done
    for (const { status, reason = '', message = '' } of conditions) {
      if (status === 'False') events.note(object, { type: 'Warning', reason, message })
    }
    const { namespace = '', name = '' } = object.metadata
    const target = { resource: EventSourceKind, namespace, name, subresource: 'status' }
    const written = await client.patch(target, { type: 'merge', body: { status: { conditions: conditions as never } } })
    return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
  }
  const controller: Controller = {
    name: 'eventsource',
    concurrency: 4,
    watches: [
      { informer: objects },
      { informer: buses, keys: (bus) => objects.cache.by('bus', keyOf(bus)).map(keyOf) },
      { informer: secrets, keys: (secret) => objects.cache.by('secret', keyOf(secret)).map(keyOf) },
      { informer: wakes },
    ],
    async reconcile(key, { signal }) {
      const object = objects.cache.get(key)
      if (!object || object.metadata.deletionTimestamp !== undefined) {
        await stop(key, { forGood: true })
        return done
      }
      const judgement = judgeEventSource(object)
      const bus = busOf(object)
      const works = judgement.problems.length === 0 && bus === 'ready'
      if (!works) await stop(key, { forGood: false })
      const worked = works ? await work(object, signal) : nothing
      const told = await tell(object, { judgement, bus, busName: busNameOf(object), ...worked })
      // Whatever kept the Service from being there may have gone by then.
      return told.do === 'done' && worked.service !== undefined ? again(SERVICE_MS, worked.service) : told
    },
  }
  const loop = controllerLoop(controller, ports)
  return {
    pending: () => loop.queue.pending(),
    async run(signal) {
      await loop.run(signal)
      await Promise.all([...running.values()].map((one) => one.ended()))
    },
  }
}

const withForges = (ports: HookPorts): Pick<EventSourcePorts, 'hooks' | 'pullRequests'> => ({
  hooks: hookKeeper(ports),
  pullRequests: (namespace, entry) => openPullRequests(ports, namespace, entry),
})
