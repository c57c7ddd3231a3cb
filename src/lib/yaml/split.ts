/** The text of one document of a stream and the line on which it begins, counted from 1. */
export interface YamlPart {
  readonly line: number
  readonly text: string
}

const isMarker = (text: string, at: number, char: string): boolean => {
  if (text[at] !== char || text[at + 1] !== char || text[at + 2] !== char) return false
  const after = text[at + 3]
  return after === undefined || after === '\n' || after === '\r' || after === ' ' || after === '\t'
}

const hasContent = (text: string): boolean => /^[^\S\n]*[^\s#]/m.test(text)

/**
 * Splits a stream at its `---` and `...` lines. Comments and blank lines before the first document belong to it;
 * a document between two markers is kept even when it is empty.
 */
export function splitYamlDocuments(text: string): readonly YamlPart[] {
  const parts: YamlPart[] = []
  let partStart = 0
  let partLine = 1
  let line = 1
  let marked = false
  const close = (end: number): void => {
    const part = text.slice(partStart, end)
    if (marked || hasContent(part)) parts.push({ line: partLine, text: part })
  }
  const begin = text.startsWith('\uFEFF') ? 1 : 0
  for (let at = begin; at < text.length; line++) {
    const ended = text.indexOf('\n', at)
    const next = ended < 0 ? text.length : ended + 1
    if (isMarker(text, at, '-')) {
      // Directives stand before the marker that opens their document.
      if (marked || hasContent(text.slice(partStart, at).replace(/^%.*$/gm, ''))) {
        close(at)
        partStart = at
        partLine = line
      }
      marked = true
    } else if (isMarker(text, at, '.')) {
      close(next)
      marked = false
      partStart = next
      partLine = line + 1
    }
    at = next
  }
  close(text.length)
  return parts
}
