import { dump, JSON_SCHEMA, load } from 'js-yaml'

/** What became of a YAML text. */
export type ReadYaml = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string }

/** Reads one YAML document as JSON; anchors are followed, but a text may not grow beyond what a body may be. */
export function readYaml(text: string, largest: number): ReadYaml {
  try {
    const value: unknown = load(text, { schema: JSON_SCHEMA, json: true })
    if (sizeOf(value, largest) > largest)
      return { ok: false, message: 'the document is too large once its aliases are followed' }
    return { ok: true, value }
  } catch (cause) {
    return { ok: false, message: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'malformed' }
  }
}

/** A rough size in bytes that stops counting beyond the limit, so that shared parts cannot explode. */
function sizeOf(value: unknown, limit: number): number {
  let size = 0
  const waiting: unknown[] = [value]
  while (waiting.length > 0 && size <= limit) {
    const next = waiting.pop()
    size += typeof next === 'string' ? next.length + 2 : 4
    if (typeof next !== 'object' || next === null) continue
    for (const [key, below] of Object.entries(next)) {
      size += key.length + 3
      waiting.push(below)
    }
  }
  return size
}

/** Prints a value as YAML with sorted keys, as API servers do. */
export function printYaml(value: unknown): string {
  return dump(value, { sortKeys: true, lineWidth: -1, noRefs: true, schema: JSON_SCHEMA })
}
