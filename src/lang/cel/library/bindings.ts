import { bindExpr, bindMacros } from '../syntax/standard-macros.ts'
import type { Expr } from '../syntax/ast.ts'
import { SyntaxFailure } from '../syntax/lexer.ts'
import { argument, isNamespace, type Macro, type MacroCall } from '../syntax/macro.ts'
import { type Library, overload } from './library.ts'

/** `cel.bind(name, value, body)`. */
export const bindingsLibrary: Library = { name: 'bindings', macros: bindMacros }

function smallNumber(expr: Expr): number {
  if (expr.kind !== 'literal' || typeof expr.value !== 'number' || expr.value < 0) {
    throw new SyntaxFailure(expr.at, 'expected a non-negative int literal')
  }
  return expr.value
}

const named = (name: string, prefix: string, arity: number): Macro => ({
  name,
  receiver: true,
  arity,
  expand(nodes, call: MacroCall) {
    if (!isNamespace(call.target, 'cel')) return undefined
    return nodes.ident(call.at, [prefix, ...call.args.map(smallNumber)].join(':'))
  },
})

/** `cel.block([a, b], body)`: what optimisers write to compute a common part once. */
export const blockLibrary: Library = {
  name: 'block',
  macros: [
    named('index', '@index', 1),
    named('iterVar', '@it', 2),
    named('accuVar', '@ac', 2),
    {
      name: 'block',
      receiver: true,
      arity: 2,
      expand(nodes, call) {
        if (!isNamespace(call.target, 'cel')) return undefined
        const list = argument(call, 0)
        if (list.kind !== 'list') throw new SyntaxFailure(list.at, 'cel.block expects a list as its first argument')
        return list.items.reduceRight<Expr>(
          (body, value, index) => bindExpr(nodes, call.at, { name: `@index:${index}`, value, body }),
          argument(call, 1),
        )
      },
    },
  ],
}

/** What two-variable comprehensions expand to; the evaluator runs them itself. */
export const mapInsert: Library['overloads'] = [
  overload('@mapInsert_map_map', 'cel.@mapInsert(map<K, V>, map<K, V>): map<K, V>'),
  overload('@mapInsert_map_key_value', 'cel.@mapInsert(map<K, V>, K, V): map<K, V>'),
]
