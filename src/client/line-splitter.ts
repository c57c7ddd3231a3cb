/** A line that never ends is an attack or a bug; objects are a few megabytes at most. */
const LONGEST_LINE = 64 * 2 ** 20

const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines of text. A line is decoded once, when it is complete. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let kept: Buffer[] = []
  let keptBytes = 0
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const end = chunk.subarray(from, at)
      from = at + 1
      const line = kept.length === 0 ? end : Buffer.concat([...kept, end])
      kept = []
      keptBytes = 0
      if (line.length > 0) yield line.toString()
    }
    if (from === chunk.length) continue
    kept.push(chunk.subarray(from))
    keptBytes += chunk.length - from
    if (keptBytes > LONGEST_LINE) throw new Error(`a line of the stream is longer than ${LONGEST_LINE} bytes`)
  }
  if (kept.length > 0) yield Buffer.concat(kept).toString()
}
