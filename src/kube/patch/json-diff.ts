import { isEqual, isObject } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import { pointerOf } from './json-pointer.ts'
import { attempt, refuseDeep } from './refusal.ts'

/** One operation as `createJsonPatch` writes it. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** Lists that differ in more elements than this are replaced whole: shorter to send, and cheaper to apply. */
const mostListSteps = 1_000

/**
 * Makes an RFC 6902 patch that turns one document into the other. Keys are visited in the order the documents have them;
 * lists are compared after their common head and tail. A patch that would have over 10,000 steps replaces the whole.
 */
export function createJsonPatch(from: unknown, to: unknown): Result<readonly JsonPatchOperation[]> {
  return attempt(() => {
    refuseDeep(from)
    refuseDeep(to)
    const steps: JsonPatchOperation[] = []
    diffValue([], from, to, steps)
    return steps.length > 10_000 ? [{ op: 'replace', path: '', value: to }] : steps
  })
}

function diffValue(path: readonly string[], from: unknown, to: unknown, steps: JsonPatchOperation[]): void {
  if (from === to) return
  if (isObject(from) && isObject(to)) diffObject(path, from, to, steps)
  else if (Array.isArray(from) && Array.isArray(to)) diffList(path, from, to, steps)
  else if (!isEqual(from, to)) steps.push({ op: 'replace', path: pointerOf(path), value: to })
}

type Fields = Readonly<Record<string, unknown>>

function diffObject(path: readonly string[], from: Fields, to: Fields, steps: JsonPatchOperation[]): void {
  for (const key of Object.keys(from)) {
    const below = [...path, key]
    if (Object.hasOwn(to, key)) diffValue(below, from[key], to[key], steps)
    else steps.push({ op: 'remove', path: pointerOf(below) })
  }
  for (const key of Object.keys(to)) {
    if (!Object.hasOwn(from, key)) steps.push({ op: 'add', path: pointerOf([...path, key]), value: to[key] })
  }
}

function diffList(
  path: readonly string[],
  from: readonly unknown[],
  to: readonly unknown[],
  steps: JsonPatchOperation[],
): void {
  let head = 0
  while (head < from.length && head < to.length && isEqual(from[head], to[head])) head++
  let tail = 0
  const longestTail = Math.min(from.length, to.length) - head
  while (tail < longestTail && isEqual(from[from.length - 1 - tail], to[to.length - 1 - tail])) tail++
  const gone = from.length - tail
  const kept = to.length - tail
  if (Math.max(gone, kept) - head > mostListSteps) {
    steps.push({ op: 'replace', path: pointerOf(path), value: to })
    return
  }
  const shared = Math.min(gone, kept)
  for (let index = head; index < shared; index++) diffValue([...path, String(index)], from[index], to[index], steps)
  for (let index = gone - 1; index >= shared; index--) {
    steps.push({ op: 'remove', path: pointerOf([...path, String(index)]) })
  }
  for (let index = shared; index < kept; index++) {
    steps.push({ op: 'add', path: pointerOf([...path, String(index)]), value: to[index] })
  }
}
