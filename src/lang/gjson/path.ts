/** One step of a path, and what follows it. */
export interface Step {
  readonly text: string
  /** True if some character was escaped, so that the text is a key and nothing else. */
  readonly isPlain: boolean
  /** What joins the rest: after a dot it applies to each of many values, after a bar to all of them together. */
  readonly joint: '.' | '|' | ''
  readonly rest: string
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** Where a group that opens here ends; texts in quotes are passed over. */
export function endOfGroup(path: string, start: number): number {
  const open = path.charAt(start)
  const close = closing[open]
  let depth = 0
  for (let at = start; at < path.length; at++) {
    const character = path.charAt(at)
    if (character === '\\') at++
    else if (character === '"') {
      for (at++; at < path.length && path.charAt(at) !== '"'; at++) if (path.charAt(at) === '\\') at++
    } else if (character === open) depth++
    else if (character === close && --depth === 0) return at
  }
  return -1
}

/** Takes the first step off a path. */
export function firstStep(path: string): Step {
  let text = ''
  let isEscaped = false
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at)
    if (character === '\\') {
      // The escape stays in front of what would be a wildcard.
      const next = path.charAt(at + 1)
      text += next === '*' || next === '?' ? `\\${next}` : next
      isEscaped = true
      at++
    } else if ((character === '(' && text === '#') || (at === 0 && (character === '{' || character === '['))) {
      const end = endOfGroup(path, at)
      if (end < 0) return { text: text + path.slice(at), isPlain: false, joint: '', rest: '' }
      text += path.slice(at, end + 1)
      at = end
    } else if (character === '.' || character === '|')
      return { text, isPlain: isEscaped, joint: character, rest: path.slice(at + 1) }
    else text += character
  }
  return { text, isPlain: isEscaped, joint: '', rest: '' }
}

/** Tells whether a name matches a pattern of `*` and `?`, in time that does not run away. */
export function isMatch(name: string, pattern: string): boolean {
  const parts: string[] = []
  for (let at = 0; at < pattern.length; at++) {
    if (pattern.charAt(at) === '\\') parts.push(`\\${pattern.charAt(++at)}`)
    else parts.push(pattern.charAt(at))
  }
  let [at, part, star, mark] = [0, 0, -1, 0]
  while (at < name.length) {
    const wanted = parts[part]
    if (wanted === '*') {
      star = part++
      mark = at
    } else if (wanted !== undefined && (wanted === '?' || wanted.slice(-1) === name.charAt(at)) && wanted !== '\\') {
      part++
      at++
    } else if (star >= 0) {
      part = star + 1
      at = ++mark
    } else return false
  }
  while (parts[part] === '*') part++
  return part === parts.length
}
