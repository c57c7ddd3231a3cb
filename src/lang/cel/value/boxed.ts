import type { CelType } from '../type.ts'

export type Kind =
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'list'
  | 'map'
  | 'duration'
  | 'timestamp'
  | 'type'
  | 'optional'
  | 'object'

/** The base of every value that is not a plain JavaScript one. */
export abstract class Boxed {
  abstract readonly kind: Kind
}

/** A value of a library's own type, or a message: what its type is, and when two are equal. */
export abstract class CelObject extends Boxed {
  readonly kind = 'object' as const
  abstract readonly type: CelType
  abstract equals(other: unknown): boolean
}

/** An object with fields: a message, or an object of a schema. */
export abstract class Fields extends CelObject {
  /** The field's value (its default when it is not set); throws where the type has no such field. */
  abstract get(field: string): unknown
  abstract has(field: string): boolean
  /** Whether every field has its default. */
  abstract isZero(): boolean
}
