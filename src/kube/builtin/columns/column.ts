import { isObject, own } from '../../../lib/json.ts'
import type { KubeObject } from '../../object.ts'
import { parseTime } from '../../time.ts'
import { type Fields, fieldsOf, listOf } from '../defaulting.ts'

/** A column of the table that `kubectl get` prints. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** Shown always at 0, in wide output above. */
  readonly priority: number
  readonly cell: (object: KubeObject, nowMs: number) => unknown
}

type Cell = Column['cell']

/** A column with text. */
export const column = (name: string, description: string, cell: Cell): Column => ({
  name,
  type: 'string',
  description,
  priority: 0,
  cell,
})

/** A column with a whole number. */
export const count = (name: string, description: string, cell: Cell): Column => ({
  ...column(name, description, cell),
  type: 'integer',
})

/** A column that only wide output shows. */
export const wide = (name: string, description: string, cell: Cell): Column => ({
  ...column(name, description, cell),
  priority: 1,
})

/** The name of an object: the first column of nearly every table. */
export const nameColumn: Column = {
  ...column('Name', 'The name of the object within its namespace.', ({ metadata }) => metadata.name ?? ''),
  format: 'name',
}

/** How long ago an object was created. */
export const ageColumn: Column = column('Age', 'How long ago the object was created.', ({ metadata }, nowMs) =>
  ageText(metadata.creationTimestamp, nowMs),
)

/** When an object was created: for kinds that print the date itself. */
export const createdColumn: Column = {
  ...column('Created At', 'When the object was created.', ({ metadata }) => metadata.creationTimestamp ?? ''),
  type: 'date',
}

/** The value at a path of field names; undefined where there is none. */
export function at(object: unknown, ...path: readonly string[]): unknown {
  let value = object
  for (const name of path) {
    if (!isObject(value)) return undefined
    value = own(value, name)
  }
  return value
}

/** Text at a path, or '' where there is none. */
export function textAt(object: unknown, ...path: readonly string[]): string {
  return plainText(at(object, ...path))
}

/** A scalar as text; '' for everything else. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** A number at a path, or 0 where there is none. */
export function numberAt(object: unknown, ...path: readonly string[]): number {
  const value = at(object, ...path)
  return typeof value === 'number' ? value : 0
}

/** A list of objects at a path. */
export function objectsAt(object: unknown, ...path: readonly string[]): readonly Fields[] {
  return listOf(at(object, ...path)).map(fieldsOf)
}

/** How absent values are printed. */
export const orNone = (text: string): string => (text === '' ? '<none>' : text)

/** A time as the distance to now: `5m`, `3h20m`, `2d`. */
export function ageText(timestamp: unknown, nowMs: number): string {
  const then = typeof timestamp === 'string' ? parseTime(timestamp) : undefined
  return then === undefined ? '<unknown>' : durationText(nowMs - then)
}

/** A duration with as many units as a person wants to read: two while they matter, then one. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 192) return withRest(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.floor(days / 365)
  if (days < 2_920) return withRest(years, 'y', days % 365, 'd')
  return `${years}y`
}

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`

/** Labels as `a=b,c=d`, sorted. */
export function labelsText(labels: unknown): string {
  const entries = Object.entries(fieldsOf(labels)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return orNone(entries.map(([key, value]) => `${key}=${plainText(value)}`).join(','))
}

/** A label selector as text, `<none>` when it is empty. */
export function selectorText(selector: unknown): string {
  const { matchLabels, matchExpressions } = fieldsOf(selector)
  const labels = Object.entries(fieldsOf(matchLabels)).map(([key, value]) => `${key}=${plainText(value)}`)
  const rules = listOf(matchExpressions).map((rule) => {
    const { key, operator, values } = fieldsOf(rule)
    const list = `(${listOf(values).map(plainText).toSorted().join(',')})`
    if (operator === 'In') return `${plainText(key)} in ${list}`
    if (operator === 'NotIn') return `${plainText(key)} notin ${list}`
    return operator === 'DoesNotExist' ? `!${plainText(key)}` : plainText(key)
  })
  return orNone([...labels, ...rules].toSorted().join(','))
}

/** The first three of a list, and how many more there are. */
export function firstThree(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(',')
  return items.length > 3 ? `${shown} + ${items.length - 3} more...` : orNone(shown)
}

/** The columns about the containers of a Pod template, for wide output. */
export function templateColumns(...path: readonly string[]): readonly Column[] {
  const containers = (object: KubeObject): readonly Fields[] => objectsAt(object, ...path, 'spec', 'containers')
  return [
    wide('Containers', 'The names of the containers in the template.', (object) =>
      containers(object)
        .map((one) => textAt(one, 'name'))
        .join(','),
    ),
    wide('Images', 'The images of the containers in the template.', (object) =>
      containers(object)
        .map((one) => textAt(one, 'image'))
        .join(','),
    ),
  ]
}

/** A column about a selector, for wide output. */
export const selectorColumn = (...path: readonly string[]): Column =>
  wide('Selector', 'The selector of the Pods.', (object) => selectorText(at(object, ...path)))

/** The status of a condition: True, False, Unknown, or '' when there is none of that type. */
export function conditionOf(object: unknown, type: string): Fields {
  return objectsAt(object, 'status', 'conditions').find((condition) => condition['type'] === type) ?? {}
}
