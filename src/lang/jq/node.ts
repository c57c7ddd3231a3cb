import type { Json } from '../../lib/json.ts'

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'and' | 'or' | '//'

export type UpdateOperator = '=' | '|=' | '+=' | '-=' | '*=' | '/=' | '%=' | '//='

/** What `as` binds: a name, the items of an array, or the values of an object. */
export type Pattern =
  | { readonly is: 'name'; readonly name: string }
  | { readonly is: 'items'; readonly items: readonly Pattern[] }
  | { readonly is: 'fields'; readonly fields: readonly PatternField[] }

export interface PatternField {
  readonly key: Node
  /** The name that the value itself is bound to, as in `{$a}`. */
  readonly name?: string
  readonly pattern?: Pattern
}

export interface Definition {
  readonly name: string
  /** Parameters; a name with a dollar sign is also bound as a value. */
  readonly parameters: readonly string[]
  readonly body: Node
}

export type Node =
  | { readonly is: 'identity' }
  | { readonly is: 'descend' }
  | { readonly is: 'literal'; readonly value: Json }
  | { readonly is: 'text'; readonly format: string | undefined; readonly parts: readonly (string | Node)[] }
  | { readonly is: 'format'; readonly name: string }
  | { readonly is: 'index'; readonly of: Node; readonly key: Node }
  | { readonly is: 'slice'; readonly of: Node; readonly from: Node | undefined; readonly to: Node | undefined }
  | { readonly is: 'each'; readonly of: Node }
  | { readonly is: 'array'; readonly of: Node | undefined }
  | { readonly is: 'object'; readonly entries: readonly { readonly key: Node; readonly value: Node }[] }
  | { readonly is: 'negative'; readonly of: Node }
  | { readonly is: 'pipe'; readonly left: Node; readonly right: Node }
  | { readonly is: 'comma'; readonly left: Node; readonly right: Node }
  | { readonly is: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
  | { readonly is: 'update'; readonly operator: UpdateOperator; readonly left: Node; readonly right: Node }
  | { readonly is: 'if'; readonly test: Node; readonly body: Node; readonly otherwise: Node | undefined }
  | { readonly is: 'try'; readonly body: Node; readonly caught: Node | undefined }
  | {
      readonly is: 'reduce'
      readonly over: Node
      readonly patterns: readonly Pattern[]
      readonly start: Node
      readonly update: Node
    }
  | {
      readonly is: 'foreach'
      readonly over: Node
      readonly patterns: readonly Pattern[]
      readonly start: Node
      readonly update: Node
      readonly extract: Node | undefined
    }
  | { readonly is: 'bind'; readonly of: Node; readonly patterns: readonly Pattern[]; readonly body: Node }
  | { readonly is: 'define'; readonly definition: Definition; readonly body: Node }
  | { readonly is: 'call'; readonly name: string; readonly args: readonly Node[]; readonly at: number }
  | { readonly is: 'variable'; readonly name: string; readonly at: number }
  | { readonly is: 'label'; readonly name: string; readonly body: Node }
  | { readonly is: 'break'; readonly name: string; readonly at: number }
