import { isObject } from '../../lib/json.ts'
import type { Destination } from './subscriptions.ts'

/** What was sent: key to Unix seconds. */
export type NotifiedState = ReadonlyMap<string, number>

/** More than this is forgotten, the oldest first. */
const MOST = 100

/** The name under which a notification is remembered. */
export function stateKey(
  trigger: string,
  condition: string,
  { service, recipient }: Destination,
  oncePer: string,
): string {
  const key = `${trigger}:${condition}:${service}:${recipient}`
  return oncePer === '' ? key : `${oncePer}:${key}`
}

/** Reads the annotation; what is no state is none. */
export function readState(annotation: string | undefined): NotifiedState {
  if (annotation === undefined) return new Map()
  try {
    const value: unknown = JSON.parse(annotation)
    if (!isObject(value)) return new Map()
    return new Map(Object.entries(value).flatMap(([key, at]) => (typeof at === 'number' ? [[key, at] as const] : [])))
  } catch (cause) {
    if (cause instanceof SyntaxError) return new Map()
    throw cause
  }
}

/** Writes the annotation, keys sorted; undefined where there is nothing to remember. */
export function writeState(state: NotifiedState): string | undefined {
  if (state.size === 0) return undefined
  const newest = [...state].toSorted(([, a], [, b]) => b - a).slice(0, MOST)
  return JSON.stringify(Object.fromEntries(newest.toSorted(([a], [b]) => (a < b ? -1 : 1))))
}
