import { createHash } from 'node:crypto'
import type { HeldEvent, LoggedEvent } from '../bus/record.ts'
import type { SensorEvent } from '../event.ts'
import type { DependencyVerdict } from './compile-dependency.ts'
import type { CompiledTrigger } from './compile-trigger.ts'

/** Events that wait for others, by dependency. */
export type Held = ReadonlyMap<string, HeldEvent>

/** The events that a trigger fires with, by dependency. */
export interface Firing {
  readonly fireId: string
  readonly events: ReadonlyMap<string, SensorEvent>
}

/** What one dependency of a trigger makes of an event. */
export interface DependencyStep {
  readonly dependency: string
  readonly verdict: DependencyVerdict
  readonly does: 'pass-over' | 'hold' | 'fire'
  readonly because: string
  /** Which dependencies had an event, where the condition was asked. */
  readonly has?: readonly string[]
  readonly firing?: Firing
}

/** What a trigger makes of an event, and what it holds from then on. */
export interface Advance {
  readonly steps: readonly DependencyStep[]
  readonly held: Held
}

const NOBODY: readonly DependencyStep[] = []

/**
 * Takes one event to a trigger. The newest event of a dependency takes the place of the one before; when the condition holds the
 * trigger fires with all that is held, and holds nothing afterwards (Argo Events' JetStream bus).
 */
export function advance(trigger: CompiledTrigger, held: Held, logged: LoggedEvent): Advance {
  let steps: DependencyStep[] | undefined
  let now = held
  for (const dependency of trigger.dependencies) {
    if (!dependency.concerns(logged.eventSourceName, logged.eventName)) continue
    const verdict = dependency.judge(logged.event)
    const made = verdict.passes ? met(trigger, now, dependency.name, logged, verdict) : undefined
    const because = verdict.problem?.message ?? 'a filter does not let it pass'
    steps ??= []
    steps.push(made?.step ?? { dependency: dependency.name, verdict, does: 'pass-over', because })
    now = made?.held ?? now
  }
  return { steps: steps ?? NOBODY, held: now }
}

interface Met {
  readonly step: DependencyStep
  readonly held: Held
}

function met(
  trigger: CompiledTrigger,
  held: Held,
  dependency: string,
  { seq, acceptedMs }: LoggedEvent,
  verdict: DependencyVerdict,
): Met {
  const { condition } = trigger
  const own: HeldEvent = { seq, acceptedMs, event: verdict.event }
  if (condition.isImmediate) {
    const firing = firingOf(trigger, new Map([[dependency, own]]))
    return { step: { dependency, verdict, does: 'fire', because: 'one event is enough', firing }, held }
  }
  const kept = new Map([...held].filter(([, one]) => !isReset(trigger, one, acceptedMs)))
  const dropped = held.size - kept.size
  kept.set(dependency, own)
  const has = condition.names.filter((name) => kept.has(name))
  const reset = dropped > 0 ? `; ${dropped} held before the conditions were reset` : ''
  if (condition.holds((name) => kept.has(name))) {
    const because = `${condition.source} holds with ${has.join(', ')}${reset}`
    return {
      step: { dependency, verdict, does: 'fire', because, has, firing: firingOf(trigger, kept) },
      held: new Map(),
    }
  }
  const because = `${condition.source} does not hold yet with ${has.join(', ')}${reset}`
  return { step: { dependency, verdict, does: 'hold', because, has }, held: kept }
}

/** A reset lies between the time at which it was accepted and now. */
const isReset = ({ resets }: CompiledTrigger, held: HeldEvent, nowMs: number): boolean =>
  resets.some((schedule) => (schedule.next(held.acceptedMs) ?? Number.POSITIVE_INFINITY) <= nowMs)

function firingOf(trigger: CompiledTrigger, held: ReadonlyMap<string, HeldEvent>): Firing {
  const events = new Map([...held].map(([name, { event }]) => [name, event]))
  return { events, fireId: fireIdOf(trigger.owner, trigger.name, events) }
}

/** The same for the same events of the same trigger, whenever and however often it fires with them. */
export function fireIdOf(owner: string, trigger: string, events: ReadonlyMap<string, SensorEvent>): string {
  const parts = [...events]
    .map(([dependency, { context }]) => [dependency, context.source ?? '', context.subject ?? '', context.id ?? ''])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([owner, trigger, parts]))
    .digest('hex')
    .slice(0, 32)
}
