import type { UserInfo } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Json } from '../../lib/json.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { explain, fail, type Problem, type Result } from '../../lib/result.ts'
import type { DeadLetter } from '../bus/record.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import type { Firing } from './advance.ts'
import type { CompiledSensor } from './compile-sensor.ts'
import type { CompiledAction, CompiledTrigger } from './compile-trigger.ts'
import { onlyOnce, type RetryPlan } from './backoff.ts'
import type { DeadLetters } from './dead-letters.ts'
import { applyPolicy, rightsWithPolicy } from './policy.ts'
import type { RateLimit } from './rate-limit.ts'
import { resolveTrigger } from './resolve-trigger.ts'
import type { RightsChecker } from './rights.ts'
import type { TriggerSeries } from './sensor-metrics.ts'
import type { TraceSink, TraceStep } from './trace-sink.ts'
import type { Fired, TriggerExecutors } from './trigger.ts'

/** What every delivery needs. */
export interface DeliveryPorts {
  readonly client: Client
  readonly clientAs: (user: UserInfo) => Client
  readonly clock: Clock
  /** Between 0 and 1. */
  readonly chance: () => number
  readonly log: Log
  readonly fill: FillTemplate
  readonly executors: Pick<TriggerExecutors, 'fire' | 'rightsOf'>
  readonly rights: RightsChecker
  readonly trace: TraceSink
  readonly deadLetters: DeadLetters
}

/** One trigger of one Sensor, with what it counts and keeps. */
export interface Deliverer {
  readonly sensor: CompiledSensor
  readonly trigger: CompiledTrigger
  readonly rate: RateLimit
  readonly series: TriggerSeries
  /** Told whenever it is in trouble, or out of it again. */
  readonly trouble: (trouble: Trouble | undefined) => void
}

/** What keeps a trigger from firing, and what happens next. */
export interface Trouble {
  readonly because: string
  readonly eventIds: readonly string[]
  readonly attempts: number
  readonly steps: number
  /** When it is tried again; absent when it was given up. */
  readonly nextMs?: number
}

/** How a delivery ended. `stopped` means that it is to be made again. */
export type Delivered =
  | { readonly end: 'fired'; readonly fired: Fired }
  | { readonly end: 'dead'; readonly because: string }
  | { readonly end: 'stopped' }

/** Fires a trigger, again and again as its strategy says; what it is given up on becomes a dead letter before this resolves. */
export async function deliver(
  firing: Firing,
  by: Deliverer,
  ports: DeliveryPorts,
  signal: AbortSignal,
): Promise<Delivered> {
  const { trigger, series } = by
  const tried = await attemptAll(trigger, firing, by, ports, signal)
  if (tried === 'stopped') return trigger.atLeastOnce ? { end: 'stopped' } : interrupted(firing, by, ports)
  if (tried.result.ok) {
    by.trouble(undefined)
    return { end: 'fired', fired: tried.result.value }
  }
  series.retriesFailed.add()
  const because = reasonOf(tried.result.error)
  const dlq = trigger.dlq && (await attemptAll(trigger.dlq, firing, by, ports, signal))
  if (dlq === 'stopped') return { end: 'stopped' }
  const told = dlq && (dlq.result.ok ? dlq.result.value.because : `failed: ${reasonOf(dlq.result.error)}`)
  await bury({ firing, because, attempts: tried.attempts, ...(told === undefined ? {} : { dlq: told }) }, by, ports)
  by.trouble({ because, eventIds: idsOf(firing), attempts: tried.attempts, steps: tried.attempts })
  return { end: 'dead', because }
}

/** It does not come again, so that somebody has to know of it. */
async function interrupted(firing: Firing, by: Deliverer, ports: DeliveryPorts): Promise<Delivered> {
  const because = 'the Sensor ended while it was fired: it may have happened or not'
  await bury({ firing, because, attempts: 1 }, by, ports)
  return { end: 'dead', because }
}

interface Tried {
  readonly result: Result<Fired>
  readonly attempts: number
}

/** `at most once` may have happened although it failed: it is not tried again. */
const planOf = (action: CompiledAction, { trigger }: Deliverer): RetryPlan =>
  trigger.atLeastOnce ? action.retry : onlyOnce

async function attemptAll(
  action: CompiledAction,
  firing: Firing,
  by: Deliverer,
  ports: DeliveryPorts,
  signal: AbortSignal,
): Promise<Tried | 'stopped'> {
  const plan = planOf(action, by)
  const step = tracer(action, firing, by, ports)
  try {
    for (let attempts = 1; ; attempts++) {
      await by.rate.take(signal)
      const result = await attempt({ action, firing, attempts, step }, by, ports, signal)
      if (result.ok) {
        step('fired', result.value.because, result.value.values)
        return { result, attempts }
      }
      // What went wrong because everything ends is no failure.
      if (signal.aborted) return 'stopped'
      const because = reasonOf(result.error)
      by.series.failed.add()
      step('failed', because, { attempt: attempts, of: plan.steps })
      if (attempts >= plan.steps || isFinal(result.error)) return { result, attempts }
      const delayMs = plan.delayMs(attempts, ports.chance())
      const nextMs = ports.clock.now() + delayMs
      by.series.retried.add()
      by.trouble({ because, eventIds: idsOf(firing), attempts, steps: plan.steps, nextMs })
      step('retried', `attempt ${attempts + 1} of ${plan.steps} follows at ${new Date(nextMs).toISOString()}`)
      await ports.clock.sleep(delayMs, { signal })
    }
  } catch (error) {
    if (signal.aborted) return 'stopped'
    throw error
  }
}

interface Attempt {
  readonly action: CompiledAction
  readonly firing: Firing
  readonly attempts: number
  readonly step: Step
}

async function attempt(
  { action, firing, attempts, step }: Attempt,
  { sensor, series }: Deliverer,
  ports: DeliveryPorts,
  signal: AbortSignal,
): Promise<Result<Fired>> {
  const { clock, executors, rights, fill } = ports
  const began = clock.now()
  try {
    const resolved = resolveTrigger(sensor, action, firing.events, fill)
    if (!resolved.ok) return resolved
    if (attempts === 1) step('resolved', `${action.kind} as ServiceAccount ${sensor.serviceAccount}`)
    const account = { namespace: sensor.namespace, name: sensor.serviceAccount }
    const wanted = rightsWithPolicy(action, await executors.rightsOf(resolved.value))
    const missing = await rights.missing(account, wanted, signal)
    if (missing.length > 0) return { ok: false, error: missing }
    const context = { events: firing.events, fireId: firing.fireId, attempt: attempts, fill, signal }
    const fired = await executors.fire(resolved.value, context)
    if (!fired.ok) return fired
    const user = {
      username: `system:serviceaccount:${account.namespace}:${account.name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'],
    }
    const judged = await applyPolicy(action, fired.value, {
      client: ports.clientAs(user),
      clock,
      chance: ports.chance,
      signal,
    })
    if (judged.ok) series.triggered.add()
    return judged
  } catch (error) {
    if (!signal.aborted) ports.log.error('a trigger cannot be fired', error, { trigger: action.name })
    return fail({ code: 'trigger-failed', message: describeError(error) })
  } finally {
    series.durationMs.observe(clock.now() - began)
  }
}

/** What the same event would meet again however often it is tried. */
const isFinal = (problems: readonly Problem[]): boolean =>
  problems.some(({ code }) => code === 'event-parameter-unresolved' || code === 'event-parameter-invalid')

const reasonOf = (problems: readonly Problem[]): string => problems.map(explain).join('; ')

const idsOf = ({ events }: Firing): readonly string[] => [
  ...new Set([...events.values()].map(({ context }) => context.id ?? '')),
]

type Step = (step: TraceStep['step'], because: string, values?: Readonly<Record<string, Json>>) => void

function tracer(action: CompiledAction, firing: Firing, { sensor }: Deliverer, { trace, clock }: DeliveryPorts): Step {
  const of = { sensor: `${sensor.namespace}/${sensor.name}`, trigger: action.name }
  return (step, because, values) => {
    for (const eventId of idsOf(firing))
      trace({ ...of, atMs: clock.now(), eventId, step, because, ...(values ? { values } : {}) })
  }
}

interface Burial {
  readonly firing: Firing
  readonly because: string
  readonly attempts: number
  readonly dlq?: string
}

async function bury({ firing, because, attempts, dlq }: Burial, by: Deliverer, ports: DeliveryPorts): Promise<void> {
  const { sensor, trigger, series } = by
  const { namespace, name } = sensor
  const letter: DeadLetter = {
    is: 'dead-letter',
    id: firing.fireId,
    namespace,
    sensor: name,
    trigger: trigger.name,
    atMs: ports.clock.now(),
    attempts,
    because,
    ...(dlq === undefined ? {} : { dlq }),
    events: [...firing.events],
  }
  const forgotten = await ports.deadLetters.keep(letter)
  if (forgotten > 0) ports.log.warn('old dead letters were forgotten', { sensor: `${namespace}/${name}`, forgotten })
  series.deadLetters.set(ports.deadLetters.count(namespace, name))
  const given = `given up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${because}`
  tracer(trigger, firing, by, ports)('dead-letter', dlq === undefined ? given : `${given}; dlqTrigger: ${dlq}`)
}
