import type { Problem, Result } from '../../lib/result.ts'

/** The deepest document that the change algorithms walk. Kubernetes objects stay below a few dozen levels. */
export const deepest = 1_000

/**
 * A problem on its way out of a recursive algorithm. It never leaves this folder: every exported function runs its
 * recursion inside `attempt`, which turns it into a value. Anything else that is thrown is a bug and passes through.
 */
export class Refusal extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Runs a recursive algorithm and answers its value, or the problem that stopped it. */
export function attempt<T>(work: () => T): Result<T> {
  try {
    return { ok: true, value: work() }
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ok: false, error: [thrown.problem] }
    throw thrown
  }
}

/** Stops a walk that has gone too deep. */
export function refuseBelow(depth: number): void {
  if (depth > deepest) {
    throw new Refusal({
      code: 'document-too-deep',
      message: `the document is nested deeper than ${deepest} levels`,
      cure: 'flatten it',
    })
  }
}

/** Stops when a document is nested deeper than the algorithms walk, so that later walks need not count. */
export function refuseDeep(value: unknown, depth: number = 0): void {
  if (typeof value !== 'object' || value === null) return
  refuseBelow(depth)
  if (Array.isArray(value)) {
    for (const item of value) refuseDeep(item, depth + 1)
    return
  }
  const object = value as Readonly<Record<string, unknown>>
  for (const key in object) refuseDeep(object[key], depth + 1)
}
