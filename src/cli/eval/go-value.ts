import { setOwn } from '../../lib/json.ts'
import { parseTime } from '../../lib/go-layout.ts'
import { goDuration, goTime } from '../../lang/gotemplate/time-values.ts'
import {
  goError,
  GoInt,
  GoMap,
  GoNamed,
  HostObject,
  INTS,
  JSON_NUMBER,
  stringList,
  withType,
  type GoType,
} from '../../lang/gotemplate/value.ts'

/** How JSON becomes the values of a template. */
export interface GoValues {
  /** Whole numbers are Go ints rather than floats. */
  readonly wholeNumbersAreInts: boolean
  /** Go types by JSON pointer; `` is the whole value. */
  readonly types: Readonly<Record<string, string>>
}

const INT_TYPES: Readonly<Record<string, GoType>> = INTS

function structOf(type: string, value: unknown, convert: (value: unknown, key: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, convert(field, name)])
  return new HostObject({ name: type, kind: type.startsWith('*') ? 'ptr' : 'struct' }, new Map(fields))
}

function timeFrom(value: unknown): unknown {
  if (typeof value === 'number')
    return goTime({ seconds: value, nanos: 0, zone: { name: 'UTC', at: () => ({ seconds: 0, abbreviation: 'UTC' }) } })
  const [layout, text] = Array.isArray(value)
    ? value.map(String)
    : ['2006-01-02T15:04:05.999999999Z07:00', String(value)]
  const time = parseTime(layout ?? '', text ?? '')
  return typeof time === 'string' ? time : goTime(time)
}

const STRING_MAP: GoType = {
  name: 'map[string]string',
  kind: 'map',
  key: { name: 'string', kind: 'string' },
  elem: { name: 'string', kind: 'string' },
}
const stringer = (text: unknown): HostObject =>
  new HostObject({ name: 'main.stringer', kind: 'struct', text: () => String(text) })

const CONVERSIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
  string: String,
  float64: Number,
  'time.Time': timeFrom,
  'time.Duration': (value) => goDuration(BigInt(String(value))),
  'json.Number': (value) => new GoNamed(JSON_NUMBER, String(value)),
  '[]byte': (value) => Buffer.from(String(value)),
  '[]string': (value) => (Array.isArray(value) ? stringList(value.map(String)) : value),
  '[]int': (value) =>
    Array.isArray(value)
      ? withType(
          value.map((item) => new GoInt(INTS.int, BigInt(String(item)))),
          { name: '[]int', kind: 'slice', elem: INTS.int },
        )
      : value,
  'map[string]string': (value) => new GoMap(STRING_MAP, new Map(Object.entries(value as Record<string, string>))), // as the request says
  error: (value) => goError(String(value)),
  'fmt.Stringer': stringer,
}

const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Turns JSON into values of a template. */
export function goValue(value: unknown, options: GoValues, at = ''): unknown {
  const type = Object.hasOwn(options.types, at) ? options.types[at] : undefined
  const below = (item: unknown, key: string): unknown => goValue(item, options, `${at}/${escapeKey(key)}`)
  if (type !== undefined) {
    const whole = INT_TYPES[type]
    if (whole) return new GoInt(whole, BigInt(String(value)))
    const convert = Object.hasOwn(CONVERSIONS, type) ? CONVERSIONS[type] : undefined
    return convert ? convert(value) : structOf(type, value, below)
  }
  if (typeof value === 'number') {
    return options.wholeNumbersAreInts && Number.isInteger(value) ? new GoInt(INTS.int, BigInt(value)) : value
  }
  if (Array.isArray(value)) return value.map((item, index) => below(item, String(index)))
  if (typeof value !== 'object' || value === null) return value
  const map: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(map, key, below(item, key))
  return map
}
