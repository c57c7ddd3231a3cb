import type { Expr, MacroForm } from './ast.ts'
import { SyntaxFailure } from './lexer.ts'
import {
  ACCUMULATOR,
  argument,
  isNamespace,
  type Macro,
  type MacroCall,
  type NodeFactory,
  targetOf,
  variableName,
} from './macro.ts'

const UNUSED = '#unused'

/** The variables of a comprehension: one, or an index or key and a value. */
interface Variables {
  readonly first: string
  readonly second?: string
}

interface Fold {
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
  readonly form: MacroForm
}

const accumulator = (nodes: NodeFactory, at: number): Expr => nodes.ident(at, ACCUMULATOR)
const truth = (nodes: NodeFactory, at: number, value: boolean): Expr => nodes.literal(at, 'bool', value)

function fold(nodes: NodeFactory, call: MacroCall, variables: Variables, make: Fold): Expr {
  return nodes.comprehension({
    at: call.at,
    range: targetOf(call),
    variable: variables.first,
    ...(variables.second === undefined ? {} : { variable2: variables.second }),
    accumulator: ACCUMULATOR,
    ...make,
  })
}

function oneVariable(call: MacroCall, message?: string): Variables {
  return { first: variableName(argument(call, 0), message) }
}

function twoVariables(call: MacroCall): Variables {
  const first = variableName(argument(call, 0))
  const second = variableName(argument(call, 1))
  if (first === second) throw new SyntaxFailure(argument(call, 1).at, `duplicate variable name: ${first}`)
  return { first, second }
}

type Variant = (nodes: NodeFactory, call: MacroCall, variables: Variables, args: readonly Expr[]) => Expr

const partOf = (args: readonly Expr[], index: number): Expr => {
  const part = args[index]
  if (!part) throw new Error(`a macro was expanded without its part ${index}`)
  return part
}

const all: Variant = (nodes, call, variables, args) => {
  const predicate = partOf(args, 0)
  return fold(nodes, call, variables, {
    init: truth(nodes, call.at, true),
    condition: nodes.call(call.at, '@not_strictly_false', [accumulator(nodes, call.at)]),
    step: nodes.call(call.at, '_&&_', [accumulator(nodes, call.at), predicate]),
    result: accumulator(nodes, call.at),
    form: { name: 'all', predicate },
  })
}

const exists: Variant = (nodes, call, variables, args) => {
  const predicate = partOf(args, 0)
  const negated = nodes.call(call.at, '!_', [accumulator(nodes, call.at)])
  return fold(nodes, call, variables, {
    init: truth(nodes, call.at, false),
    condition: nodes.call(call.at, '@not_strictly_false', [negated]),
    step: nodes.call(call.at, '_||_', [accumulator(nodes, call.at), predicate]),
    result: accumulator(nodes, call.at),
    form: { name: 'exists', predicate },
  })
}

const existsOne: Variant = (nodes, call, variables, args) => {
  const predicate = partOf(args, 0)
  const one = (): Expr => nodes.literal(call.at, 'int', 1)
  const more = nodes.call(call.at, '_+_', [accumulator(nodes, call.at), one()])
  return fold(nodes, call, variables, {
    init: nodes.literal(call.at, 'int', 0),
    condition: truth(nodes, call.at, true),
    step: nodes.call(call.at, '_?_:_', [predicate, more, accumulator(nodes, call.at)]),
    result: nodes.call(call.at, '_==_', [accumulator(nodes, call.at), one()]),
    form: { name: 'existsOne', predicate },
  })
}

/** A fold that adds to its accumulator, for every item or for those that pass a filter. */
function collect(
  nodes: NodeFactory,
  call: MacroCall,
  variables: Variables,
  parts: { readonly init: Expr; readonly step: Expr; readonly filter: Expr | undefined; readonly form: MacroForm },
): Expr {
  const { init, step, filter, form } = parts
  return fold(nodes, call, variables, {
    init,
    condition: truth(nodes, call.at, true),
    step: filter ? nodes.call(call.at, '_?_:_', [filter, step, accumulator(nodes, call.at)]) : step,
    result: accumulator(nodes, call.at),
    form,
  })
}

function filterAndTransform(args: readonly Expr[]): { readonly filter?: Expr; readonly transform: Expr } {
  return args.length > 1 ? { filter: partOf(args, 0), transform: partOf(args, 1) } : { transform: partOf(args, 0) }
}

const toList =
  (name: 'map' | 'transformList'): Variant =>
  (nodes, call, variables, args) => {
    const { filter, transform } = filterAndTransform(args)
    const step = nodes.call(call.at, '_+_', [accumulator(nodes, call.at), nodes.list(call.at, [transform])])
    const form: MacroForm = { name, transform, ...(filter ? { filter } : {}) }
    return collect(nodes, call, variables, { init: nodes.list(call.at, []), step, filter, form })
  }

const filter: Variant = (nodes, call, variables, args) => {
  const predicate = partOf(args, 0)
  const item = nodes.list(call.at, [nodes.ident(argument(call, 0).at, variables.first)])
  const step = nodes.call(call.at, '_+_', [accumulator(nodes, call.at), item])
  const form: MacroForm = { name: 'filter', predicate }
  return collect(nodes, call, variables, { init: nodes.list(call.at, []), step, filter: predicate, form })
}

const toMap =
  (name: 'transformMap' | 'transformMapEntry'): Variant =>
  (nodes, call, variables, args) => {
    const { filter, transform } = filterAndTransform(args)
    const key = name === 'transformMap' ? [nodes.ident(call.at, variables.first)] : []
    const step = nodes.call(call.at, 'cel.@mapInsert', [accumulator(nodes, call.at), ...key, transform])
    const form: MacroForm = { name, transform, ...(filter ? { filter } : {}) }
    return collect(nodes, call, variables, { init: nodes.map(call.at, []), step, filter, form })
  }

const one = (name: string, arity: number, variant: Variant, message?: string): Macro => ({
  name,
  receiver: true,
  arity,
  expand: (nodes, call) => variant(nodes, call, oneVariable(call, message), call.args.slice(1)),
})

const two = (name: string, arity: number, variant: Variant): Macro => ({
  name,
  receiver: true,
  arity,
  expand: (nodes, call) => variant(nodes, call, twoVariables(call), call.args.slice(2)),
})

const NOT_AN_IDENTIFIER = 'argument is not an identifier'

const has: Macro = {
  name: 'has',
  receiver: false,
  arity: 1,
  expand(nodes, call) {
    const arg = argument(call, 0)
    if (arg.kind !== 'select' || arg.testOnly) throw new SyntaxFailure(arg.at, 'invalid argument to has() macro')
    return nodes.select(call.at, arg.operand, arg.field, true)
  },
}

/** The macros of the language itself. */
export const standardMacros: readonly Macro[] = [
  has,
  one('all', 2, all),
  one('exists', 2, exists),
  one('exists_one', 2, existsOne),
  one('existsOne', 2, existsOne),
  one('map', 2, toList('map'), NOT_AN_IDENTIFIER),
  one('map', 3, toList('map'), NOT_AN_IDENTIFIER),
  one('filter', 2, filter, NOT_AN_IDENTIFIER),
]

/** Comprehensions over index or key and value. */
export const twoVariableMacros: readonly Macro[] = [
  two('all', 3, all),
  two('exists', 3, exists),
  two('existsOne', 3, existsOne),
  two('exists_one', 3, existsOne),
  two('transformList', 3, toList('transformList')),
  two('transformList', 4, toList('transformList')),
  two('transformMap', 3, toMap('transformMap')),
  two('transformMap', 4, toMap('transformMap')),
  two('transformMapEntry', 3, toMap('transformMapEntry')),
  two('transformMapEntry', 4, toMap('transformMapEntry')),
]

/** A value under a name: folds over nothing, so that the accumulator is the variable. */
export function bindExpr(
  nodes: NodeFactory,
  at: number,
  parts: { readonly name: string; readonly value: Expr; readonly body: Expr },
): Expr {
  const { name, value, body } = parts
  return nodes.comprehension({
    at,
    range: nodes.list(at, []),
    variable: UNUSED,
    accumulator: name,
    init: value,
    condition: truth(nodes, at, false),
    step: nodes.ident(at, name),
    result: body,
    form: { name: 'bind', value, body },
  })
}

function simpleName(expr: Expr, message: string): string {
  if (expr.kind !== 'ident' || expr.name.startsWith('.')) throw new SyntaxFailure(expr.at, message)
  return expr.name
}

/** `cel.bind(name, value, body)`. */
export const bindMacros: readonly Macro[] = [
  {
    name: 'bind',
    receiver: true,
    arity: 3,
    expand(nodes, call) {
      if (!isNamespace(call.target, 'cel')) return undefined
      const name = simpleName(argument(call, 0), 'cel.bind() variable names must be simple identifiers')
      return bindExpr(nodes, call.at, { name, value: argument(call, 1), body: argument(call, 2) })
    },
  },
]

function optionalMacro(name: string, wraps: boolean): Macro {
  return {
    name,
    receiver: true,
    arity: 2,
    expand(nodes, call) {
      const target = targetOf(call)
      const variable = simpleName(argument(call, 0), `${name}() variable name must be a simple identifier`)
      const value = nodes.call(call.at, 'value', [], nodes.copy(target))
      const mapped = bindExpr(nodes, call.at, { name: variable, value, body: argument(call, 1) })
      return nodes.call(call.at, '_?_:_', [
        nodes.call(call.at, 'hasValue', [], target),
        wraps ? nodes.call(call.at, 'optional.of', [mapped]) : mapped,
        nodes.call(call.at, 'optional.none', []),
      ])
    },
  }
}

/** `optMap` and `optFlatMap`. */
export const optionalMacros: readonly Macro[] = [optionalMacro('optMap', true), optionalMacro('optFlatMap', false)]

/** `list.sortBy(item, key)`. */
export const sortByMacros: readonly Macro[] = [
  {
    name: 'sortBy',
    receiver: true,
    arity: 2,
    expand(nodes, call) {
      const target = targetOf(call)
      if (target.kind === 'literal' || target.kind === 'map' || target.kind === 'struct') {
        throw new SyntaxFailure(
          target.at,
          'sortBy can only be applied to a list, identifier, comprehension, call or select expression',
        )
      }
      const name = '@__sortBy_input__'
      const keys = toList('map')(
        nodes,
        { ...call, target: nodes.ident(call.at, name) },
        oneVariable(call, NOT_AN_IDENTIFIER),
        call.args.slice(1),
      )
      const body = nodes.call(call.at, '@sortByAssociatedKeys', [keys], nodes.ident(call.at, name))
      return bindExpr(nodes, call.at, { name, value: target, body })
    },
  },
]
