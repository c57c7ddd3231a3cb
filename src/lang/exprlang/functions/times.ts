import { findZone, utc } from '../../../lib/go-zone.ts'
import { duration, durationFrom, durationOf, time, timeFrom } from '../time.ts'
import { ExprError, ExprObject, type Value } from '../value.ts'
import { count, text } from './arguments.ts'
import type { Builtin } from './functions.ts'

const zoneNamed = (name: Value) => {
  if (name === undefined) return utc
  const inner =
    name instanceof ExprObject && name.type === 'time.Location' ? String(name.inner) : text('timezone', name)
  const zone = inner === 'UTC' ? utc : findZone(inner)
  if (!zone) throw new ExprError(`unknown time zone ${inner}`)
  return zone
}

/** Functions of time. */
export const times: readonly (readonly [string, Builtin])[] = [
  [
    'now',
    (args, run) => {
      count('now', args, 0, 1)
      return time(run.nowMs, zoneNamed(args[0]))
    },
  ],
  [
    'duration',
    (args) => {
      count('duration', args, 1)
      const known = durationOf(args[0])
      return known === undefined ? durationFrom(text('duration', args[0])) : duration(known)
    },
  ],
  [
    'date',
    (args) => {
      count('date', args, 1, 3)
      return timeFrom(
        text('date', args[0]),
        args[1] === undefined ? undefined : text('date', args[1]),
        zoneNamed(args[2]),
      )
    },
  ],
  [
    'timezone',
    (args) => {
      count('timezone', args, 1)
      const name = text('timezone', args[0])
      zoneNamed(name)
      return new ExprObject('time.Location', name, name, new Map([['String', () => name]]))
    },
  ],
]
