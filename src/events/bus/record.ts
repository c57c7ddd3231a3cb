import { createHash } from 'node:crypto'
import type { SensorEvent } from '../event.ts'

/** An event on the log. */
export interface LoggedEvent {
  readonly is: 'event'
  /** Its place: events of a process are numbered in the order in which they were accepted. */
  readonly seq: number
  readonly acceptedMs: number
  readonly eventSourceName: string
  readonly eventName: string
  readonly event: SensorEvent
}

/** An event that a trigger keeps until its condition holds. */
export interface HeldEvent {
  readonly seq: number
  readonly acceptedMs: number
  readonly event: SensorEvent
}

/** How far a trigger has come. Written only after what it says is done. */
export interface CursorRecord {
  readonly is: 'cursor'
  /** The Sensor's, so that a namesake begins anew. */
  readonly uid: string
  /** Everything up to this place is done with. */
  readonly seq: number
  /** What the held events were held for: dependencies and condition. */
  readonly digest: string
  /** By dependency name. */
  readonly held: readonly (readonly [dependency: string, held: HeldEvent])[]
}

/** Events that a trigger was given up on, with why, until somebody replays or drops them. */
export interface DeadLetter {
  readonly is: 'dead-letter'
  readonly id: string
  readonly namespace: string
  readonly sensor: string
  readonly trigger: string
  readonly atMs: number
  readonly attempts: number
  readonly because: string
  /** What became of the trigger that takes dead letters, where there is one. */
  readonly dlq?: string
  /** By dependency name. */
  readonly events: readonly (readonly [dependency: string, event: SensorEvent])[]
}

/** That a Sensor with `errorOnFailedRound` has stopped, and for which version of its spec. */
export interface StoppedRecord {
  readonly is: 'stopped'
  readonly uid: string
  readonly generation: number
  readonly because: string
}

/** Everything that the store of events holds. `gone` is the last word on a key. */
export type BusRecord = LoggedEvent | CursorRecord | DeadLetter | StoppedRecord | { readonly is: 'gone' }

export const gone: BusRecord = { is: 'gone' }

/** Ids longer than this are remembered by their digest. */
const LONGEST_ID = 100

/** An event's id as it is remembered: whoever sends chooses how long it is. */
export const idOf = (id: string): string =>
  id.length <= LONGEST_ID ? id : createHash('sha256').update(id).digest('hex')

const PLACES = 14

/** A part of a key that can hold anything. Half of a surrogate pair, which no name should hold, becomes U+FFFD. */
const part = (text: string): string =>
  /^[\w.-]*$/.test(text) ? text : encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'))

const busKey = (namespace: string, name: string): string => `event/${part(namespace)}/${part(name)}/`
const sensorKey = (namespace: string, sensor: string): string => `cursor/${part(namespace)}/${part(sensor)}/`
const deadKey = (namespace: string, sensor?: string): string =>
  sensor === undefined ? `dead/${part(namespace)}/` : `dead/${part(namespace)}/${part(sensor)}/`

/** Where records lie in the store. */
export const keys: Readonly<{
  bus: (namespace: string, name: string) => string
  event: (namespace: string, bus: string, seq: number) => string
  sensor: (namespace: string, sensor: string) => string
  cursor: (namespace: string, sensor: string, trigger: string) => string
  deadLetters: (namespace: string, sensor?: string) => string
  deadLetter: (namespace: string, sensor: string, id: string) => string
  stopped: (namespace: string, sensor: string) => string
}> = {
  bus: busKey,
  event: (namespace, bus, seq) => busKey(namespace, bus) + String(seq).padStart(PLACES, '0'),
  sensor: sensorKey,
  cursor: (namespace, sensor, trigger) => sensorKey(namespace, sensor) + part(trigger),
  deadLetters: deadKey,
  deadLetter: (namespace, sensor, id) => deadKey(namespace, sensor) + part(id),
  stopped: (namespace, sensor) => `stopped/${part(namespace)}/${part(sensor)}`,
}
