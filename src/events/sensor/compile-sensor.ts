import type { KubeObject } from '../../kube/object.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import type { Problem } from '../../lib/result.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import { type CompiledDependency, compileDependency } from './compile-dependency.ts'
import { type CompiledTrigger, compileTrigger } from './compile-trigger.ts'
import { type CheckTemplate, dependencyProblems } from './dependency-problems.ts'
import { annotationOf, busNameOf, readSensor, type Sensor, serviceAccountOf } from './sensor.ts'
import type { TriggerChecks } from './trigger.ts'

/** A Sensor that can be run. */
export interface CompiledSensor {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly busName: string
  readonly serviceAccount: string
  readonly dependencies: readonly CompiledDependency[]
  readonly triggers: readonly CompiledTrigger[]
  readonly errorOnFailedRound: boolean
  readonly loggingFields: Readonly<Record<string, string>>
  /** How often a synthetic event is sent through it. */
  readonly heartbeatMs?: number
}

/** What became of reading a Sensor: it can be run, or here is all that is wrong with it. */
export interface SensorReading {
  readonly compiled?: CompiledSensor
  readonly dependencies: readonly Problem[]
  readonly triggers: readonly Problem[]
  /** What is accepted but does nothing, or seems not to be meant. */
  readonly warnings: readonly string[]
}

/** What Sensors are compiled with. */
export interface SensorWorld {
  readonly fill: FillTemplate
  readonly template: CheckTemplate
  readonly checks: TriggerChecks
}

/** The annotation that asks for heartbeats, such as `30s`. */
export const HEARTBEAT = 'idp-blueprint.io/heartbeat'
const SHORTEST_HEARTBEAT_MS = 1_000

/** Compiles everything in a Sensor that can be compiled: filters, transforms, conditions, templates, schedules. */
export function compileSensor(object: KubeObject, world: SensorWorld): SensorReading {
  const { sensor, problems, unknown } = readSensor(object)
  const warnings = unknown.map((path) => `${path} is not a field of a Sensor and is ignored`)
  if (!sensor) {
    const ofTriggers = problems.filter(({ at }) => at?.startsWith('spec.triggers'))
    return { dependencies: problems.filter((one) => !ofTriggers.includes(one)), triggers: ofTriggers, warnings }
  }
  const { dependencies: given = [], triggers: specs = [], template } = sensor.spec
  const dependencies: Problem[] = given.flatMap((dependency, index) =>
    dependencyProblems(dependency, `spec.dependencies[${index}]`, world.template),
  )
  dependencies.push(...repeatedNames(given, 'spec.dependencies', 'a dependency'))
  if (given.length === 0)
    dependencies.push(problemAt('spec.dependencies', 'a Sensor must have at least one dependency'))
  const heartbeat = heartbeatOf(sensor)
  if (typeof heartbeat === 'string') dependencies.push(problemAt('metadata.annotations', heartbeat))
  const compiled = dependencies.length === 0 ? given.map((one) => compileDependency(one, world.fill)) : []
  const made = specs.map((spec, index) =>
    compileTrigger(spec, `spec.triggers[${index}]`, {
      owner: `${sensor.metadata.namespace ?? ''}/${sensor.metadata.name ?? ''}`,
      dependencies: given,
      compiled: new Map(compiled.map((one) => [one.name, one])),
      checks: world.checks,
      template: world.template,
    }),
  )
  const triggers: Problem[] = made.flatMap((one) => (one.ok ? [] : one.error))
  const names = specs.map(({ template: of }) => ({ name: of?.name ?? '' }))
  triggers.push(...repeatedNames(names, 'spec.triggers', 'a trigger'))
  if (specs.length === 0) triggers.push(problemAt('spec.triggers', 'a Sensor must have at least one trigger'))
  const runs = made.flatMap((one) => (one.ok ? [one.value] : []))
  warnings.push(...usageWarnings(sensor, runs), ...podWarnings(template))
  if (dependencies.length > 0 || triggers.length > 0) return { dependencies, triggers, warnings }
  return {
    compiled: { ...identityOf(sensor), dependencies: compiled, triggers: runs, ...heartbeatField(heartbeat) },
    dependencies,
    triggers,
    warnings,
  }
}

function identityOf(sensor: Sensor): Omit<CompiledSensor, 'dependencies' | 'triggers' | 'heartbeatMs'> {
  const { metadata, spec } = sensor
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    busName: busNameOf(sensor),
    serviceAccount: serviceAccountOf(sensor),
    errorOnFailedRound: spec.errorOnFailedRound === true,
    loggingFields: spec.loggingFields ?? {},
  }
}

const problemAt = (at: string, message: string): Problem => ({ code: 'sensor-invalid', at, message })

function repeatedNames(items: readonly { readonly name?: string }[], at: string, what: string): readonly Problem[] {
  const seen = new Set<string>()
  return items.flatMap(({ name = '' }, index) => {
    if (name === '' || !seen.has(name)) {
      seen.add(name)
      return []
    }
    return [problemAt(`${at}[${index}]`, `there is ${what} named ${JSON.stringify(name)} already`)]
  })
}

/** What is allowed and yet cannot be meant. */
function usageWarnings({ spec }: Sensor, triggers: readonly CompiledTrigger[]): readonly string[] {
  const read = new Set(triggers.flatMap(({ condition }) => condition.names))
  const unread = (spec.dependencies ?? []).filter(({ name }) => !read.has(name))
  const idle =
    triggers.length > 0 ? unread.map(({ name }) => `no trigger waits for the dependency ${JSON.stringify(name)}`) : []
  const retries = triggers
    .filter(({ atLeastOnce, spec: of }) => !atLeastOnce && of.retryStrategy !== undefined)
    .map(({ name }) => `the trigger ${JSON.stringify(name)} has a retryStrategy, but atLeastOnce: false tries once`)
  return [...idle, ...retries]
}

/** A Sensor needs no Pod here. */
function podWarnings(template: object | undefined): readonly string[] {
  const others = Object.keys(template ?? {}).filter((key) => key !== 'serviceAccountName')
  if (others.length === 0) return []
  return [`spec.template.${others.join(', spec.template.')}: a Sensor runs in the platform's process and has no Pod`]
}

function heartbeatOf(sensor: Sensor): number | string | undefined {
  const text = annotationOf(sensor, HEARTBEAT)
  if (text === undefined) return undefined
  const read = parseDuration(text)
  const ms = read.ok ? millisecondsOf(read.value) : 0
  if (ms >= SHORTEST_HEARTBEAT_MS) return ms
  return `the annotation ${HEARTBEAT} must be a duration of at least 1s, such as 30s, not ${JSON.stringify(text)}`
}

const heartbeatField = (heartbeat: number | string | undefined): { readonly heartbeatMs?: number } =>
  typeof heartbeat === 'number' ? { heartbeatMs: heartbeat } : {}
