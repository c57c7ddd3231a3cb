import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { fieldsOf, textOf } from '../../lib/fields.ts'
import type { Ids } from '../../lib/ids.ts'
import { type Log } from '../../lib/log.ts'
import { explain } from '../../lib/result.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import type { Surfaces } from '../../runtime/surfaces.ts'
import type { Publish } from '../bus/publish.ts'
import { type Dispatch, dispatcher } from '../sources/dispatch.ts'
import { compileEventFilter, type Functions } from '../sources/event-filter.ts'
import type { SecretValues } from '../sources/secret-values.ts'
import { selectorsIn } from '../sources/secret-values.ts'
import type { MakeSource } from '../sources/source.ts'
import type { SourceMetrics } from '../sources/source-metrics.ts'
import { planPorts } from '../sources/webhook/plan-ports.ts'
import type { BodyBudget } from '../sources/webhook/read-body.ts'
import type { Route } from '../sources/webhook/route.ts'
import { WebhookServer } from '../sources/webhook/webhook-server.ts'
import { makesHooks } from './check-webhooks.ts'
import type { Seen } from './conditions.ts'
import { busNameOf, EventSourceKind, sourceName, type SourceEntry, sourcesOf, strangeKinds } from './event-source.ts'
import { routeOf } from './routes.ts'
import { RunningSources, type WantedSource } from './running-sources.ts'
import type { SourceFamily } from './source-kinds.ts'

/** What EventSources work with. */
export interface EventSourcePorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: SourceMetrics
  readonly publish: Publish
  readonly secrets: SecretValues
  /** Absent where the cluster could not reach this process: then webhooks say so. */
  readonly surfaces?: Surfaces
  /** How sources that find their events themselves are made. */
  readonly makers: Readonly<Partial<Record<SourceFamily, MakeSource>>>
  /** Registers hooks with forges. */
  readonly hooks?: MakeSource
  /** What the expressions of filters know besides the event. */
  readonly functions?: Functions
  /** Tells whoever looks at the EventSource. */
  readonly note: (about: KubeObject, note: EventNote) => void
  /** What bodies may take of memory, together. */
  readonly budget: BodyBudget
  readonly pullRequests?: (namespace: string, entry: SourceEntry) => Route['hasOpenPullRequest']
}

/** What came of bringing an EventSource to work. */
export type Worked = Pick<Seen, 'service' | 'unsupported' | 'troubles' | 'hooks' | 'starting' | 'areHooksStarting'>

const HOOKS = 'hooks:'

/** One EventSource at work: its webhooks behind a Service, its other sources beside them. */
export class OneEventSource {
  readonly #ports: EventSourcePorts
  readonly #sources: RunningSources
  readonly #named: { readonly namespace: string; readonly name: string }
  #server: WebhookServer | undefined

  constructor(ports: EventSourcePorts, { metadata }: KubeObject, onTrouble: () => void) {
    this.#ports = ports
    this.#named = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
    this.#sources = new RunningSources({ clock: ports.clock, log: ports.log, onTrouble })
  }

  /** Makes what runs what the object says. */
  async become(object: KubeObject, onTrouble: () => void, signal: AbortSignal): Promise<Worked> {
    const entries = sourcesOf(object)
    const troubles: string[] = []
    const dispatches = new Map<SourceEntry, Dispatch>()
    for (const entry of entries) {
      const made = this.#dispatchOf(object, entry)
      if (typeof made === 'string') troubles.push(`${sourceName(entry)}: ${made}`)
      else dispatches.set(entry, made)
    }
    for (const entry of entries) troubles.push(...this.#missingSecrets(object, entry))
    const service = await this.#serve(object, entries, dispatches, troubles)
    await this.#sources.become(this.#wanted(object, dispatches, onTrouble), signal)
    const { namespace = '', name = '' } = object.metadata
    const running = entries.filter((entry) => this.#isRun(entry)).length
    this.#ports.metrics.running(namespace, name, service === undefined ? running : 0)
    return this.#worked(object, { entries, troubles, service })
  }

  /** Stops everything, for good or until what it needs is there again. */
  async stop({ forGood }: { readonly forGood: boolean }): Promise<void> {
    // With nothing wanted nothing is started, so that there is nothing to stop by a signal either.
    if (forGood) await this.#sources.become([], AbortSignal.abort())
    else await this.#sources.pause()
    await this.#server?.close()
    this.#server = undefined
    this.#ports.metrics.forget(this.#named.namespace, this.#named.name)
  }

  /** Resolves when all that the signal has stopped has ended. Services stay for the next start. */
  ended(): Promise<void> {
    return this.#sources.pause()
  }

  /** Where a port of the Service is reached on this machine. */
  url(portName?: string): string | undefined {
    return this.#server?.url(portName)
  }

  #worked(
    object: KubeObject,
    {
      entries,
      troubles,
      service,
    }: { readonly entries: readonly SourceEntry[]; readonly troubles: string[]; readonly service: string | undefined },
  ): Worked {
    const hooks: string[] = []
    const starting = this.#sources.starting()
    for (const [name, trouble] of this.#sources.troubles()) {
      if (name.startsWith(HOOKS)) hooks.push(`${name.slice(HOOKS.length)}: ${trouble}`)
      else troubles.push(`${name}: ${trouble}`)
    }
    const registers = this.#ports.hooks && entries.some(({ kind, spec }) => makesHooks(kind.field, spec))
    return {
      unsupported: [...entries.filter((entry) => !this.#isRun(entry)).map(sourceName), ...strangeKinds(object)],
      troubles,
      ...(service === undefined ? {} : { service }),
      ...(registers ? { hooks } : {}),
      starting: starting.filter((name) => !name.startsWith(HOOKS)),
      areHooksStarting: starting.some((name) => name.startsWith(HOOKS)),
    }
  }

  #isRun({ kind }: SourceEntry): boolean {
    return kind.family === 'webhook' || this.#ports.makers[kind.family] !== undefined
  }

  #dispatchOf(object: KubeObject, { kind, eventName, spec }: SourceEntry): Dispatch | string {
    const { metadata } = object
    // The filter of a resource is of another kind, and its own.
    const expression = kind.family === 'resource' ? '' : textOf(fieldsOf(spec, 'filter'), 'expression')
    const filter = compileEventFilter(expression, this.#ports.functions)
    if (!filter.ok) return filter.error.map(explain).join('; ')
    const to = {
      namespace: metadata.namespace ?? '',
      busName: busNameOf(object),
      eventSourceName: metadata.name ?? '',
      eventName,
    }
    const onFilterFailure = (because: string): void =>
      this.#ports.note(object, {
        type: 'Warning',
        reason: 'FilterFailed',
        message: `${kind.field}/${eventName}: ${because}`,
      })
    return dispatcher({ to, type: kind.type, filter: filter.value, onFilterFailure }, this.#ports)
  }

  #missingSecrets({ metadata }: KubeObject, entry: SourceEntry): readonly string[] {
    if (entry.kind.family === 'unsupported') return []
    return selectorsIn(entry.spec).flatMap((selector) => {
      const read = this.#ports.secrets(metadata.namespace ?? '', selector)
      return read.ok ? [] : read.error.map(({ message }) => `${sourceName(entry)}: ${message}`)
    })
  }

  /** Serves the webhooks. Answers why it cannot. */
  async #serve(
    object: KubeObject,
    entries: readonly SourceEntry[],
    dispatches: ReadonlyMap<SourceEntry, Dispatch>,
    troubles: string[],
  ): Promise<string | undefined> {
    const { namespace = '', name = '', uid = '', labels } = object.metadata
    const routes: Route[] = []
    for (const entry of entries) {
      const dispatch = dispatches.get(entry)
      if (entry.kind.family !== 'webhook' || !dispatch) continue
      const hasOpenPullRequest = this.#ports.pullRequests?.(namespace, entry)
      const route = routeOf(entry, {
        namespace,
        secrets: this.#ports.secrets,
        dispatch,
        counts: this.#ports.metrics.of({ namespace, eventSourceName: name, eventName: entry.eventName }),
        ...(hasOpenPullRequest ? { hasOpenPullRequest } : {}),
        onRefusal: (because) =>
          this.#ports.note(object, {
            type: 'Warning',
            reason: 'DeliveryRefused',
            message: `${sourceName(entry)}: ${because}`,
          }),
      })
      if (route.ok) routes.push(route.value)
      else troubles.push(`${sourceName(entry)}: ${route.error.map(explain).join('; ')}`)
    }
    const { surfaces, clock, log, budget } = this.#ports
    if (routes.length > 0 && !surfaces) return 'webhooks are not served: the cluster could not reach this process'
    if (!surfaces || (routes.length === 0 && !this.#server)) return undefined
    this.#server ??= new WebhookServer(surfaces, { clock, log, budget })
    const service = fieldsOf(object['spec'], 'service')
    const given = fieldsOf(fieldsOf(service, 'metadata'), 'labels')
    const texts = Object.entries(given).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
    return this.#server.serve({
      namespace,
      name: `${name}-eventsource-svc`,
      ports: planPorts(
        object['spec'],
        routes.map(({ port }) => port),
      ),
      labels: {
        ...Object.fromEntries(texts),
        ...labels,
        controller: 'eventsource-controller',
        'eventsource-name': name,
        'owner-name': name,
      },
      owner: {
        apiVersion: `${EventSourceKind.group}/${EventSourceKind.version}`,
        kind: EventSourceKind.kind,
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
      routes,
    })
  }

  #fingerprintOf({ metadata, ...object }: KubeObject, { kind, eventName, spec }: SourceEntry, isHook: boolean): string {
    // A forge has to be told of a new secret; everybody else reads it when it is needed.
    const values = isHook
      ? selectorsIn(spec).map((selector) => this.#ports.secrets(metadata.namespace ?? '', selector))
      : []
    const template = kind.family === 'resource' ? fieldsOf(object['spec'], 'template')['serviceAccountName'] : undefined
    const all = [metadata.uid, busNameOf({ metadata, ...object }), kind.field, eventName, spec, template, values]
    return createHash('sha256').update(JSON.stringify(all)).digest('hex')
  }

  #wanted(
    object: KubeObject,
    dispatches: ReadonlyMap<SourceEntry, Dispatch>,
    onTrouble: () => void,
  ): readonly WantedSource[] {
    const { makers, hooks } = this.#ports
    return [...dispatches].flatMap(([entry, dispatch]): WantedSource[] => {
      const { kind, spec } = entry
      const isHook = kind.family === 'webhook' && makesHooks(kind.field, spec)
      const make = isHook ? hooks : makers[kind.family]
      if (!make) return []
      return [
        {
          name: isHook ? `${HOOKS}${sourceName(entry)}` : sourceName(entry),
          fingerprint: this.#fingerprintOf(object, entry, isHook),
          make: () => make({ entry, object, dispatch, onTrouble }),
        },
      ]
    })
  }
}
