import { usualBudget, Run } from '../../../lang/jmespath/run.ts'
import { drawText } from '../../../lang/jmespath/functions/random.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { type Library, overload } from '../../../lang/cel/library/library.ts'
import { isNamespace, type Macro } from '../../../lang/cel/syntax/macro.ts'
import { type CelType, opaque } from '../../../lang/cel/type.ts'
import type { Duration } from '../../../lang/cel/value/duration.ts'
import { civilTime, type Timestamp, toTimestamp } from '../../../lang/cel/value/timestamp.ts'
import type { Outside } from './outside.ts'

/** The hidden variable that functions without a receiver find time and chance in; no program can write this name. */
export const AMBIENT = '@outside'
export const ambientType: CelType = opaque('kyverno.outside')

/** Calls of a function, or of one in a namespace, get the hidden variable as their first argument. */
const ambient = (name: string, target: string, namespace?: string): Macro => ({
  name,
  receiver: namespace !== undefined,
  arity: 'any',
  expand(nodes, call) {
    if (namespace !== undefined && !isNamespace(call.target, namespace)) return undefined
    return nodes.call(call.at, target, [nodes.ident(call.at, AMBIENT), ...call.args])
  },
})

const USUAL_PATTERN = '[0-9a-z]{8}'

function draw({ asker }: Outside, pattern: string = USUAL_PATTERN): string {
  try {
    return drawText(pattern, new Run({ now: asker.world.now, ids: asker.world.ids }, usualBudget))
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error))
  }
}

const NANOS_IN_MS = 1_000_000n
/** From the first of January of the year 1, where truncation counts from, to that of 1970. */
const YEAR_ONE = 62_135_596_800n * 1_000_000_000n

function truncate(time: Timestamp, step: Duration): Timestamp {
  if (step.nanos <= 0n) return time
  return toTimestamp(time.nanos - ((time.nanos + YEAR_ONE) % step.nanos))
}

function toCron(time: Timestamp): string {
  const { minute, hour, day, month, weekday } = civilTime(time)
  return `${minute} ${hour} ${day} ${month + 1} ${weekday}`
}

const A = ambientType.name

/** `random()`, `random(pattern)`, `time.now()`, `time.toCron(t)`, `time.truncate(t, d)`. */
export const chanceLibrary: Library = {
  name: 'kyverno.chance',
  types: [ambientType],
  macros: [ambient('random', '@random'), ambient('random', '@random', 'random'), ambient('now', '@now', 'time')],
  overloads: [
    overload('random_string_default_expr', `@random(${A}): string`, draw),
    overload('random_string', `@random(${A}, string): string`, draw),
    overload('time_now', `@now(${A}): timestamp`, ({ asker }: Outside) =>
      toTimestamp(BigInt(Math.trunc(asker.world.now())) * NANOS_IN_MS),
    ),
    overload('time_to_cron', 'time.toCron(timestamp): string', toCron),
    overload('time_truncate', 'time.truncate(timestamp, duration): timestamp', truncate),
  ],
}
