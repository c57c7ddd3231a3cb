/** A part of an expression, with its place in the source. */
export type Node = { readonly at: number } & (
  | { readonly is: 'literal'; readonly value: number | string | boolean | null }
  | { readonly is: 'name'; readonly name: string }
  /** `#`, or `#acc` and `#index`. */
  | { readonly is: 'pointer'; readonly name: string }
  | { readonly is: 'unary'; readonly operator: string; readonly operand: Node }
  | { readonly is: 'binary'; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly is: 'member'; readonly object: Node; readonly key: Node; readonly isOptional: boolean }
  | { readonly is: 'slice'; readonly object: Node; readonly from: Node | undefined; readonly to: Node | undefined }
  | { readonly is: 'call'; readonly callee: Node; readonly args: readonly Node[] }
  /** A built-in function; predicates among its arguments are evaluated once an item. */
  | { readonly is: 'builtin'; readonly name: string; readonly args: readonly Node[] }
  | { readonly is: 'conditional'; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly is: 'list'; readonly items: readonly Node[] }
  | { readonly is: 'map'; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly is: 'let'; readonly name: string; readonly value: Node; readonly body: Node }
  | { readonly is: 'sequence'; readonly steps: readonly Node[] }
  /** `a?.b.c`: what follows an absent part is absent too. */
  | { readonly is: 'chain'; readonly inner: Node }
)
