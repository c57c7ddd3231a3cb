import { type CelType, dynType, isDyn, listOf, mapOf, opaque, typeOf } from '../type.ts'

const isDynOrError = (type: CelType): boolean => isDyn(type) || type.kind === 'error'

/** What type parameters stand for, with the way back when a guess fails. */
export class Substitution {
  readonly #bound = new Map<string, CelType>()
  #trail: (readonly [string, CelType | undefined])[] = []

  find(type: CelType): CelType | undefined {
    return type.kind === 'param' ? this.#bound.get(type.name) : undefined
  }

  #bind(param: CelType, type: CelType): void {
    this.#trail.push([param.name, this.#bound.get(param.name)])
    this.#bound.set(param.name, type)
  }

  /** Whether each left type can be used as the right one; on success the parameters stay bound. */
  assignAll(left: readonly CelType[], right: readonly CelType[]): boolean {
    this.#trail = []
    if (this.#assignList(left, right)) return true
    for (const [name, before] of this.#trail.toReversed()) {
      if (before) this.#bound.set(name, before)
      else this.#bound.delete(name)
    }
    return false
  }

  assign(left: CelType, right: CelType): boolean {
    return this.assignAll([left], [right])
  }

  #assignList(left: readonly CelType[], right: readonly CelType[]): boolean {
    return (
      left.length === right.length &&
      left.every((type, index) => {
        const other = right[index]
        return other !== undefined && this.#assign(type, other)
      })
    )
  }

  #assign(left: CelType, right: CelType): boolean {
    if (right.kind === 'param') {
      const hadBinding = this.find(right) !== undefined
      if (this.#substitutes(left, right)) return true
      if (hadBinding) return false
    }
    if (left.kind === 'param') return this.#substitutes(right, left)
    if (isDynOrError(left) || isDynOrError(right)) return true
    if (left.kind === 'null') return isNullable(right)
    if (right.kind === 'null') return isNullable(left)
    switch (left.kind) {
      case 'type':
        return right.kind === 'type'
      case 'list':
      case 'map':
      case 'opaque':
        return left.kind === right.kind && left.name === right.name && this.#assignList(left.params, right.params)
      case 'wrapper':
        return right.name === left.name
      default:
        return left.name === right.name
    }
  }

  /** Whether a type can stand for a parameter, binding it or generalising what it is bound to. */
  #substitutes(type: CelType, parameter: CelType): boolean {
    if (type.kind === 'param' && type.name === parameter.name) return true
    const bound = this.find(parameter)
    if (!bound) {
      if (!this.#isFree(parameter, type)) return false
      this.#bind(parameter, type)
      return true
    }
    if (type.equals(bound)) return true
    if (!this.#assign(type, bound)) return false
    const general = mostGeneral(type, bound)
    if (this.#isFree(parameter, general)) this.#bind(parameter, general)
    return true
  }

  /** Whether a parameter does not occur in a type. */
  #isFree(parameter: CelType, type: CelType): boolean {
    if (type.kind !== 'param') return type.params.every((inner) => this.#isFree(parameter, inner))
    if (type.name === parameter.name) return false
    const bound = this.find(type)
    return !bound || this.#isFree(parameter, bound)
  }

  /** The type with its bound parameters replaced; free ones become dyn when asked. */
  apply(type: CelType, freeToDyn = false): CelType {
    const bound = this.find(type)
    if (bound) return this.apply(bound, freeToDyn)
    if (type.kind === 'param') return freeToDyn ? dynType : type
    if (type.params.length === 0) return type
    const params = type.params.map((inner) => this.apply(inner, freeToDyn))
    return withParams(type, params)
  }
}

function withParams(type: CelType, params: readonly CelType[]): CelType {
  if (params.every((inner, index) => inner === type.params[index])) return type
  const [first = dynType, second = dynType] = params
  switch (type.kind) {
    case 'list':
      return listOf(first)
    case 'map':
      return mapOf(first, second)
    case 'type':
      return typeOf(first)
    case 'opaque':
      return opaque(type.name, ...params)
    default:
      return type
  }
}

function isNullable(type: CelType): boolean {
  return ['null', 'opaque', 'struct', 'any', 'duration', 'timestamp', 'wrapper'].includes(type.kind)
}

/** The more general of two types that fit each other. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  // What null was assigned to is what both are.
  if (b.kind === 'null') return a
  if (a.kind === 'null') return b
  return isNoMoreSpecific(a, b) ? a : b
}

function isNoMoreSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === 'param') return true
  if (isDyn(b) || b.kind === 'param') return false
  const [left, right] = [a.kind === 'wrapper' ? a.name : a.kind, b.kind === 'wrapper' ? b.name : b.kind]
  if (left !== right) return false
  // What may be null is more general than what may not.
  if (a.kind === 'wrapper') return true
  switch (a.kind) {
    case 'opaque':
    case 'list':
    case 'map':
      return (
        a.name === b.name &&
        a.params.length === b.params.length &&
        a.params.every((inner, index) => isNoMoreSpecific(inner, b.params[index] ?? dynType))
      )
    case 'type':
      return true
    default:
      return a.equals(b)
  }
}
