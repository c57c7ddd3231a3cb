import { createHash } from 'node:crypto'
import { deepFreeze } from '../json.ts'
import { type Result, succeed } from '../result.ts'
import { parseYamlDocuments, type YamlDocument, type YamlOptions } from './parse.ts'

/** Remembers what texts parsed to, by the hash of their content. */
export interface YamlCache {
  /** The documents of a text, frozen, so that everybody can be handed the same ones. Failures are not remembered. */
  documents(text: string): Result<readonly YamlDocument[]>
}

/** Makes a cache that holds the results of at most so many characters of text; the longest unused go first. */
export function createYamlCache(
  maxChars: number = 32 * 1024 * 1024,
  options: Omit<YamlOptions, 'file' | 'firstLine'> = {},
): YamlCache {
  const known = new Map<string, { readonly size: number; readonly documents: readonly YamlDocument[] }>()
  let held = 0
  return {
    documents(text) {
      const hash = createHash('sha256').update(text).digest('base64')
      const hit = known.get(hash)
      if (hit) {
        known.delete(hash)
        known.set(hash, hit)
        return succeed(hit.documents)
      }
      const read = parseYamlDocuments(text, options)
      if (!read.ok) return read
      const documents = deepFreeze(read.value)
      known.set(hash, { size: text.length, documents })
      held += text.length
      for (const [oldest, { size }] of known) {
        if (held <= maxChars) break
        known.delete(oldest)
        held -= size
      }
      return succeed(documents)
    },
  }
}
