import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { Environment, FunctionDeclaration } from '../environment.ts'
import type { Overload } from '../library/library.ts'
import { positionOf } from '../position.ts'
import {
  type Ast,
  type Call,
  type Comprehension,
  type Expr,
  type ListExpr,
  type MapExpr,
  qualifiedName,
  type Select,
  type StructExpr,
} from '../syntax/ast.ts'
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  dynType,
  errorType,
  intType,
  isDyn,
  isOptionalType,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  param,
  stringType,
  typeOf,
  uintType,
} from '../type.ts'
import { badLiteral } from './literals.ts'
import { mostGeneral, Substitution } from './unify.ts'

/** What a node refers to: a name, or the overloads that a call may run. */
export interface Reference {
  readonly name?: string
  readonly overloads: readonly string[]
}

/** An expression whose types are known. */
export interface Checked {
  readonly ast: Ast
  readonly type: CelType
  readonly types: ReadonlyMap<number, CelType>
  readonly references: ReadonlyMap<number, Reference>
}

const literalTypes: Readonly<Record<string, CelType>> = {
  null: nullType,
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
}

const MAX_PROBLEMS = 100

/** Infers the types of an expression, or says what does not fit. */
export function check(ast: Ast, environment: Environment): Result<Checked> {
  const checker = new Checker(ast, environment)
  return checker.run()
}

interface Scope {
  readonly name: string
  readonly type: CelType
  readonly outer: Scope | undefined
}

function find(scope: Scope | undefined, name: string): Scope | undefined {
  for (let local = scope; local; local = local.outer) {
    if (local.name === name) return local
  }
  return undefined
}

/** The result and the arguments of an overload, and the names of its type parameters. */
interface SignatureTypes {
  readonly types: readonly CelType[]
  readonly names: readonly string[]
}

const signatures = new WeakMap<Overload, SignatureTypes>()

function signatureOf(overload: Overload): SignatureTypes {
  const known = signatures.get(overload)
  if (known) return known
  const names = new Set<string>()
  const collect = (type: CelType): void => {
    if (type.kind === 'param') names.add(type.name)
    for (const inner of type.params) collect(inner)
  }
  const types = [overload.result, ...overload.args]
  for (const type of types) collect(type)
  const made = { types, names: [...names] }
  signatures.set(overload, made)
  return made
}

class Checker {
  readonly #ast: Ast
  readonly #environment: Environment
  readonly #types = new Map<number, CelType>()
  readonly #references = new Map<number, Reference>()
  readonly #problems: Problem[] = []
  readonly #substitution = new Substitution()
  #variables = 0

  constructor(ast: Ast, environment: Environment) {
    this.#ast = ast
    this.#environment = environment
  }

  run(): Result<Checked> {
    this.#check(this.#ast.expr, undefined)
    if (this.#problems.length > 0) return fail(...this.#problems)
    const types = new Map<number, CelType>()
    for (const [id, type] of this.#types) types.set(id, this.#substitution.apply(type, true))
    const type = types.get(this.#ast.expr.id) ?? dynType
    return succeed({ ast: this.#ast, type, types, references: this.#references })
  }

  #report(at: number, message: string): CelType {
    if (this.#problems.length < MAX_PROBLEMS) {
      this.#problems.push({ code: 'cel-type-mismatch', at: positionOf(this.#ast.source, at), message })
    }
    return errorType
  }

  #undeclared(at: number, name: string): CelType {
    const { container } = this.#environment
    return this.#report(at, `undeclared reference to '${name}' (in container '${container}')`)
  }

  #fresh(): CelType {
    return param(`_var${this.#variables++}`)
  }

  #text(type: CelType): string {
    return this.#substitution.apply(type, true).text
  }

  /** Infers and keeps the type of a node. */
  #check(expr: Expr, scope: Scope | undefined): CelType {
    const known = this.#types.get(expr.id)
    const type = this.#infer(expr, scope)
    if (!known) this.#types.set(expr.id, type)
    return type
  }

  #infer(expr: Expr, scope: Scope | undefined): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalTypes[expr.type] ?? dynType
      case 'ident':
        return this.#ident(expr.id, expr.name, scope) ?? this.#undeclared(expr.at, expr.name)
      case 'select':
        return this.#select(expr, scope)
      case 'call':
        return this.#call(expr, scope)
      case 'list':
        return this.#list(expr, scope)
      case 'map':
        return this.#map(expr, scope)
      case 'struct':
        return this.#struct(expr, scope)
      case 'comprehension':
        return this.#comprehension(expr, scope)
    }
  }

  // Names

  #ident(id: number, name: string, scope: Scope | undefined): CelType | undefined {
    const local = find(scope, name.replace(/^\./, ''))
    if (local && !name.startsWith('.')) {
      this.#references.set(id, { name, overloads: [] })
      return local.type
    }
    return this.#global(id, name, local !== undefined)
  }

  #global(id: number, name: string, isShadowed: boolean): CelType | undefined {
    const found = this.#environment.resolve(name)
    if (!found) return undefined
    this.#references.set(id, { name: isShadowed ? `.${found.name}` : found.name, overloads: [] })
    if (found.is === 'type') return typeOf(found.type)
    return found.is === 'enum' ? intType : found.type
  }

  #select(expr: Select, scope: Scope | undefined): CelType {
    if (!expr.testOnly) {
      const name = qualifiedName(expr)
      const root = name?.replace(/^\./, '').split('.')[0] ?? ''
      const isLocal = find(scope, root) !== undefined
      if (name !== undefined && (!isLocal || name.startsWith('.'))) {
        const type = this.#global(expr.id, name, isLocal)
        if (type) return type
      }
    }
    const type = this.#field(expr, { operand: expr.operand, field: expr.field, optional: false }, scope)
    return expr.testOnly ? boolType : this.#substitution.apply(type)
  }

  #field(
    expr: Expr,
    { operand, field, optional }: { readonly operand: Expr; readonly field: string; readonly optional: boolean },
    scope: Scope | undefined,
  ): CelType {
    const operandType = this.#substitution.apply(this.#check(operand, scope))
    const isOptional = isOptionalType(operandType)
    const target = isOptional ? (operandType.params[0] ?? dynType) : operandType
    const type = this.#fieldType(expr, target, field)
    return isOptional || optional ? optionalOf(type) : type
  }

  #fieldType(expr: Expr, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.params[1] ?? dynType
      case 'struct':
        return this.#messageField(expr, target.name, field)
      case 'param':
        this.#substitution.assign(dynType, target)
        return dynType
      case 'dyn':
      case 'any':
      case 'error':
        return dynType
      default:
        this.#report(expr.at, `type '${this.#text(target)}' does not support field selection`)
        return dynType
    }
  }

  #messageField(expr: Expr, message: string, field: string): CelType {
    const { messages } = this.#environment
    if (!messages?.findType(message)) return this.#report(expr.at, `unexpected failed resolution of '${message}'`)
    return messages.fieldType(message, field) ?? this.#report(expr.at, `undefined field '${field}'`)
  }

  // Calls

  #call(expr: Call, scope: Scope | undefined): CelType {
    if (expr.name === '_?._') return this.#optionalSelect(expr, scope)
    const args = expr.args.map((arg) => this.#check(arg, scope))
    if (!expr.target) {
      const found = this.#environment.resolveFunction(expr.name)
      if (!found) return this.#undeclared(expr.at, expr.name)
      return this.#resolve(expr, found, args, false)
    }
    const prefix = qualifiedName(expr.target)
    const namespaced = prefix === undefined ? undefined : this.#environment.resolveFunction(`${prefix}.${expr.name}`)
    if (namespaced) return this.#resolve(expr, namespaced, args, false)
    const target = this.#check(expr.target, scope)
    const found = this.#environment.resolveFunction(expr.name)
    if (!found) return this.#undeclared(expr.at, expr.name)
    return this.#resolve(expr, found, [target, ...args], true)
  }

  #optionalSelect(expr: Call, scope: Scope | undefined): CelType {
    const [operand, name] = expr.args
    if (!operand || name?.kind !== 'literal' || typeof name.value !== 'string') {
      return this.#report(expr.at, 'unsupported optional field selection')
    }
    const type = this.#field(expr, { operand, field: name.value, optional: true }, scope)
    this.#references.set(expr.id, { overloads: ['select_optional_field'] })
    return this.#substitution.apply(type)
  }

  #resolve(expr: Call, found: FunctionDeclaration, args: readonly CelType[], isMember: boolean): CelType {
    const literal = this.#environment.isStrict ? badLiteral(expr) : undefined
    if (literal) this.#report(literal.at, literal.message)
    if (found.name === '_&&_' || found.name === '_||_') return this.#logic(expr, found, args)
    const matching: string[] = []
    let result: CelType | undefined
    for (const overload of found.overloads) {
      if (overload.member !== isMember || overload.args.length !== args.length) continue
      const [resultType = dynType, ...wanted] = this.#instantiate(overload)
      if (!this.#substitution.assignAll(args, wanted)) continue
      matching.push(overload.id)
      const type = this.#substitution.apply(resultType)
      if (!result) result = type
      else if (!isDyn(result) && !type.equals(result)) result = dynType
    }
    if (!result) {
      const [receiver = '', ...rest] = args.map((arg) => this.#text(arg))
      const applied = isMember ? `${receiver}.(${rest.join(', ')})` : `(${[receiver, ...rest].join(', ')})`
      return this.#report(expr.at, `found no matching overload for '${found.name}' applied to '${applied}'`)
    }
    // The name is set where it differs from what is written.
    const name = !isMember && (expr.target !== undefined || found.name !== expr.name) ? { name: found.name } : {}
    this.#references.set(expr.id, { ...name, overloads: matching })
    return result
  }

  #logic(expr: Call, found: FunctionDeclaration, args: readonly CelType[]): CelType {
    let fits = true
    for (const [index, arg] of args.entries()) {
      if (this.#substitution.assign(arg, boolType)) continue
      fits = false
      this.#report(expr.args[index]?.at ?? expr.at, `expected type 'bool' but found '${this.#text(arg)}'`)
    }
    if (!fits) return errorType
    this.#references.set(expr.id, { overloads: found.overloads.map((overload) => overload.id) })
    return boolType
  }

  /** The result and the arguments of an overload with fresh type parameters. */
  #instantiate(overload: Overload): readonly CelType[] {
    const { types, names } = signatureOf(overload)
    if (names.length === 0) return types
    const fresh = new Substitution()
    for (const name of names) fresh.assign(this.#fresh(), param(name))
    return types.map((type) => fresh.apply(type))
  }

  // Literals of containers and messages

  /** The type of an item that may be optional. */
  #item(expr: Expr, type: CelType, isOptional: boolean): CelType {
    if (!isOptional) return type
    const applied = this.#substitution.apply(type)
    if (isOptionalType(applied)) return applied.params[0] ?? dynType
    if (!isDyn(applied)) this.#mismatch(expr, optionalOf(applied), applied)
    return applied
  }

  #mismatch(expr: Expr, wanted: CelType, found: CelType): void {
    this.#report(expr.at, `expected type '${this.#text(wanted)}' but found '${this.#text(found)}'`)
  }

  /** A type that covers both; dyn when they do not fit, which a strict environment refuses. */
  #join(expr: Expr, previous: CelType | undefined, current: CelType): CelType {
    if (!previous) return current
    if (this.#substitution.assign(previous, current)) return mostGeneral(previous, current)
    if (!this.#environment.isStrict) return dynType
    this.#mismatch(expr, previous, current)
    return errorType
  }

  #list(expr: ListExpr, scope: Scope | undefined): CelType {
    let items: CelType | undefined
    for (const [index, item] of expr.items.entries()) {
      const type = this.#item(item, this.#check(item, scope), expr.optionals.includes(index))
      items = this.#join(item, items, type)
    }
    return listOf(items ?? this.#fresh())
  }

  #map(expr: MapExpr, scope: Scope | undefined): CelType {
    let keys: CelType | undefined
    let values: CelType | undefined
    for (const { key, value, optional } of expr.entries) {
      keys = this.#join(key, keys, this.#check(key, scope))
      values = this.#join(value, values, this.#item(value, this.#check(value, scope), optional))
    }
    return mapOf(keys ?? this.#fresh(), values ?? this.#fresh())
  }

  #struct(expr: StructExpr, scope: Scope | undefined): CelType {
    const found = this.#environment.resolveMessage(expr.type)
    if (!found) {
      const other = this.#environment.resolve(expr.type)
      if (other?.is === 'variable') return this.#report(expr.at, `'${other.type.text}' is not a type`)
      return this.#undeclared(expr.at, expr.type)
    }
    this.#references.set(expr.id, { name: found.name, overloads: [] })
    const isMessage = this.#environment.messages?.findType(found.name) !== undefined
    if (!isMessage) return this.#report(expr.at, `'${found.name}' is not a message type`)
    for (const field of expr.fields) {
      const type = this.#item(field.value, this.#check(field.value, scope), field.optional)
      const wanted = this.#environment.messages?.fieldType(found.name, field.name)
      if (!wanted) {
        this.#report(field.at, `undefined field '${field.name}'`)
      } else if (!this.#substitution.assign(wanted, type)) {
        this.#report(
          field.at,
          `expected type of field '${field.name}' is '${this.#text(wanted)}' but provided type is '${this.#text(type)}'`,
        )
      }
    }
    return found.type
  }

  // Loops

  #comprehension(expr: Comprehension, scope: Scope | undefined): CelType {
    const range = this.#substitution.apply(this.#check(expr.range, scope))
    const accumulator = this.#check(expr.init, scope)
    const folding: Scope = { name: expr.accumulator, type: accumulator, outer: scope }
    const [first, second] = this.#iterated(expr, range)
    let looping: Scope = { name: expr.variable, type: first, outer: folding }
    if (expr.variable2 !== undefined) looping = { name: expr.variable2, type: second, outer: looping }
    this.#expectType(expr.condition, boolType, looping)
    this.#expectType(expr.step, accumulator, looping)
    return this.#substitution.apply(this.#check(expr.result, folding))
  }

  #expectType(expr: Expr, wanted: CelType, scope: Scope): void {
    const type = this.#check(expr, scope)
    if (!this.#substitution.assign(wanted, type)) this.#mismatch(expr, wanted, type)
  }

  #iterated(expr: Comprehension, range: CelType): readonly [CelType, CelType] {
    const isTwo = expr.variable2 !== undefined
    const [first = dynType, second = dynType] = range.params
    switch (range.kind) {
      case 'list':
        return isTwo ? [intType, first] : [first, first]
      case 'map':
        return [first, second]
      case 'dyn':
      case 'any':
      case 'error':
      case 'param':
        this.#substitution.assign(dynType, range)
        return [dynType, dynType]
      default: {
        const message = `expression of type '${this.#text(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`
        this.#report(expr.range.at, message)
        return [errorType, errorType]
      }
    }
  }
}
