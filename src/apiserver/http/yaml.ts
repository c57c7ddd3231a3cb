import { emitYaml, parseYaml } from '../../lib/yaml.ts'
import { LARGEST_BODY } from './exchange.ts'

/** What became of a YAML text. */
export type ReadYaml = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string }

/** How much larger than its text a document may be once its aliases are followed. */
const LARGEST_DOCUMENT = LARGEST_BODY

/** Reads one YAML document as JSON; aliases are followed, but not into more than a body could say without them. */
export function readYaml(text: string): ReadYaml {
  const parsed = parseYaml(text, { maxDepth: 200, maxChars: LARGEST_BODY })
  if (!parsed.ok) return { ok: false, message: parsed.error[0]?.message ?? 'malformed' }
  if (!isWithin(parsed.value, LARGEST_DOCUMENT))
    return { ok: false, message: 'the document is too large once its aliases are followed' }
  return { ok: true, value: parsed.value }
}

/** Counts a rough size and stops beyond the limit, so that shared parts cannot explode. */
function isWithin(value: unknown, limit: number): boolean {
  let size = 0
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    size += typeof next === 'string' ? next.length + 2 : 4
    if (size > limit) return false
    if (typeof next !== 'object' || next === null) continue
    for (const [key, below] of Object.entries(next)) {
      size += key.length + 3
      waiting.push(below)
    }
  }
  return true
}

/** Prints a value as YAML with sorted keys, as API servers do. */
export const printYaml = (value: unknown): string => emitYaml(value)
