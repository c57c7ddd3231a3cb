/** What a list of names chose, or why it chooses nothing. */
export type Choice<Named> =
  | { readonly ok: true; readonly chosen: readonly Named[] }
  | { readonly ok: false; readonly because: string }

/** What a list of names, `all` or `none` stands for among those that there are; a name with a minus in front is left out. */
export function chooseControllers<Named extends { readonly name: string }>(
  choice: string,
  all: readonly Named[],
): Choice<Named> {
  if (choice === 'none') return { ok: true, chosen: [] }
  const words = choice.split(',').flatMap((word) => word.trim() || [])
  const left = words.flatMap((word) => (word.startsWith('-') ? word.slice(1) : []))
  const named = words.filter((word) => !word.startsWith('-') && word !== 'all' && word !== '*')
  const known = all.map(({ name }) => name)
  const unknown = [...left, ...named].filter((name) => !known.includes(name))
  if (words.length === 0 || unknown.length > 0) {
    const which = unknown.map((name) => JSON.stringify(name)).join(', ')
    const are = unknown.length === 1 ? `${which} is not a controller` : `${which} are not controllers`
    return {
      ok: false,
      because: `${unknown.length === 0 ? 'no controller is named' : are}; there are ${known.join(', ')}`,
    }
  }
  const isAll = words.length > named.length + left.length || named.length === 0
  return {
    ok: true,
    chosen: all.filter(({ name }) => (isAll || named.includes(name)) && !left.includes(name)),
  }
}
