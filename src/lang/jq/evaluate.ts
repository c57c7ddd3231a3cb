import { type Json, setOwn } from '../../lib/json.ts'
import { calculate, operate } from './arithmetic.ts'
import { Break, Downstream, JqError } from './error.ts'
import { bindFirst } from './bind.ts'
import { callableOf, type Environment, labelOf, variableOf } from './environment.ts'
import { formatNamed, plainText } from './format.ts'
import { type Call, generators } from './functions/generators.ts'
import { functions } from './functions/functions.ts'
import type { Definition, Node, UpdateOperator } from './node.ts'
import { deletePaths, getPath, indexed, nowhere, type Path, setPath, sliced } from './paths.ts'
import { preludeDefinition } from './prelude.ts'
import type { Run } from './run.ts'
import { isArray, isRecord, isTruthy, shownValue, sortedKeys, typeOf } from './value.ts'

/** Takes one output, and where it lies in the input of the path expression, if one is being followed. */
export type Emit = (value: Json, path: Path | undefined) => void

/** Evaluates the nodes of one program. Outputs are handed on one by one: what takes them runs before the next is made. */
export class Evaluator {
  readonly run: Run

  constructor(run: Run) {
    this.run = run
  }

  /** Hands every output of a node to `emit`; with a path, follows where the outputs lie. */
  evaluate(node: Node, env: Environment, input: Json, path: Path | undefined, emit: Emit): void {
    this.run.enter()
    this.#dispatch(node, env, input, path, emit)
    this.run.leave()
  }

  /** Hands on the outputs alone. */
  values(node: Node, env: Environment, input: Json, emit: (value: Json) => void): void {
    if (node.is === 'literal') emit(node.value)
    else this.evaluate(node, env, input, undefined, emit)
  }

  /** All outputs, in order. */
  all(node: Node, env: Environment, input: Json): readonly Json[] {
    const found: Json[] = []
    this.values(node, env, input, (value) => {
      this.run.make(1)
      found.push(value)
    })
    return found
  }

  /** The paths that a node's outputs lie at. */
  paths(node: Node, env: Environment, input: Json, emit: (path: Path, value: Json) => void): void {
    this.evaluate(node, env, input, [], (value, path) => {
      if (path === nowhere || !path) throw new JqError(`Invalid path expression with result ${shownValue(value)}`)
      emit(path, value)
    })
  }

  /** Runs a body with a stop that ends it: what is thrown by `stop` goes no further. */
  until(body: (stop: () => never) => void): void {
    const mark = new Break()
    try {
      body(() => {
        throw mark
      })
    } catch (thrown) {
      if (thrown !== mark) throw thrown
    }
  }

  #dispatch(node: Node, env: Environment, input: Json, path: Path | undefined, emit: Emit): void {
    switch (node.is) {
      case 'identity':
        return emit(input, path)
      case 'descend':
        return this.descend(input, path, emit)
      case 'index':
        return this.values(node.key, env, input, (key) =>
          this.#below(node.of, env, input, path, (value, at) => {
            const inside = this.#inside(at, key, value)
            emit(indexed(value, key), inside)
          }),
        )
      case 'slice':
        return this.#slice(node, env, input, path, emit)
      case 'each':
        return this.#below(node.of, env, input, path, (value, at) => this.each(value, at, emit))
      case 'pipe':
        return this.evaluate(node.left, env, input, path, (value, at) =>
          this.evaluate(node.right, env, value, at, emit),
        )
      case 'comma':
        this.evaluate(node.left, env, input, path, emit)
        return this.evaluate(node.right, env, input, path, emit)
      case 'if':
        return this.values(node.test, env, input, (truth) => {
          const branch = isTruthy(truth) ? node.body : node.otherwise
          if (branch) this.evaluate(branch, env, input, path, emit)
          else emit(input, path)
        })
      case 'try':
        return this.#try(node, env, input, path, emit)
      case 'reduce':
      case 'foreach':
        return this.#fold(node, env, input, path, emit)
      case 'bind':
        return this.values(node.of, env, input, (value) =>
          bindFirst(this, node.patterns, { env, input, value }, (bound) =>
            this.evaluate(node.body, bound, input, path, emit),
          ),
        )
      case 'define':
        return this.evaluate(node.body, { is: 'function', definition: node.definition, up: env }, input, path, emit)
      case 'call':
        return this.#call(node, env, input, path, emit)
      case 'label':
        return this.#label(node, env, input, path, emit)
      case 'binary':
        if (node.operator === '//') return this.#alternative(node, env, input, path, emit)
        return this.#make(node, env, input, (value) => emit(value, path && nowhere))
      default:
        return this.#make(node, env, input, (value) => emit(value, path && nowhere))
    }
  }

  /** What makes new values, which lie nowhere in the input. */
  #make(node: Node, env: Environment, input: Json, emit: (value: Json) => void): void {
    switch (node.is) {
      case 'literal':
        return emit(node.value)
      case 'text':
        return this.#text(node, env, input, emit)
      case 'format':
        return emit(this.#format(node.name)(input))
      case 'array':
        return emit(node.of ? this.all(node.of, env, input) : [])
      case 'object':
        return this.#object(node, env, input, emit)
      case 'negative':
        return this.values(node.of, env, input, (value) => {
          if (typeof value !== 'number') throw new JqError(`${typeOf(value)} (${shownValue(value)}) cannot be negated`)
          emit(-value)
        })
      case 'binary':
        return this.#binary(node, env, input, emit)
      case 'update':
        return this.#update(node, env, input, emit)
      case 'variable':
        return emit(this.#variable(node.name, env))
      case 'break':
        throw labelOf(env, node.name) ?? new JqError(`$*label-${node.name} is not defined`)
      default:
        throw new Error(`jq has no meaning for ${node.is}`)
    }
  }

  #label(
    node: Extract<Node, { readonly is: 'label' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    const mark = new Break()
    try {
      this.evaluate(node.body, { is: 'label', name: node.name, mark, up: env }, input, path, emit)
    } catch (thrown) {
      if (thrown !== mark) throw thrown
    }
  }

  #variable(name: string, env: Environment): Json {
    const value = variableOf(env, name)
    if (value !== undefined) return value
    if (name === 'ENV') return {}
    if (name === '__loc__') return { file: '<top-level>', line: 1 }
    throw new JqError(`$${name} is not defined`)
  }

  /** Evaluates what a step goes on from, sparing the common `.`. */
  #below(of: Node, env: Environment, input: Json, path: Path | undefined, emit: Emit): void {
    if (of.is === 'identity') emit(input, path)
    else this.evaluate(of, env, input, path, emit)
  }

  #inside(path: Path | undefined, key: Json, value: Json): Path | undefined {
    if (!path) return undefined
    if (path === nowhere) throw new JqError(`Invalid path expression with result ${shownValue(value)}`)
    return [...path, key]
  }

  /** Every item of an array, or value of an object in the order of its keys. */
  each(value: Json, path: Path | undefined, emit: Emit): void {
    if (isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        this.run.step()
        emit(value[at] ?? null, this.#inside(path, at, value))
      }
    } else if (isRecord(value)) {
      for (const key of sortedKeys(value)) {
        this.run.step()
        emit(value[key] ?? null, this.#inside(path, key, value))
      }
    } else throw new JqError(`Cannot iterate over ${typeOf(value)}${value === null ? '' : ` (${shownValue(value)})`}`)
  }

  /** A value and everything in it. */
  descend(value: Json, path: Path | undefined, emit: Emit): void {
    this.run.enter()
    emit(value, path)
    if (typeof value === 'object' && value !== null)
      this.each(value, path, (below, at) => this.descend(below, at, emit))
    this.run.leave()
  }

  #slice(
    node: Extract<Node, { readonly is: 'slice' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    const bound = (of: Node | undefined, take: (value: Json) => void): void =>
      of ? this.values(of, env, input, take) : take(null)
    bound(node.to, (end) =>
      bound(node.from, (start) =>
        this.#below(node.of, env, input, path, (value, at) =>
          emit(sliced(value, start, end), this.#inside(at, { start, end }, value)),
        ),
      ),
    )
  }

  #format(name: string): (value: Json) => string {
    const format = formatNamed(name)
    if (!format) throw new JqError(`${name.slice(1)} is not a valid format`)
    return format
  }

  #text(
    node: Extract<Node, { readonly is: 'text' }>,
    env: Environment,
    input: Json,
    emit: (text: string) => void,
  ): void {
    const format = node.format === undefined ? plainText : this.#format(node.format)
    const next = (at: number, text: string): void => {
      const part = node.parts[at]
      if (part === undefined) return emit(text)
      this.run.make(text.length)
      if (typeof part === 'string') return next(at + 1, text + part)
      this.values(part, env, input, (value) => next(at + 1, text + format(value)))
    }
    next(0, '')
  }

  #object(
    node: Extract<Node, { readonly is: 'object' }>,
    env: Environment,
    input: Json,
    emit: (value: Json) => void,
  ): void {
    const next = (at: number, made: Readonly<Record<string, Json>>): void => {
      const entry = node.entries[at]
      if (!entry) return emit(made)
      this.values(entry.key, env, input, (key) => {
        if (typeof key !== 'string')
          throw new JqError(`Object keys must be strings, not ${typeOf(key)} (${shownValue(key)})`)
        const take = (below: Json): void => {
          const copy = { ...made }
          setOwn(copy, key, below)
          next(at + 1, copy)
        }
        // `{"a b"}` stands for `{"a b": ."a b"}`; the key is evaluated once.
        const isShort = entry.value.is === 'index' && entry.value.key === entry.key
        if (isShort) take(indexed(input, key))
        else this.values(entry.value, env, input, take)
      })
    }
    next(0, {})
  }

  #binary(
    node: Extract<Node, { readonly is: 'binary' }>,
    env: Environment,
    input: Json,
    emit: (value: Json) => void,
  ): void {
    const { operator, left, right } = node
    if (operator === '//') return this.#alternative(node, env, input, undefined, emit)
    if (operator === 'and' || operator === 'or') {
      return this.values(left, env, input, (a) => {
        if (isTruthy(a) === (operator === 'or')) emit(operator === 'or')
        else this.values(right, env, input, (b) => emit(isTruthy(b)))
      })
    }
    this.values(right, env, input, (b) => this.values(left, env, input, (a) => emit(operate(operator, a, b, this.run))))
  }

  /** Every true output of the left side; those of the right one if there is none. Errors of the left side end it. */
  #alternative(
    { left, right }: Extract<Node, { readonly is: 'binary' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    let isFound = false
    this.#shielded(
      (pass) =>
        this.evaluate(left, env, input, path, (value, at) => {
          if (!isTruthy(value)) return
          isFound = true
          pass(() => emit(value, at))
        }),
      () => undefined,
    )
    if (!isFound) this.evaluate(right, env, input, path, emit)
  }

  /** Runs a body and catches its errors, but not those of what its outputs were passed to. */
  #shielded(body: (pass: (onward: () => void) => void) => void, caught: (error: JqError) => void): void {
    try {
      body((onward) => {
        try {
          onward()
        } catch (thrown) {
          throw thrown instanceof JqError ? new Downstream(thrown) : thrown
        }
      })
    } catch (thrown) {
      if (thrown instanceof Downstream) throw thrown.thrown
      if (!(thrown instanceof JqError)) throw thrown
      caught(thrown)
    }
  }

  #try(
    node: Extract<Node, { readonly is: 'try' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    let error: JqError | undefined
    this.#shielded(
      (pass) => this.evaluate(node.body, env, input, path, (value, at) => pass(() => emit(value, at))),
      (caught) => (error = caught),
    )
    if (error && node.caught) this.evaluate(node.caught, env, error.value, path && nowhere, emit)
  }

  #fold(
    node: Extract<Node, { readonly is: 'reduce' | 'foreach' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    this.evaluate(node.start, env, input, path, (start, startPath) => {
      let state = start
      let at = startPath
      this.values(node.over, env, input, (item) =>
        bindFirst(this, node.patterns, { env, input, value: item }, (bound) => {
          if (node.is === 'foreach') {
            return this.evaluate(node.update, bound, state, at, (value, to) => {
              state = value
              at = to
              if (node.extract) this.evaluate(node.extract, bound, value, to, emit)
              else emit(value, to)
            })
          }
          let last: Json = null
          let lastPath = at && nowhere
          this.evaluate(node.update, bound, state, at, (value, to) => {
            last = value
            lastPath = to
          })
          state = last
          at = lastPath
        }),
      )
      if (node.is === 'reduce') emit(state, at)
    })
  }

  #call(
    node: Extract<Node, { readonly is: 'call' }>,
    env: Environment,
    input: Json,
    path: Path | undefined,
    emit: Emit,
  ): void {
    const { name, args } = node
    const call: Call = { evaluator: this, env, input, path, args, emit }
    const callable = callableOf(env, name, args.length)
    if (callable?.is === 'argument') return this.evaluate(callable.node, callable.from, input, path, emit)
    if (callable) return this.#apply(callable.definition, callable, call)
    const signature = `${name}/${args.length}`
    const generator = generators.get(signature)
    if (generator) return generator(call)
    const value = functions.get(signature)
    if (value) return this.#combinations(call, (given) => emit(value(input, given, this.run), path && nowhere))
    const definition = preludeDefinition(signature)
    if (!definition) throw new JqError(`${signature} is not defined`)
    this.#apply(definition, { is: 'function', definition, up: undefined }, call)
  }

  /** Every combination of the arguments' outputs; the last argument is the outermost loop. */
  #combinations({ args, env, input }: Call, take: (given: readonly Json[]) => void): void {
    const next = (at: number, given: readonly Json[]): void => {
      const arg = args[at]
      if (!arg) return take(given)
      this.values(arg, env, input, (value) => next(at - 1, [value, ...given]))
    }
    next(args.length - 1, [])
  }

  /** Runs a definition where it was made, with what it is called with. */
  #apply(definition: Definition, home: Environment, { args, env, input, path, emit }: Call): void {
    const bind = (at: number, bound: Environment): void => {
      const parameter = definition.parameters[at]
      const node = args[at]
      if (parameter === undefined || !node) return this.evaluate(definition.body, bound, input, path, emit)
      if (!parameter.startsWith('$'))
        return bind(at + 1, { is: 'argument', name: parameter, node, from: env, up: bound })
      const name = parameter.slice(1)
      this.values(node, env, input, (value) => {
        const up: Environment = { is: 'argument', name, node: { is: 'literal', value }, from: undefined, up: bound }
        bind(at + 1, { is: 'variable', name, value, up })
      })
    }
    bind(0, home)
  }

  #update(
    node: Extract<Node, { readonly is: 'update' }>,
    env: Environment,
    input: Json,
    emit: (value: Json) => void,
  ): void {
    const { operator, left, right } = node
    if (operator === '|=') return emit(this.modified(left, right, env, input))
    this.values(right, env, input, (value) => {
      let made = input
      this.paths(left, env, input, (at) => {
        made = setPath(made, at, (old) => this.#updated(operator, old, value))
      })
      emit(made)
    })
  }

  #updated(operator: Exclude<UpdateOperator, '|='>, old: Json, value: Json): Json {
    if (operator === '=') return value
    if (operator === '//=') return isTruthy(old) ? old : value
    return calculate(operator.charAt(0) as '+' | '-' | '*' | '/' | '%', old, value, this.run)
  }

  /** The input with what lies at the left side's paths replaced by the first output of the right side, or removed where it has none. */
  modified(left: Node, right: Node, env: Environment, input: Json): Json {
    const gone: Path[] = []
    let made = input
    this.paths(left, env, input, (at) => {
      let isKept = false
      this.until((stop) =>
        this.values(right, env, getPath(made, at), (value) => {
          isKept = true
          made = setPath(made, at, () => value)
          stop()
        }),
      )
      if (!isKept) gone.push(at)
    })
    return gone.length === 0 ? made : deletePaths(made, gone)
  }
}
