import { succeed } from '../../../lib/result.ts'
import type { SecretData } from './decode.ts'
import { failed, type Fetched } from './trouble.ts'

const STRAY = /[^\p{L}\p{N}\-._]/gu
const LONGEST_KEY = 253

/** A name as a key of a Secret: what a key cannot hold becomes `_`, or its code point where the strategy is Unicode. */
export function convertKey(strategy: string, name: string): string {
  if (strategy !== '' && strategy !== 'Default' && strategy !== 'Unicode') return name
  return name.replaceAll(STRAY, (character) =>
    strategy === 'Unicode' ? `_U${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}_` : '_',
  )
}

/** The name that a key stood for before it was converted by the strategy Unicode. */
export function reverseKey(strategy: string, key: string): string {
  if (strategy !== 'ReverseUnicode') return key
  return key.replaceAll(/_U([0-9a-fA-F]{4,5})_/g, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
}

/** Data under other keys; two keys that become one are refused. */
export function withKeys(data: SecretData, change: (key: string) => string): Fetched<SecretData> {
  const changed = new Map<string, string>()
  for (const [key, value] of data) {
    const name = change(key)
    if (changed.has(name)) return failed(`secret name collision during conversion: ${name}`)
    changed.set(name, value)
  }
  return succeed(changed)
}

/** Refuses keys that a Secret cannot have. A key without a name is left out: nothing was found under it. */
export function checkKeys(data: SecretData): Fetched<SecretData> {
  const kept = new Map<string, string>()
  for (const [key, value] of data) {
    if (key === '') continue
    if (key.length > LONGEST_KEY) {
      return failed(`key has length ${key.length} but max is ${LONGEST_KEY}: (following is truncated): ${key.slice(0, LONGEST_KEY)}`)
    }
    STRAY.lastIndex = 0
    const stray = STRAY.exec(key)?.[0]
    if (stray !== undefined) {
      return failed(`key has invalid character ${stray}, only alphanumeric, '-', '.' and '_' are allowed: ${key}`)
    }
    kept.set(key, value)
  }
  return succeed(kept)
}
