import type { Json } from '../../../lib/json.ts'
import type { Environment } from '../environment.ts'
import { JqError } from '../error.ts'
import type { Emit, Evaluator } from '../evaluate.ts'
import type { Node } from '../node.ts'
import { deletePaths, getPath, nowhere, type Path } from '../paths.ts'
import { isArray, isTruthy, shownValue, typeOf } from '../value.ts'
import { matchesOf, substituted } from './regex.ts'

/** A call of a function whose arguments are programs, or that may have many outputs or follow paths. */
export interface Call {
  readonly evaluator: Evaluator
  readonly env: Environment
  readonly input: Json
  readonly path: Path | undefined
  readonly args: readonly Node[]
  readonly emit: Emit
}

export type Generator = (call: Call) => void

const identity: Node = { is: 'identity' }
const arg = ({ args }: Call, at: number): Node => args[at] ?? identity

/** Hands on an output that lies nowhere in the input. */
const say = ({ emit, path }: Call, value: Json): void => emit(value, path && nowhere)

function given(call: Call, at: number, take: (value: Json) => void): void {
  call.evaluator.values(arg(call, at), call.env, call.input, take)
}

function numberOf(value: Json, what: string): number {
  if (typeof value !== 'number') throw new JqError(`${what} must be a number, not ${typeOf(value)}`)
  return value
}

/** The first outputs of a program, at most so many. */
function limited(call: Call, count: number, body: Node): void {
  const { evaluator, env, input, path, emit } = call
  if (count <= 0) return
  let left = count
  evaluator.until((stop) =>
    evaluator.evaluate(body, env, input, path, (value, at) => {
      left--
      emit(value, at)
      if (left <= 0) stop()
    }),
  )
}

function some(call: Call, from: Node, test: Node, wanted: boolean): boolean {
  const { evaluator, env, input } = call
  let isFound = false
  evaluator.until((stop) =>
    evaluator.values(from, env, input, (item) =>
      evaluator.values(test, env, item, (truth) => {
        if (isTruthy(truth) !== wanted) return
        isFound = true
        stop()
      }),
    ),
  )
  return isFound
}

function range(call: Call, from: number, to: number, by: number): void {
  for (let at = from; by > 0 ? at < to : by < 0 ? at > to : from < to; at += by) {
    call.evaluator.run.step()
    say(call, at)
  }
}

function recurse(call: Call, value: Json, path: Path | undefined): void {
  const { evaluator, env, emit } = call
  evaluator.run.enter()
  emit(value, path)
  evaluator.evaluate(arg(call, 0), env, value, path, (below, at) => recurse(call, below, at))
  evaluator.run.leave()
}

function pathOf(value: Json): Path {
  if (!isArray(value)) throw new JqError(`Path must be specified as an array, not ${typeOf(value)}`)
  return value
}

/** Functions that get programs, by `name/arity`. */
export const generators: ReadonlyMap<string, Generator> = new Map<string, Generator>([
  ['empty/0', () => undefined],
  [
    'error/0',
    ({ input }) => {
      throw new JqError(input)
    },
  ],
  [
    'error/1',
    (call) =>
      given(call, 0, (value) => {
        throw new JqError(value)
      }),
  ],
  [
    'select/1',
    (call) =>
      given(call, 0, (truth) => {
        if (isTruthy(truth)) call.emit(call.input, call.path)
      }),
  ],
  ['recurse/1', (call) => recurse(call, call.input, call.path)],
  ['path/1', (call) => call.evaluator.paths(arg(call, 0), call.env, call.input, (path) => say(call, path))],
  [
    'getpath/1',
    (call) =>
      given(call, 0, (to) => {
        const path = pathOf(to)
        call.emit(getPath(call.input, path), call.path && [...call.path, ...path])
      }),
  ],
  [
    'del/1',
    (call) => {
      const paths: Path[] = []
      call.evaluator.paths(arg(call, 0), call.env, call.input, (path) => paths.push(path))
      say(call, deletePaths(call.input, paths))
    },
  ],
  ['delpaths/1', (call) => given(call, 0, (paths) => say(call, deletePaths(call.input, pathOf(paths).map(pathOf))))],
  ['first/1', (call) => limited(call, 1, arg(call, 0))],
  ['limit/2', (call) => given(call, 0, (count) => limited(call, numberOf(count, 'a limit'), arg(call, 1)))],
  [
    'skip/2',
    (call) =>
      given(call, 0, (count) => {
        let left = numberOf(count, 'a number of outputs to skip')
        call.evaluator.evaluate(arg(call, 1), call.env, call.input, call.path, (value, at) => {
          if (left > 0) left--
          else call.emit(value, at)
        })
      }),
  ],
  [
    'last/1',
    (call) => {
      let last: { readonly value: Json; readonly at: Path | undefined } | undefined
      call.evaluator.evaluate(arg(call, 0), call.env, call.input, call.path, (value, at) => (last = { value, at }))
      if (last) call.emit(last.value, last.at)
    },
  ],
  [
    'isempty/1',
    (call) => {
      let isEmpty = true
      call.evaluator.until((stop) =>
        given(call, 0, () => {
          isEmpty = false
          stop()
        }),
      )
      say(call, isEmpty)
    },
  ],
  ['any/2', (call) => say(call, some(call, arg(call, 0), arg(call, 1), true))],
  ['all/2', (call) => say(call, !some(call, arg(call, 0), arg(call, 1), false))],
  ['range/1', (call) => given(call, 0, (to) => range(call, 0, numberOf(to, 'the end of a range'), 1))],
  [
    'range/2',
    (call) =>
      given(call, 0, (from) =>
        given(call, 1, (to) =>
          range(call, numberOf(from, 'the start of a range'), numberOf(to, 'the end of a range'), 1),
        ),
      ),
  ],
  [
    'range/3',
    (call) =>
      given(call, 0, (from) =>
        given(call, 1, (to) =>
          given(call, 2, (by) =>
            range(
              call,
              numberOf(from, 'the start of a range'),
              numberOf(to, 'the end of a range'),
              numberOf(by, 'the step of a range'),
            ),
          ),
        ),
      ),
  ],
  [
    'sub/3',
    (call) =>
      given(call, 2, (flags) =>
        given(call, 0, (pattern) => {
          const { evaluator, env, input } = call
          const replacements = (captures: Json): readonly string[] =>
            evaluator.all(arg(call, 1), env, captures).map((text) => {
              if (typeof text !== 'string')
                throw new JqError(`a replacement must be a string, not ${typeOf(text)} (${shownValue(text)})`)
              return text
            })
          for (const text of substituted(input, { pattern, flags }, replacements, evaluator.run)) say(call, text)
        }),
      ),
  ],
  [
    'match/2',
    (call) =>
      given(call, 1, (flags) =>
        given(call, 0, (pattern) => {
          for (const found of matchesOf(call.input, { pattern, flags }, call.evaluator.run)) say(call, found)
        }),
      ),
  ],
  ['debug/0', ({ emit, input, path }) => emit(input, path)],
  ['debug/1', ({ emit, input, path }) => emit(input, path)],
  ['stderr/0', ({ emit, input, path }) => emit(input, path)],
])
