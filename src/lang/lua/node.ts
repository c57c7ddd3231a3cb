export type Unary = '-' | 'not' | '#'
export type Binary = '+' | '-' | '*' | '/' | '%' | '^' | '..' | '==' | '~=' | '<' | '<=' | '>' | '>=' | 'and' | 'or'

export interface FunctionBody {
  readonly name: string
  readonly parameters: readonly string[]
  readonly hasVarargs: boolean
  readonly body: readonly Statement[]
  readonly line: number
}

export interface TableItem {
  /** Absent for items that are counted. */
  readonly key?: Expression
  readonly value: Expression
}

export type Expression =
  | { readonly is: 'constant'; readonly value: undefined | boolean | number | string }
  | { readonly is: 'varargs' }
  | { readonly is: 'function'; readonly body: FunctionBody }
  | { readonly is: 'name'; readonly name: string; readonly line: number }
  | { readonly is: 'index'; readonly of: Expression; readonly key: Expression; readonly line: number }
  | { readonly is: 'call'; readonly of: Expression; readonly args: readonly Expression[]; readonly line: number }
  | {
      readonly is: 'method'
      readonly of: Expression
      readonly name: string
      readonly args: readonly Expression[]
      readonly line: number
    }
  | { readonly is: 'table'; readonly items: readonly TableItem[]; readonly line: number }
  | { readonly is: 'unary'; readonly operator: Unary; readonly of: Expression; readonly line: number }
  | {
      readonly is: 'binary'
      readonly operator: Binary
      readonly left: Expression
      readonly right: Expression
      readonly line: number
    }
  /** In parentheses: cut to one value. */
  | { readonly is: 'single'; readonly of: Expression }

export type Call = Extract<Expression, { readonly is: 'call' | 'method' }>
export type Assignable = Extract<Expression, { readonly is: 'name' | 'index' }>
type Block = readonly Statement[]

export type Statement =
  | { readonly is: 'local'; readonly names: readonly string[]; readonly values: readonly Expression[] }
  | { readonly is: 'assign'; readonly targets: readonly Assignable[]; readonly values: readonly Expression[] }
  | { readonly is: 'do-call'; readonly call: Call }
  | { readonly is: 'block'; readonly body: Block }
  | { readonly is: 'while'; readonly test: Expression; readonly body: Block }
  | { readonly is: 'repeat'; readonly test: Expression; readonly body: Block }
  | {
      readonly is: 'if'
      readonly branches: readonly { readonly test: Expression; readonly body: Block }[]
      readonly otherwise: Block | undefined
    }
  | {
      readonly is: 'count'
      readonly name: string
      readonly from: Expression
      readonly to: Expression
      readonly by: Expression | undefined
      readonly body: Block
      readonly line: number
    }
  | {
      readonly is: 'each'
      readonly names: readonly string[]
      readonly values: readonly Expression[]
      readonly body: Block
      readonly line: number
    }
  | { readonly is: 'local-function'; readonly name: string; readonly body: FunctionBody }
  | { readonly is: 'return'; readonly values: readonly Expression[] }
  | { readonly is: 'break'; readonly line: number }
  | { readonly is: 'goto'; readonly label: string; readonly line: number }
  | { readonly is: 'label'; readonly name: string; readonly line: number }
