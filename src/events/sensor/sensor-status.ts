import { type Condition, setCondition, withoutCondition } from '../../kube/condition.ts'
import { explain, type Problem } from '../../lib/result.ts'
import type { SensorReading } from './compile-sensor.ts'
import type { Trouble } from './deliver.ts'
import type { HeartbeatState } from './running-sensor.ts'

/** Everything that the status of a Sensor is made of. */
export interface SeenSensor {
  readonly reading: SensorReading
  readonly busName: string
  readonly bus: 'ready' | 'not-ready' | 'missing'
  readonly generation: number
  /** Rights that triggers lack. */
  readonly missingRights: readonly Problem[]
  /** Absent while it does not run. */
  readonly running?: {
    readonly troubles: ReadonlyMap<string, Trouble>
    readonly heartbeat: HeartbeatState | undefined
    readonly stoppedBecause: string | undefined
  }
  readonly deadLetters: number
}

/** A message is read at a glance. */
const LONGEST = 1_000

interface Said {
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
}

const yes = (reason: string, message = ''): Said => ({ status: 'True', reason, message })
const no = (reason: string, message: string): Said => ({ status: 'False', reason, message: message.slice(0, LONGEST) })
const unknown = (reason: string, message: string): Said => ({ status: 'Unknown', reason, message })

/** `1 trigger`, `2 triggers`. */
const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

/** Problems as one line that does not change as long as they do not. */
const lineOf = (problems: readonly Problem[]): string => problems.map(explain).join('; ')

/** What is so of a Sensor: upstream's three conditions, and what upstream leaves unsaid. The first that is not True is why it is not Ready. */
export function sensorConditions(seen: SeenSensor): readonly Condition[] {
  const { reading, running } = seen
  const said: [type: string, said: Said][] = [
    ['DependenciesProvided', dependenciesOf(reading)],
    ['TriggersProvided', triggersOf(reading)],
    ['Deployed', deployedOf(seen)],
    ['Subscribed', subscribedOf(seen)],
    ['RightsGranted', rightsOf(seen)],
    ['Delivering', deliveringOf(seen)],
  ]
  if (reading.compiled?.heartbeatMs !== undefined) said.push(['Heartbeat', heartbeatOf(running?.heartbeat)])
  const wrong = said.find(([, { status }]) => status === 'False') ?? said.find(([, { status }]) => status !== 'True')
  const ready = wrong ? { ...wrong[1], message: `${wrong[0]}: ${wrong[1].message}` } : yes('Ready')
  return [...said, ['Ready', ready] as const].map(([type, one]) => ({
    type,
    ...one,
    observedGeneration: seen.generation,
  }))
}

const dependenciesOf = ({ dependencies }: SensorReading): Said =>
  dependencies.length === 0 ? yes('Valid') : no('InvalidDependencies', lineOf(dependencies))

const triggersOf = ({ triggers }: SensorReading): Said =>
  triggers.length === 0 ? yes('Valid') : no('InvalidTriggers', lineOf(triggers))

function deployedOf({ bus, busName, reading }: SeenSensor): Said {
  if (bus === 'missing')
    return no('EventBusNotFound', `there is no EventBus ${JSON.stringify(busName)} in the namespace of the Sensor`)
  if (bus === 'not-ready') return no('EventBusNotReady', `EventBus ${JSON.stringify(busName)} is not ready`)
  if (!reading.compiled) return no('InvalidSpec', 'nothing runs until the spec is mended')
  return yes('Running', `runs in the platform's process on EventBus ${busName}`)
}

function subscribedOf({ reading, running }: SeenSensor): Said {
  if (!reading.compiled || !running) return unknown('NotDeployed', 'it does not run')
  if (running.stoppedBecause !== undefined) return no('FailedRound', running.stoppedBecause)
  const { dependencies, triggers } = reading.compiled
  return yes('Subscribed', `triggers: ${triggers.length}, dependencies: ${dependencies.length}`)
}

function rightsOf({ reading, missingRights }: SeenSensor): Said {
  if (!reading.compiled) return unknown('NotDeployed', 'it does not run')
  if (missingRights.length === 0) return yes('Granted')
  const each = missingRights.map(({ message, cure }) => (cure === undefined ? message : `${message}; ${cure}`))
  return no('MissingRights', [...new Set(each)].join(' / '))
}

function deliveringOf({ running, deadLetters }: SeenSensor): Said {
  if (!running) return unknown('NotDeployed', 'it does not run')
  const kept = deadLetters === 0 ? '' : `${counted(deadLetters, 'dead letter')} kept`
  const [first] = running.troubles
  if (!first) return yes('Delivering', kept)
  const [trigger, { because, attempts, steps, nextMs, eventIds }] = first
  const of = `trigger ${JSON.stringify(trigger)}${eventIds.length > 0 ? `, event ${eventIds.join(', ')}` : ''}`
  if (nextMs === undefined)
    return no('GivenUp', `${of}: given up after ${counted(attempts, 'attempt')}: ${because}${kept ? `; ${kept}` : ''}`)
  const next = new Date(nextMs).toISOString()
  return no('Retrying', `${of}: attempt ${attempts} of ${steps} failed: ${because}; the next is at ${next}`)
}

function heartbeatOf(heartbeat: HeartbeatState | undefined): Said {
  if (!heartbeat) return unknown('Waiting', 'the first heartbeat is on its way')
  return heartbeat.isMissed ? no('Missed', heartbeat.because) : yes('Received', heartbeat.because)
}

/** The conditions that a Sensor has next; the very list that it has, when nothing is different. */
export function nextSensorConditions(
  before: readonly Condition[],
  wanted: readonly Condition[],
  nowMs: number,
): readonly Condition[] {
  let next = before
  if (!wanted.some(({ type }) => type === 'Heartbeat')) next = withoutCondition(next, 'Heartbeat')
  for (const condition of wanted) next = setCondition(next, condition, nowMs)
  return next
}
