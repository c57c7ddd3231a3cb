import { wellFormed } from '../../lib/go-string.ts'
import { setOwn } from '../../lib/json.ts'
import { remembered } from '../../lib/remembered.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { compile } from './compile.ts'
import { failure, JmesPathError, overBudget, wrongValue } from './error.ts'
import type { JmesPathFunctions } from './function.ts'
import { kyvernoFunctions } from './functions/kyverno.ts'
import { childrenOf, type Node } from './node.ts'
import { parse } from './parser.ts'
import { DEEPEST_VALUE, type JmesPathBudget, type JmesPathPorts, Run, usualBudget } from './run.ts'
import { GoInt, isData, Missing, Reference } from './value.ts'

/** A compiled expression: made once, searched with many times. */
export interface JmesPath {
  readonly source: string
  readonly node: Node
  /** The names of the functions that it calls, known or not: an unknown one fails only when it is reached, as upstream. */
  readonly calls: ReadonlySet<string>
  /** The value for this data, which stays as it is. A key that is not there is the problem `jmespath-key-unknown`. */
  search(data: unknown, ports: JmesPathPorts, budget?: JmesPathBudget): Result<unknown>
}

/** Most leaves that a made value may have when it is written out. */
const LARGEST_VALUE = 1_000_000

interface Count {
  left: number
}

/** A value without what only expressions know; the same one where nothing had to change. */
function settle(value: unknown, count: Count, depth: number): unknown {
  if (--count.left < 0) throw overBudget(`the value has more than ${LARGEST_VALUE} parts`)
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'number' && !Number.isFinite(value))
    throw wrongValue('the value has a number that is not finite')
  if (typeof value !== 'object' || value === null) return value ?? null
  if (value instanceof GoInt) return value.value
  if (value instanceof Reference) throw wrongValue('an expression reference is no value')
  if (depth > DEEPEST_VALUE) throw overBudget(`the value nests deeper than ${DEEPEST_VALUE} levels`)
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => settle(item, count, depth + 1))
    return items.some((item, at) => item !== value[at]) ? items : value
  }
  if (!isData(value)) return null
  const settled: Record<string, unknown> = {}
  let isChanged = false
  for (const [key, below] of Object.entries(value)) {
    const item = settle(below, count, depth + 1)
    isChanged ||= item !== below
    setOwn(settled, key, item)
  }
  return isChanged ? settled : value
}

/** Tells whether an expression can make values that are not in its data, so that they must be measured. */
function canMake(node: Node, calls: Set<string>): boolean {
  let makes = false
  for (const stack = [node]; stack.length > 0;) {
    const next = stack.pop()
    if (!next) break
    if (next.kind === 'call') calls.add(next.name)
    makes ||= ['call', 'list', 'hash', 'reference', 'literal'].includes(next.kind)
    stack.push(...childrenOf(next))
  }
  return makes
}

function build(source: string, functions: JmesPathFunctions, hasVariables: boolean): Result<JmesPath> {
  try {
    const node = parse(source, hasVariables)
    const program = compile(node, functions)
    const calls = new Set<string>()
    const isMaking = canMake(node, calls)
    return succeed({
      source,
      node,
      calls,
      search(data, ports, budget = usualBudget) {
        const run = new Run(ports, budget)
        try {
          const value = program(data, run)
          if (value instanceof Missing) {
            const message = `the data has no key ${JSON.stringify(value.key)}`
            throw new JmesPathError('jmespath-key-unknown', message, value.offset)
          }
          return succeed(isMaking ? settle(value, { left: LARGEST_VALUE }, 0) : (value ?? null))
        } catch (error) {
          return failure(source, error)
        } finally {
          budget.spent?.(budget.steps - run.rest)
        }
      },
    })
  } catch (error) {
    return failure(source, error)
  }
}

type Cache = WeakMap<JmesPathFunctions, (source: string) => Result<JmesPath>>
const plainCaches: Cache = new WeakMap()
const variableCaches: Cache = new WeakMap()
const MOST_CACHED = 2_000
/** Longer expressions are compiled each time: keeping them would let strangers fill the memory. */
const LONGEST_CACHED = 10_000

/** What an expression may be written with. */
export interface JmesPathDialect {
  /** `$name` is a variable, which the ports give. Kyverno's policies have none, assertion trees do. */
  readonly hasVariables?: boolean
}

/** Compiles an expression; the same text with the same functions is compiled once. */
export function compileJmesPath(
  source: string,
  functions: JmesPathFunctions = kyvernoFunctions,
  { hasVariables = false }: JmesPathDialect = {},
): Result<JmesPath> {
  const caches = hasVariables ? variableCaches : plainCaches
  if (source.length > LONGEST_CACHED) return build(source, functions, hasVariables)
  let builtOf = caches.get(functions)
  if (!builtOf) {
    builtOf = remembered(MOST_CACHED, (text) => build(text, functions, hasVariables))
    caches.set(functions, builtOf)
  }
  return builtOf(source)
}
