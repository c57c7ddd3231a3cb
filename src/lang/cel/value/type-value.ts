import type { CelType } from '../type.ts'
import { Boxed } from './boxed.ts'

/** A type as a value. Two are equal when they have the same name: `type([1])` is `list`. */
export class TypeValue extends Boxed {
  readonly kind = 'type' as const
  readonly type: CelType

  constructor(type: CelType) {
    super()
    this.type = type
  }
}
