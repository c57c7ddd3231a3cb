import type { Json } from '../../lib/json.ts'
import { type Result, succeed } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import { applyParameters } from '../parameters/apply.ts'
import type { CompiledSensor } from './compile-sensor.ts'
import type { CompiledAction } from './compile-trigger.ts'
import type { ResolvedTrigger, TriggerTemplate } from './trigger.ts'

/** Whose trigger it is. */
export type TriggerOwner = Pick<CompiledSensor, 'namespace' | 'name' | 'uid' | 'serviceAccount'>

/** A trigger with the values of events in its template. */
export function resolveTrigger(
  owner: TriggerOwner,
  action: CompiledAction,
  events: ReadonlyMap<string, SensorEvent>,
  fill: FillTemplate,
): Result<ResolvedTrigger> {
  const unresolved = unresolvedTrigger(owner, action)
  const { parameters = [] } = action.spec
  if (parameters.length === 0) return succeed(unresolved)
  // Of a Sensor's spec, which is JSON.
  const made = applyParameters(action.template as unknown as Json, parameters, events, fill)
  if (!made.ok) return made
  return succeed({ ...unresolved, template: made.value as unknown as TriggerTemplate })
}

/** The trigger as its spec has it: as much as can be said before any event. */
export function unresolvedTrigger(owner: TriggerOwner, { template, kind }: CompiledAction): ResolvedTrigger {
  const { namespace, name, uid, serviceAccount } = owner
  return { sensor: { namespace, name, uid }, template, kind, serviceAccount }
}
