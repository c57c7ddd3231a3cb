import { isObject, own } from '../../lib/json.ts'

/** Any object whose fields are looked at one by one, because somebody else defines its type. */
export type Fields = Readonly<Record<string, unknown>>

const NOTHING: Fields = {}

/** An object field, or an empty object where there is none. */
export const asFields = (value: unknown): Fields => (isObject(value) ? value : NOTHING)

/** A list's objects; what is not an object is left out. */
export const asObjects = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

const steps = new Map<string, readonly string[]>()

/** The value at a dotted path of the code's own making, such as `status.phase`. */
export function at(object: Fields, path: string): unknown {
  let names = steps.get(path)
  if (!names) steps.set(path, (names = path.split('.')))
  let value: unknown = object
  for (const name of names) value = isObject(value) ? own(value, name) : undefined
  return value === null ? undefined : value
}

/** A text at a path. */
export function textAt(object: Fields, path: string): string | undefined {
  const value = at(object, path)
  return typeof value === 'string' ? value : undefined
}

/** A number at a path, or what stands for a missing one. */
export function numberAt(object: Fields, path: string, missing: number = 0): number {
  const value = at(object, path)
  return typeof value === 'number' ? value : missing
}

/** Text and numbers as a message shows them; anything else is nothing. */
export const shown = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

/** One condition as controllers of all kinds write it. */
export interface Seen {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly severity?: string
  readonly observedGeneration?: number
  readonly lastTransitionTime?: string
}

/** The conditions in a list. Their fields are compared with texts and shown, never trusted further. */
export function conditionsIn(value: unknown): readonly Seen[] {
  return asObjects(value)
}

/** The conditions of an object's status. */
export const conditionsOf = (object: Fields): readonly Seen[] => conditionsIn(at(object, 'status.conditions'))

/** Tells whether a status speaks of the present spec: its generation is the object's, or neither says. */
export const isObserved = (object: Fields): boolean =>
  at(object, 'metadata.generation') === at(object, 'status.observedGeneration')
