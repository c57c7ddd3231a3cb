import type { Json } from '../../lib/json.ts'
import type { Break } from './error.ts'
import type { Definition, Node } from './node.ts'

/** What names mean at a place of a program: a chain, innermost first. */
export type Environment =
  | { readonly is: 'variable'; readonly name: string; readonly value: Json; readonly up: Environment }
  | { readonly is: 'function'; readonly definition: Definition; readonly up: Environment }
  | {
      readonly is: 'argument'
      readonly name: string
      readonly node: Node
      readonly from: Environment
      readonly up: Environment
    }
  | { readonly is: 'label'; readonly name: string; readonly mark: Break; readonly up: Environment }
  | undefined

export function variableOf(environment: Environment, name: string): Json | undefined {
  for (let at = environment; at; at = at.up) if (at.is === 'variable' && at.name === name) return at.value
  return undefined
}

export function labelOf(environment: Environment, name: string): Break | undefined {
  for (let at = environment; at; at = at.up) if (at.is === 'label' && at.name === name) return at.mark
  return undefined
}

type Callable = Extract<Environment, { readonly is: 'function' | 'argument' }>

/** The function or argument that a call means, if the program itself defines it. */
export function callableOf(environment: Environment, name: string, arity: number): Callable | undefined {
  for (let at = environment; at; at = at.up) {
    if (at.is === 'function' && at.definition.name === name && at.definition.parameters.length === arity) return at
    if (at.is === 'argument' && arity === 0 && at.name === name) return at
  }
  return undefined
}
