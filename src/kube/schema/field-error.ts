import type { Problem } from '../../lib/result.ts'
import { groupKindText } from '../gvk.ts'
import { failure, type Status, type StatusCause } from '../status.ts'

/** A problem with one field, in the words and with the reason that the Kubernetes API uses. */
export interface FieldError extends Problem {
  /** Such as `spec.containers[0].name`. */
  readonly at: string
  /** What the API puts into the causes of a Status. */
  readonly reason: FieldReason
}

export type FieldReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'

/** Longer values are cut in messages. */
const LONGEST_VALUE = 2_000

/** A value as messages print it: quoted text, bare scalars, JSON for the rest. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  try {
    return cut(JSON.stringify(value))
  } catch {
    // Nested deeper than the stack allows; the message can do without it.
    return Array.isArray(value) ? '[...]' : '{...}'
  }
}

const cut = (text: string): string => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text)
const because = (detail: string): string => (detail === '' ? '' : `: ${detail}`)

/** A field that must be there is not. */
export const required = (at: string, detail: string = ''): FieldError => ({
  code: 'field-required',
  reason: 'FieldValueRequired',
  at,
  message: `Required value${because(detail)}`,
})

/** A value that is malformed or out of bounds. */
export const invalid = (at: string, value: unknown, detail: string): FieldError => ({
  code: 'field-invalid',
  reason: 'FieldValueInvalid',
  at,
  message: `Invalid value: ${valueText(value)}${because(detail)}`,
})

/** A value of another JSON type than the schema's. */
export const typeInvalid = (at: string, value: unknown, detail: string): FieldError => ({
  code: 'field-type-invalid',
  reason: 'FieldValueTypeInvalid',
  at,
  message: `Invalid value: ${valueText(value)}${because(detail)}`,
})

/** A value that is not one of the listed ones. */
export const notSupported = (at: string, value: unknown, supported: readonly string[]): FieldError => ({
  code: 'field-not-supported',
  reason: 'FieldValueNotSupported',
  at,
  message: `Unsupported value: ${valueText(value)}${
    supported.length > 0 ? `: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}` : ''
  }`,
})

/** A value that must be unique and is not. */
export const duplicate = (at: string, value: unknown): FieldError => ({
  code: 'field-duplicate',
  reason: 'FieldValueDuplicate',
  at,
  message: `Duplicate value: ${valueText(value)}`,
})

/** A value that other circumstances would allow. */
export const forbidden = (at: string, detail: string): FieldError => ({
  code: 'field-forbidden',
  reason: 'FieldValueForbidden',
  at,
  message: `Forbidden${because(detail)}`,
})

/** A text beyond its greatest length; the text is left out. */
export const tooLong = (at: string, most: number): FieldError => ({
  code: 'field-too-long',
  reason: 'FieldValueTooLong',
  at,
  message: `Too long: may not be more than ${most} ${most === 1 ? 'byte' : 'bytes'}`,
})

/** A list or an object with more entries than it may have. */
export const tooMany = (at: string, count: number, most: number): FieldError => ({
  code: 'field-too-many',
  reason: 'FieldValueTooMany',
  at,
  message: `Too many: ${count}: must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
})

/** A reference to something that does not exist. */
export const notFound = (at: string, value: unknown): FieldError => ({
  code: 'field-not-found',
  reason: 'FieldValueNotFound',
  at,
  message: `Not found: ${valueText(value)}`,
})

/** The field of a Status' causes that a problem becomes. */
export const causeOf = (problem: FieldError): StatusCause => ({
  reason: problem.reason,
  message: problem.message,
  field: problem.at,
})

/** The 422 answer to an object with problems: all of them, in one line each and as causes. */
export function invalidStatus(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  problems: readonly FieldError[],
): Status {
  const lines = [...new Set(problems.map(({ at, message }) => `${at}: ${message}`))]
  const text = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`
  return failure('Invalid', `${groupKindText(kind)} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: problems.map(causeOf),
  })
}
