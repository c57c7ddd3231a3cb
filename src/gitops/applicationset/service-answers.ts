import type { Result } from '../../lib/result.ts'
import { type Need, needKey } from './engine/need.ts'

/** Whose answers are kept, and how long they count. */
export interface AnswersFor {
  /** The ApplicationSet's key. */
  readonly key: string
  /** A change of the spec asks anew. */
  readonly generation: number
  readonly nowMs: number
  /** How old answers may be; undefined keeps none. */
  readonly keepMs: number | undefined
}

interface Kept {
  readonly generation: number
  readonly sinceMs: number
  readonly answers: Map<string, Result<unknown>>
}

/**
 * What services have answered. Generators run whenever an Application changes, but a service is asked only as often as
 * `requeueAfterSeconds` says: its patience is limited. Failures are not kept.
 */
export class ServiceAnswers {
  readonly #kept = new Map<string, Kept>()

  /** The answers that still count; a place for new ones in any case. */
  of({ key, generation, nowMs, keepMs }: AnswersFor): Map<string, Result<unknown>> {
    const known = this.#kept.get(key)
    if (known && keepMs !== undefined && known.generation === generation && nowMs - known.sinceMs < keepMs) {
      return known.answers
    }
    const answers = new Map<string, Result<unknown>>()
    this.#kept.set(key, { generation, sinceMs: nowMs, answers })
    return answers
  }

  forget(key: string): void {
    this.#kept.delete(key)
  }
}

/** Whether answering a need asks a service outside. */
export const asksService = (need: Need): boolean => need.need === 'http' || need.need === 'plugin'

/** Takes a kept answer, or asks and keeps it when it is good. */
export async function keptAnswer(
  need: Need,
  answers: Map<string, Result<unknown>>,
  fetch: () => Promise<Result<unknown>>,
): Promise<Result<unknown>> {
  if (!asksService(need)) return fetch()
  const key = needKey(need)
  const known = answers.get(key)
  if (known) return known
  const fetched = await fetch()
  if (fetched.ok) answers.set(key, fetched)
  return fetched
}
