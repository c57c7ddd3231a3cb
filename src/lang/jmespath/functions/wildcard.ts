/** Matches a text as a whole: `*` is any number of characters, `?` exactly one. Takes time in the product of the lengths at worst. */
export function matchesWildcard(pattern: string, text: string, charge: (steps: number) => void): boolean {
  if (pattern === '*') return true
  const wanted = Array.from(pattern)
  const given = Array.from(text)
  let at = 0
  let star = -1
  let resume = 0
  let from = 0
  charge((wanted.length + given.length) / 16)
  while (from < given.length) {
    const sign = wanted[at]
    if (sign === '*') {
      star = at++
      resume = from
    } else if (sign !== undefined && (sign === '?' || sign === given[from])) {
      at++
      from++
    } else if (star >= 0) {
      charge((from - resume + 1) / 8)
      at = star + 1
      from = ++resume
    } else {
      return false
    }
  }
  while (wanted[at] === '*') at++
  return at === wanted.length
}
