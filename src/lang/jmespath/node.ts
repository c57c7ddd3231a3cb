export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>='

/** The tree of an expression, in the shapes that go-jmespath gives it. */
export type Node =
  | { readonly kind: 'current' }
  | { readonly kind: 'field'; readonly name: string; readonly offset: number }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'variable'; readonly name: string; readonly offset: number }
  | { readonly kind: 'slice'; readonly parts: SliceParts; readonly offset: number }
  | { readonly kind: 'literal'; readonly value: unknown; readonly isString: boolean }
  | { readonly kind: 'sub'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'pipe'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'and'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'not'; readonly operand: Node }
  | { readonly kind: 'compare'; readonly by: Comparator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'flatten'; readonly left: Node }
  | { readonly kind: 'list-projection'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'object-projection'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'filter'; readonly left: Node; readonly condition: Node; readonly right: Node }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'hash'; readonly entries: readonly HashEntry[] }
  | { readonly kind: 'reference'; readonly body: Node }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[]; readonly offset: number }

export interface HashEntry {
  readonly key: string
  readonly value: Node
}

/** Start, stop and step; what is not written is undefined. */
export type SliceParts = readonly [start: number | undefined, stop: number | undefined, step: number | undefined]

/** The nodes right below a node. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'current':
    case 'field':
    case 'index':
    case 'variable':
    case 'slice':
    case 'literal':
      return []
    case 'not':
      return [node.operand]
    case 'flatten':
      return [node.left]
    case 'reference':
      return [node.body]
    case 'filter':
      return [node.left, node.condition, node.right]
    case 'list':
      return node.items
    case 'hash':
      return node.entries.map(({ value }) => value)
    case 'call':
      return node.args
    default:
      return [node.left, node.right]
  }
}
