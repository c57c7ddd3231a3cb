/** Matching takes time in the product of the lengths at worst; nothing that is meant in earnest comes near this. */
const LARGEST = 100_000_000

/** Matches a text as a whole: `*` is any number of characters, `?` exactly one. */
export function matchesWildcard(pattern: string, text: string): boolean {
  if (pattern === '*' || pattern === text) return true
  if (!isWildcard(pattern) || pattern.length * text.length > LARGEST) return false
  let at = 0
  let star = -1
  let resume = 0
  let from = 0
  while (from < text.length) {
    const sign = pattern[at]
    if (sign === '*') {
      star = at++
      resume = from
    } else if (sign !== undefined && (sign === '?' || sign === text[from])) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/** Tells whether a text is a pattern rather than a name. */
export function isWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?')
}
