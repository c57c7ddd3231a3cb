import type { Problem, Result } from '../../lib/result.ts'
import { succeed } from '../../lib/result.ts'

/** Why a build cannot go on; thrown inside the engine only, and turned into a value at its border. */
export class Refusal extends Error {
  readonly problem: Problem
  /** The text could not even be read as YAML, so that it is no use to look for a folder of that name. */
  readonly isMalformed: boolean

  constructor(problem: Problem, isMalformed: boolean = false) {
    super(problem.message)
    this.problem = problem
    this.isMalformed = isMalformed
  }
}

/** Stops the build because the kustomization or a file it names is wrong. */
export function refuse(message: string, isMalformed: boolean = false): never {
  throw new Refusal({ code: 'kustomization-invalid', message }, isMalformed)
}

/** The value of a result; its problems stop the build. */
export function demand<T>(result: Result<T>, prefix?: string): T {
  if (result.ok) return result.value
  const text = result.error.map(({ message }) => message).join('; ')
  const isMalformed = result.error.some(({ code }) => code === 'yaml-invalid')
  return refuse(prefix === undefined ? text : `${prefix}: ${text}`, isMalformed)
}

/** The same refusal, saying in front of it what was being done. */
export function prefixed(prefix: string, { problem, isMalformed }: Refusal): Refusal {
  return new Refusal({ ...problem, message: `${prefix}: ${problem.message}` }, isMalformed)
}

/** Runs a part of the build and says in front of its refusal what was being done. */
export function within<T>(prefix: string, run: () => T): T {
  try {
    return run()
  } catch (thrown) {
    throw thrown instanceof Refusal ? prefixed(prefix, thrown) : thrown
  }
}

/** Runs a build: refusals become problems, bugs stay thrown. */
export function attemptBuild<T>(run: () => T): Result<T> {
  try {
    return succeed(run())
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return { ok: false, error: [thrown.problem] }
  }
}
