import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import type { Column } from './resource.ts'

/** The name of an object: the first column of every table. */
export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name of the object within its namespace.',
  priority: 0,
  cell: ({ metadata }) => metadata.name ?? '',
}

/** How long ago an object was created: the last column of most tables. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the object was created.',
  priority: 0,
  cell: ({ metadata }: KubeObject, nowMs) => ageText(metadata.creationTimestamp, nowMs),
}

/** The columns of a built-in kind. */
export function columnsOf(_gvk: GroupVersionKind): readonly Column[] {
  return [nameColumn, ageColumn]
}

/** A time as the distance to now: `5m`, `3h20m`, `2d`. */
export function ageText(timestamp: unknown, nowMs: number): string {
  const at = typeof timestamp === 'string' ? parseTime(timestamp) : undefined
  return at === undefined ? '<unknown>' : durationText(nowMs - at)
}

/** A duration with as many units as a person wants to read. */
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
