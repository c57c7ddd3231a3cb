/** Splits an RFC 6901 pointer into unescaped tokens. What stands before the first slash is ignored, as upstream does. */
export function pointerTokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => (token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token))
}

/** Writes tokens as an RFC 6901 pointer. */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Reads a decimal index with an optional sign; anything else is not an index. */
export function parseIndex(token: string): number | undefined {
  if (!/^[+-]?[0-9]{1,15}$/.test(token)) return undefined
  return Number(token)
}
