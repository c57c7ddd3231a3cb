/** A line of input, or how many bytes it has when that is more than the limit. */
export type Line = { readonly text: string } | { readonly bytes: number }

const LINE_FEED = 10

/**
 * Splits bytes at line feeds only, because U+2028 and a lone carriage return may stand inside JSON. A line longer than the
 * limit is counted and forgotten, so that no input can fill the memory.
 */
export async function* linesOf(input: AsyncIterable<Uint8Array | string>, longest: number): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let bytes = 0
  const take = (part: Uint8Array): void => {
    bytes += part.length
    if (bytes <= longest) parts.push(part)
    else parts = []
  }
  const end = (): Line => {
    const line = bytes > longest ? { bytes } : { text: Buffer.concat(parts).toString('utf8') }
    parts = []
    bytes = 0
    return line
  }
  for await (const read of input) {
    const chunk = typeof read === 'string' ? Buffer.from(read) : read
    let from = 0
    for (let to = chunk.indexOf(LINE_FEED); to >= 0; to = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, to))
      yield end()
      from = to + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (bytes > 0) yield end()
}
