/** The parts every node has: a number that is unique in its expression, and where it begins in the source. */
interface Node {
  readonly id: number
  readonly at: number
}

export type LiteralType = 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes'

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly type: LiteralType
  /** The value as evaluation represents it. */
  readonly value: unknown
}

export interface Ident extends Node {
  readonly kind: 'ident'
  /** A leading dot names the root container. */
  readonly name: string
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** Set by `has()`: only asks whether the field is there. */
  readonly testOnly: boolean
}

export interface Call extends Node {
  readonly kind: 'call'
  readonly target?: Expr
  readonly name: string
  readonly args: readonly Expr[]
}

export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly items: readonly Expr[]
  /** Indices of items written `?item`. */
  readonly optionals: readonly number[]
}

export interface Entry extends Node {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}

export interface FieldInit extends Node {
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
}

export interface StructExpr extends Node {
  readonly kind: 'struct'
  readonly type: string
  readonly fields: readonly FieldInit[]
}

/** What a macro wrote; evaluation runs it directly instead of folding step by step. */
export type MacroForm =
  | { readonly name: 'all' | 'exists' | 'existsOne'; readonly predicate: Expr }
  | {
      readonly name: 'map' | 'transformList' | 'transformMap' | 'transformMapEntry'
      readonly filter?: Expr
      readonly transform: Expr
    }
  | { readonly name: 'filter'; readonly predicate: Expr }
  | { readonly name: 'bind'; readonly value: Expr; readonly body: Expr }

export interface Comprehension extends Node {
  readonly kind: 'comprehension'
  readonly range: Expr
  readonly variable: string
  readonly variable2?: string
  readonly accumulator: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
  readonly form: MacroForm
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension

/** The macro call that an expansion stands for, by the id of the expansion: printing shows these. */
export type MacroCalls = ReadonlyMap<number, Call>

/** A parsed expression. */
export interface Ast {
  readonly source: string
  readonly expr: Expr
  readonly macroCalls: MacroCalls
  /** One more than the highest id. */
  readonly ids: number
}

/** `a.b.c` as a dotted name, when the expression is nothing but identifiers and selections. */
export function qualifiedName(expr: Expr): string | undefined {
  const parts: string[] = []
  let current = expr
  while (current.kind === 'select' && !current.testOnly) {
    parts.push(current.field)
    current = current.operand
  }
  if (current.kind !== 'ident') return undefined
  parts.push(current.name)
  return parts.toReversed().join('.')
}

/** The expressions directly below one. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return []
    case 'select':
      return [expr.operand]
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list':
      return expr.items
    case 'map':
      return expr.entries.flatMap((entry) => [entry.key, entry.value])
    case 'struct':
      return expr.fields.map((field) => field.value)
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result]
  }
}
