import type { KubeObject } from '../../kube/object.ts'
import type { Json } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'
import type { Check } from '../filter/verdict.ts'
import { applyParameters, type TriggerParameter } from '../parameters/apply.ts'
import { resolveParameter } from '../parameters/resolve.ts'
import { advance, type Firing, type Held } from '../sensor/advance.ts'
import { type CompiledSensor, compileSensor, type SensorWorld } from '../sensor/compile-sensor.ts'
import type { CompiledTrigger } from '../sensor/compile-trigger.ts'
import { busNameOf } from '../sensor/sensor.ts'
import type { FireContext, ResolvedTrigger, Right, TriggerTemplate } from '../sensor/trigger.ts'
import type { TriggerAction } from '../triggers/action.ts'
import { prepare, type PreparePorts } from '../triggers/prepare.ts'
import { parametersAt, sectionOf } from '../triggers/template.ts'
import { rightsOfAction } from './rights-of-action.ts'
import { type ShownAction, showAction } from './show-action.ts'

/** An event as it comes in from a source, for Sensors of one namespace and bus. */
export interface IncomingEvent {
  readonly namespace: string
  readonly busName: string
  readonly eventSourceName: string
  readonly eventName: string
  readonly event: SensorEvent
}

/** Whether a ServiceAccount may do something; undefined where nobody can say. */
export type May = (
  account: { readonly namespace: string; readonly name: string },
  right: Right,
) => Promise<{ readonly allowed: boolean; readonly because: string } | undefined>

export interface SimulationPorts {
  readonly world: SensorWorld
  readonly prepare: PreparePorts
  readonly may: May
}

/** What a dependency of a trigger makes of one event. */
export interface SimulatedStep {
  readonly event: string
  readonly dependency: string
  readonly passes: boolean
  readonly does: 'pass-over' | 'hold' | 'fire'
  readonly because: string
  readonly checks: readonly Check[]
}

/** A value that came out of events, and where it goes. */
export interface SimulatedParameter {
  readonly of: string
  readonly dest: string
  readonly from: string
  readonly value: Json
}

export interface SimulatedRight {
  readonly right: Right
  readonly allowed: boolean | undefined
  readonly because: string
}

/** What would happen if a trigger fired: the exact object or request, and whether it may. */
export interface SimulatedFiring {
  readonly fireId: string
  readonly serviceAccount: string
  readonly parameters: readonly SimulatedParameter[]
  readonly action?: ShownAction
  readonly rights: readonly SimulatedRight[]
  readonly problems: readonly Problem[]
}

export interface SimulatedTrigger {
  readonly trigger: string
  readonly kind: string
  readonly condition: string
  readonly steps: readonly SimulatedStep[]
  readonly firings: readonly SimulatedFiring[]
  /** Dependencies that have an event and wait for others, when all events are in. */
  readonly holds: readonly string[]
}

export interface SimulatedSensor {
  /** `namespace/name`. */
  readonly sensor: string
  readonly isBroken: boolean
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
  readonly triggers: readonly SimulatedTrigger[]
}

const nameOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string => `${namespace}/${name}`

/** Says what a Sensor would do with events that come in one after the other, and does nothing of it. */
export async function simulateSensor(
  object: KubeObject,
  events: readonly IncomingEvent[],
  ports: SimulationPorts,
): Promise<SimulatedSensor> {
  const { compiled, dependencies, triggers, warnings } = compileSensor(object, ports.world)
  const problems = [...dependencies, ...triggers]
  const head = { sensor: nameOf(object), problems, warnings }
  if (!compiled) return { ...head, isBroken: true, triggers: [] }
  const mine = events.filter(
    ({ namespace, busName }) => namespace === compiled.namespace && busName === compiled.busName,
  )
  const simulated: SimulatedTrigger[] = []
  for (const trigger of compiled.triggers) simulated.push(await simulateTrigger(compiled, trigger, mine, ports))
  return { ...head, isBroken: false, triggers: simulated }
}

/** Tells whether a Sensor hears an event at all: whether one of its dependencies is of that source and name. */
export function hears(object: KubeObject, event: IncomingEvent, world: SensorWorld): boolean {
  if (object.metadata.namespace !== event.namespace || busNameOf(object) !== event.busName) return false
  const { compiled } = compileSensor(object, world)
  if (!compiled) return true
  return compiled.dependencies.some((one) => one.concerns(event.eventSourceName, event.eventName))
}

async function simulateTrigger(
  sensor: CompiledSensor,
  trigger: CompiledTrigger,
  events: readonly IncomingEvent[],
  ports: SimulationPorts,
): Promise<SimulatedTrigger> {
  const steps: SimulatedStep[] = []
  const firings: SimulatedFiring[] = []
  let held: Held = new Map()
  for (const [seq, { eventSourceName, eventName, event }] of events.entries()) {
    const acceptedMs = Date.parse(event.context.time ?? '') || ports.prepare.now()
    const made = advance(trigger, held, { is: 'event', seq, acceptedMs, eventSourceName, eventName, event })
    held = made.held
    for (const { dependency, verdict, does, because, firing } of made.steps) {
      const { passes, checks } = verdict
      steps.push({ event: `${eventSourceName}/${eventName}`, dependency, passes, does, because, checks })
      if (firing) firings.push(await simulateFiring(sensor, trigger, firing, ports))
    }
  }
  return {
    trigger: trigger.name,
    kind: trigger.kind,
    condition: trigger.condition.source,
    steps,
    firings,
    holds: [...held.keys()],
  }
}

async function simulateFiring(
  sensor: CompiledSensor,
  trigger: CompiledTrigger,
  firing: Firing,
  ports: SimulationPorts,
): Promise<SimulatedFiring> {
  const { fill } = ports.world
  const context: FireContext = {
    events: firing.events,
    fireId: firing.fireId,
    attempt: 1,
    fill,
    signal: new AbortController().signal,
  }
  const { namespace, name, uid, serviceAccount } = sensor
  const head = { fireId: firing.fireId, serviceAccount: `${namespace}/${serviceAccount}` }
  const parameters = parametersOf(trigger, firing, ports)
  const template = applyParameters(
    trigger.template as unknown as Json, // a Sensor's spec is JSON
    trigger.spec.parameters ?? [],
    firing.events,
    fill,
  )
  if (!template.ok) return { ...head, parameters, rights: [], problems: template.error }
  const resolved: ResolvedTrigger = {
    sensor: { namespace, name, uid },
    template: template.value as unknown as TriggerTemplate, // still the template, with values in it
    kind: trigger.kind,
    serviceAccount,
  }
  const action: Result<TriggerAction> = await prepare(resolved, context, ports.prepare)
  if (!action.ok) return { ...head, parameters, rights: [], problems: action.error }
  const account = { namespace, name: serviceAccount }
  const rights: SimulatedRight[] = []
  for (const right of rightsOfAction(action.value)) {
    const verdict = await ports.may(account, right)
    rights.push({ right, allowed: verdict?.allowed, because: verdict?.because ?? 'no roles are known' })
  }
  const shown = await showAction(action.value, resolved, context, ports.prepare)
  if (!shown.ok) return { ...head, parameters, rights, problems: shown.error }
  return { ...head, parameters, action: shown.value, rights, problems: [] }
}

/** Every value that the trigger takes out of events, those of its template first. */
function parametersOf(
  { template, kind, spec }: CompiledTrigger,
  firing: Firing,
  ports: SimulationPorts,
): readonly SimulatedParameter[] {
  const section = sectionOf(template, kind)
  const lists: (readonly [string, readonly TriggerParameter[]])[] = [['template', spec.parameters ?? []]]
  for (const field of ['parameters', 'payload', 'dynamicHeaders']) {
    const found = section.ok ? parametersAt(section.value, field, kind) : section
    if (found.ok && found.value.length > 0) lists.push([`${kind}.${field}`, found.value])
  }
  return lists.flatMap(([of, list]) =>
    list.flatMap(({ src, dest = '' }): readonly SimulatedParameter[] => {
      const resolved = resolveParameter(src, firing.events, ports.world.fill)
      const { dependencyName = '', dataKey, dataTemplate, contextKey, contextTemplate } = src
      const from = `${dependencyName}: ${dataTemplate ?? dataKey ?? contextTemplate ?? contextKey ?? 'the whole event'}`
      if (!resolved.ok) return [{ of, dest, from, value: `cannot be resolved: ${resolved.error[0]?.message ?? ''}` }]
      if (!resolved.value) return []
      const { text, raw } = resolved.value
      return [{ of, dest, from, value: src.useRawData === true && raw !== undefined ? raw : text }]
    }),
  )
}
