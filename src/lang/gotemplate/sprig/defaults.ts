import { fn, type FunctionTable } from '../function.ts'
import { marshalJson, unmarshalJson } from '../json.ts'
import { isTrue } from '../truth.ts'
import { Failure, GoFunction, HostObject } from '../value.ts'

/** Sprig's notion of emptiness: the zero value of a type; structs are never empty. */
export const isEmpty = (value: unknown): boolean =>
  !(value instanceof HostObject && value.type.kind !== 'map') && !(value instanceof GoFunction) && !isTrue(value)

/** Fails are swallowed: what was made until then, or nothing. */
const orNothing = (value: unknown, nothing: unknown): unknown => (value instanceof Failure ? nothing : value)

const PRETTY = { escapesHtml: true, indent: '  ' } as const
const RAW = { escapesHtml: false } as const

/** Defaults, and JSON in and out. */
export const defaults: FunctionTable = {
  default: fn(['any', '...any'], 'any', (fallback, ...given) =>
    given.length === 0 || isEmpty(given[0]) ? fallback : given[0],
  ),
  empty: fn(['any'], 'any', (value) => isEmpty(value)),
  coalesce: fn(['...any'], 'any', (...values) => values.find((value) => !isEmpty(value)) ?? null),
  all: fn(['...any'], 'any', (...values) => values.every((value) => !isEmpty(value))),
  any: fn(['...any'], 'any', (...values) => values.some((value) => !isEmpty(value))),
  ternary: fn(['any', 'any', 'bool'], 'any', (yes, no, is) => (is ? yes : no)),
  fromJson: fn(['string'], 'any', (text) => orNothing(unmarshalJson(text), null)),
  mustFromJson: fn(['string'], 'any', unmarshalJson),
  toJson: fn(['any'], 'any', (value) => orNothing(marshalJson(value), '')),
  mustToJson: fn(['any'], 'any', (value) => marshalJson(value)),
  toPrettyJson: fn(['any'], 'any', (value) => orNothing(marshalJson(value, PRETTY), '')),
  mustToPrettyJson: fn(['any'], 'any', (value) => marshalJson(value, PRETTY)),
  toRawJson: fn(['any'], 'any', (value) => marshalJson(value, RAW)),
  mustToRawJson: fn(['any'], 'any', (value) => marshalJson(value, RAW)),
}
