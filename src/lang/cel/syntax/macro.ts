import type { Comprehension, Entry, Expr, FieldInit, LiteralType, MacroForm } from './ast.ts'
import { SyntaxFailure } from './lexer.ts'

/** The accumulator of a comprehension; no program can write this name. */
export const ACCUMULATOR = '@result'
/** The name that older versions used; still refused as a variable. */
const OLD_ACCUMULATOR = '__result__'
/** How many nodes an expression may have once its macros are expanded. */
const MAX_NODES = 200_000

/** Makes nodes with fresh ids. */
export class NodeFactory {
  #ids = 1

  /** One more than the highest id. */
  get count(): number {
    return this.#ids
  }

  newId(): number {
    if (this.#ids >= MAX_NODES)
      throw new SyntaxFailure(0, `the expression has more than ${MAX_NODES} parts after macro expansion`)
    return this.#ids++
  }

  literal(at: number, type: LiteralType, value: unknown): Expr {
    return { kind: 'literal', id: this.newId(), at, type, value }
  }

  ident(at: number, name: string): Expr {
    return { kind: 'ident', id: this.newId(), at, name }
  }

  select(at: number, operand: Expr, field: string, testOnly = false): Expr {
    return { kind: 'select', id: this.newId(), at, operand, field, testOnly }
  }

  call(at: number, name: string, args: readonly Expr[], target?: Expr): Expr {
    return { kind: 'call', id: this.newId(), at, name, args, ...(target ? { target } : {}) }
  }

  list(at: number, items: readonly Expr[], optionals: readonly number[] = []): Expr {
    return { kind: 'list', id: this.newId(), at, items, optionals }
  }

  map(at: number, entries: readonly Entry[]): Expr {
    return { kind: 'map', id: this.newId(), at, entries }
  }

  struct(at: number, type: string, fields: readonly FieldInit[]): Expr {
    return { kind: 'struct', id: this.newId(), at, type, fields }
  }

  comprehension(parts: Omit<Comprehension, 'kind' | 'id'>): Expr {
    return { kind: 'comprehension', id: this.newId(), ...parts }
  }

  /** The same expression with ids of its own; a part that stands in two places stays one part. */
  copy(expr: Expr): Expr {
    return this.#copy(expr, new Map())
  }

  #copy(expr: Expr, seen: Map<Expr, Expr>): Expr {
    const known = seen.get(expr)
    if (known) return known
    const made = this.#copyParts(expr, (part) => this.#copy(part, seen))
    seen.set(expr, made)
    return made
  }

  #copyParts(expr: Expr, copy: (part: Expr) => Expr): Expr {
    const id = this.newId()
    switch (expr.kind) {
      case 'literal':
      case 'ident':
        return { ...expr, id }
      case 'select':
        return { ...expr, id, operand: copy(expr.operand) }
      case 'call':
        return { ...expr, id, args: expr.args.map(copy), ...(expr.target ? { target: copy(expr.target) } : {}) }
      case 'list':
        return { ...expr, id, items: expr.items.map(copy) }
      case 'map': {
        const entries = expr.entries.map((entry) => {
          return { ...entry, id: this.newId(), key: copy(entry.key), value: copy(entry.value) }
        })
        return { ...expr, id, entries }
      }
      case 'struct': {
        const fields = expr.fields.map((field) => ({ ...field, id: this.newId(), value: copy(field.value) }))
        return { ...expr, id, fields }
      }
      case 'comprehension':
        return {
          ...expr,
          id,
          range: copy(expr.range),
          init: copy(expr.init),
          condition: copy(expr.condition),
          step: copy(expr.step),
          result: copy(expr.result),
          form: copyForm(expr.form, copy),
        }
    }
  }
}

function copyForm(form: MacroForm, copy: (part: Expr) => Expr): MacroForm {
  switch (form.name) {
    case 'all':
    case 'exists':
    case 'existsOne':
    case 'filter':
      return { ...form, predicate: copy(form.predicate) }
    case 'bind':
      return { ...form, value: copy(form.value), body: copy(form.body) }
    default:
      return { ...form, transform: copy(form.transform), ...(form.filter ? { filter: copy(form.filter) } : {}) }
  }
}

/** A call as the parser met it. */
export interface MacroCall {
  readonly at: number
  readonly name: string
  readonly target: Expr | undefined
  readonly args: readonly Expr[]
}

/** A call that is rewritten while parsing. An expansion that answers undefined leaves the call alone. */
export interface Macro {
  readonly name: string
  readonly receiver: boolean
  readonly arity: number | 'any'
  expand(nodes: NodeFactory, call: MacroCall): Expr | undefined
}

export type MacroTable = ReadonlyMap<string, Macro>

const keyOf = (name: string, arity: number | 'any', receiver: boolean): string => `${name}:${arity}:${receiver}`

const tables = new WeakMap<readonly Macro[], MacroTable>()
const names = new WeakMap<MacroTable, ReadonlySet<string>>()

/** The macros by name, arity and style; made once for each list. */
export function macroTable(macros: readonly Macro[]): MacroTable {
  const known = tables.get(macros)
  if (known) return known
  const table = new Map(macros.map((macro) => [keyOf(macro.name, macro.arity, macro.receiver), macro]))
  tables.set(macros, table)
  names.set(table, new Set(macros.map((macro) => macro.name)))
  return table
}

/** The expansion of a call, or undefined when it is no macro. */
export function expandMacro(table: MacroTable, nodes: NodeFactory, call: MacroCall): Expr | undefined {
  if (!names.get(table)?.has(call.name)) return undefined
  const receiver = call.target !== undefined
  const macro = table.get(keyOf(call.name, call.args.length, receiver)) ?? table.get(keyOf(call.name, 'any', receiver))
  return macro?.expand(nodes, call)
}

/** An argument that must exist because the macro's arity says so. */
export function argument(call: MacroCall, index: number): Expr {
  const arg = call.args[index]
  if (!arg) throw new Error(`the macro ${call.name} has no argument ${index}`)
  return arg
}

/** A receiver that must exist because the macro is receiver style. */
export function targetOf(call: MacroCall): Expr {
  if (!call.target) throw new Error(`the macro ${call.name} has no receiver`)
  return call.target
}

/** The name of a variable that a macro declares. */
export function variableName(expr: Expr, message = 'argument must be a simple name'): string {
  if (expr.kind !== 'ident' || expr.name.startsWith('.')) throw new SyntaxFailure(expr.at, message)
  if (expr.name === ACCUMULATOR || expr.name === OLD_ACCUMULATOR) {
    throw new SyntaxFailure(expr.at, 'iteration variable overwrites accumulator variable')
  }
  return expr.name
}

/** Whether a receiver is the given namespace, as in `cel.bind(...)`. */
export const isNamespace = (target: Expr | undefined, name: string): boolean =>
  target?.kind === 'ident' && target.name === name
