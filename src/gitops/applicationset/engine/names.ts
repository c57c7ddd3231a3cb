/** A name as DNS likes it: lower case, everything but letters, digits, `-` and `.` a dash, at most 253 characters. */
export function sanitizeName(name: string): string {
  const plain = Array.from(name.toLowerCase(), (character) => (/[-a-z0-9.]/.test(character) ? character : '-')).join('')
  return trimmed(plain.slice(0, 253), /[-.]/)
}

/** Cut at both ends without a pattern that could backtrack. */
function trimmed(text: string, edge: RegExp): string {
  let [start, end] = [0, text.length]
  while (start < end && edge.test(text.charAt(start))) start++
  while (end > start && edge.test(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

export interface SlugOptions {
  readonly longest: number
  /** Cuts at a dash rather than within a word. */
  readonly cutsAtWords: boolean
  readonly underscoresAreDashes?: boolean
}

/** Letters that do not fall apart into a Latin letter and marks. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['Æ', 'AE'],
  ['œ', 'oe'],
  ['Œ', 'OE'],
  ['ø', 'o'],
  ['Ø', 'O'],
  ['đ', 'd'],
  ['Đ', 'D'],
  ['ð', 'd'],
  ['þ', 'th'],
  ['Þ', 'Th'],
  ['ł', 'l'],
  ['Ł', 'L'],
  ['ı', 'i'],
])

const toAscii = (text: string): string =>
  Array.from(text, (character) => LETTERS.get(character) ?? character)
    .join('')
    .normalize('NFKD')
    .replaceAll(/\P{ASCII}/gu, '')

/** What a URL may hold of a text (github.com/gosimple/slug, English). */
export function slugOf(text: string, { longest, cutsAtWords, underscoresAreDashes = false }: SlugOptions): string {
  let slug = text.trim()
  if (underscoresAreDashes) slug = slug.replaceAll('_', '-')
  slug = slug
    .replaceAll('&', 'and')
    .replaceAll('@', 'at')
    .replaceAll(/["'\u2019]/g, '')
    .replaceAll(/[\u2012-\u2015]/g, '-')
  slug = toAscii(slug).toLowerCase()
  if (!cutsAtWords && slug.length >= longest) slug = slug.slice(0, longest)
  slug = trimmed(slug.replaceAll(/[^a-z0-9_-]/g, '-').replaceAll(/-+/g, '-'), /[-_]/)
  return cutsAtWords && longest > 0 ? cutAtWord(slug, longest) : slug
}

function cutAtWord(slug: string, longest: number): string {
  if (slug.length <= longest) return slug
  const dash = slug.lastIndexOf('-', longest)
  return slug.slice(0, dash >= 0 ? dash : longest)
}
