import { Buffer } from 'node:buffer'

/** Where the next page starts: behind a key, as of a revision. */
export interface ContinueToken {
  readonly revision: number
  /** Relative to the collection's prefix. */
  readonly after: string
}

/** Makes an opaque token out of a place in a list. */
export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'idp/v1', rv: token.revision, start: token.after })).toString('base64url')
}

/** Reads a token back; undefined when it was not one of ours. */
export function decodeContinue(text: string): ContinueToken | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { v, rv, start } = parsed as { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown }
  if (v !== 'idp/v1' || typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < 0) return undefined
  if (typeof start !== 'string' || start.includes('\0')) return undefined
  return { revision: rv, after: start }
}
