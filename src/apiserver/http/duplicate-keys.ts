/** Past this many a text is not worth reading on: its writer has been told enough. */
const ENOUGH = 10

interface Open {
  /** The names seen so far; undefined in a list. */
  readonly names: Set<string> | undefined
  readonly path: string
  index: number
  key: string
}

/**
 * The paths of fields that a JSON text names twice in one object. The text must be valid JSON. One pass over the
 * characters that matter: strings, braces and commas.
 */
export function duplicateKeys(text: string): readonly string[] {
  const found: string[] = []
  const stack: Open[] = []
  const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]/gs
  let top: Open | undefined
  let pending: string | undefined
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [symbol] = match
    switch (symbol) {
      case '{':
      case '[':
        top = { names: symbol === '{' ? new Set() : undefined, path: top ? pathBelow(top) : '', index: 0, key: '' }
        stack.push(top)
        pending = undefined
        break
      case '}':
      case ']':
        stack.pop()
        top = stack.at(-1)
        pending = undefined
        break
      case ',':
        if (top) top.index++
        pending = undefined
        break
      case ':':
        if (top?.names && pending !== undefined) {
          top.key = pending
          if (top.names.has(pending)) found.push(pathBelow(top))
          if (found.length >= ENOUGH) return found
          top.names.add(pending)
        }
        pending = undefined
        break
      default:
        if (top?.names) pending = nameOf(symbol)
    }
  }
  return found
}

const nameOf = (quoted: string): string =>
  quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)

function pathBelow({ names, path, index, key }: Open): string {
  if (!names) return `${path}[${index}]`
  return path === '' ? key : `${path}.${key}`
}
