import type { Client } from '../kube/client.ts'
import { type Controller, retryAfter, type TurnContext } from '../runtime/controller.ts'
import { again, done, retry, type Turn } from '../runtime/work-queue.ts'
import type { Clock } from '../lib/clock.ts'
import { planGateways } from './plan/plan.ts'
import type { BindOptions } from './plan/ports.ts'
import type { StatusPlan } from './plan/status.ts'
import type { GatewayProxy } from './proxy/gateway-proxy.ts'
import { ALL, ENDPOINTS, type GatewayCaches } from './view.ts'

/** What the controller of Gateways works with. */
export interface GatewayPorts {
  readonly client: Client
  readonly clock: Clock
  readonly caches: GatewayCaches
  readonly proxy: GatewayProxy
  readonly bind: BindOptions
  /** Told where ports of Gateways are reached from now on. */
  readonly onPorts: (reachedAt: (port: number) => number) => void
}

const WRITES = 8
const BIND_AGAIN_MS = 5_000
/** Planning takes at most this share of the time, however fast things change. */
const PLANNING_SHARE = 0.1

/** Keeps the proxy and every status as all objects of the Gateway API together say. */
export function gatewayController(ports: GatewayPorts): Controller {
  const { caches, proxy, bind, onPorts } = ports
  let restsUntilMs = 0
  return {
    name: 'gateway',
    // One at a time: tables are taken over whole.
    concurrency: 1,
    watches: caches.watches(),
    async reconcile(key, context) {
      if (key === ENDPOINTS) {
        proxy.endpoints(caches.endpoints())
        return done
      }
      if (key !== ALL) return done
      const beganMs = ports.clock.now()
      if (beganMs < restsUntilMs) return again(restsUntilMs - beganMs, 'planned a moment ago')
      const { view, done: planned } = caches.view()
      const plan = planGateways(view, bind)
      planned(plan.used)
      onPorts(plan.reachedAt)
      const endedMs = ports.clock.now()
      restsUntilMs = endedMs + (endedMs - beganMs) / PLANNING_SHARE
      proxy.endpoints(caches.endpoints())
      const binds = await proxy.apply(plan.ports)
      const written = await writeStatuses(plan.statuses(binds, ports.clock.now()), ports, context)
      if (written.do !== 'done' || binds.size === 0) return written
      return again(BIND_AGAIN_MS, `ports cannot be bound: ${[...binds.keys()].join(', ')}`)
    },
  }
}

/** Writes statuses, a few at a time; what somebody else changed meanwhile is planned again. */
async function writeStatuses(plans: readonly StatusPlan[], ports: GatewayPorts, context: TurnContext): Promise<Turn> {
  const waiting = [...plans]
  let outcome: Turn = done
  const work = async (): Promise<void> => {
    for (let plan = waiting.pop(); plan && !context.signal.aborted; plan = waiting.pop()) {
      const turn = await writeStatus(plan, ports, context)
      if (turn.do !== 'done' && (outcome.do === 'done' || outcome.do === 'retry')) outcome = turn
    }
  }
  await Promise.all(Array.from({ length: Math.min(WRITES, plans.length) }, work))
  return context.signal.aborted ? retry('stopped in the middle of a turn') : outcome
}

async function writeStatus(
  { resource, object, status }: StatusPlan,
  ports: GatewayPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { name = '', namespace, resourceVersion } = object.metadata
  const target = { resource, name, subresource: 'status', ...(namespace === undefined ? {} : { namespace }) }
  // The version makes sure that entries of other controllers are those that were seen.
  const body = { metadata: { resourceVersion: resourceVersion ?? '' }, status } as never // what was read is JSON
  const written = await ports.client.patch(target, { type: 'merge', body }, { fieldManager: 'idp-gateway', signal })
  if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
  log.info('told what became of it', { kind: object.kind, namespace, name })
  await ports.caches.informer(resource).caughtUp(written.value, signal)
  return done
}
