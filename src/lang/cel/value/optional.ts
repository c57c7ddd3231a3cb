import { Boxed } from './boxed.ts'

/** A value that may be absent. */
export class Optional extends Boxed {
  readonly kind = 'optional' as const
  readonly value: unknown
  readonly present: boolean

  constructor(present: boolean, value: unknown) {
    super()
    this.present = present
    this.value = value
  }
}

export const none: Optional = new Optional(false, undefined)
export const some = (value: unknown): Optional => new Optional(true, value)
