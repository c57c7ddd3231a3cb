/** A request target as it is matched: a path whose dots are resolved, and its query without the question mark. */
export interface RequestTarget {
  readonly path: string
  readonly query: string | undefined
}

const NEEDS_WORK = /%|\/\.|\\/
const DOTS = /\/\.{1,2}(?:\/|$)/

/**
 * Reads a request target. Escapes that hide an ordinary letter are undone and `.` and `..` are resolved, so that what is
 * matched is what a backend will understand; undefined for a target that no honest client sends.
 */
export function readTarget(target: string): RequestTarget | undefined {
  const plain = target.startsWith('/') ? target : ofAbsolute(target)
  if (plain === undefined) return undefined
  const mark = plain.indexOf('?')
  const raw = mark < 0 ? plain : plain.slice(0, mark)
  const query = mark < 0 ? undefined : plain.slice(mark + 1)
  if (raw.includes('#')) return undefined
  if (!NEEDS_WORK.test(raw)) return { path: raw, query }
  if (raw.includes('\\')) return undefined
  const path = undoEscapes(raw)
  if (path === undefined) return undefined
  return { path: DOTS.test(path) ? resolveDots(path) : path, query }
}

function ofAbsolute(target: string): string | undefined {
  const found = /^https?:\/\/[^/?#\s]+/i.exec(target)
  if (!found) return undefined
  const rest = target.slice(found[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

const UNRESERVED = /^[A-Za-z0-9._~-]$/

/** RFC 3986, 6.2.2: escapes of unreserved characters are the characters, others are in upper case. */
function undoEscapes(path: string): string | undefined {
  if (!path.includes('%')) return path
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(path)) return undefined
  return path.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return UNRESERVED.test(character) ? character : escape.toUpperCase()
  })
}

function resolveDots(path: string): string {
  const parts = path.split('/')
  const kept: string[] = []
  for (const part of parts.slice(1)) {
    if (part === '..') kept.pop()
    else if (part !== '.') kept.push(part)
  }
  const last = parts.at(-1)
  const isFolder = last === '.' || last === '..'
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`
}

/** A prefix as its elements: without the slash at its end, so that `/` is the empty text. */
export const trimPrefix = (prefix: string): string => prefix.replace(/\/+$/, '')

/** The longest prefix first, every prefix of whole elements of a path, down to the empty text. */
export function* prefixesOf(path: string): Iterable<string> {
  let end = path.length
  while (end > 0) {
    if (end === path.length || path.charCodeAt(end) === 47) yield path.slice(0, end)
    end -= 1
    while (end > 0 && path.charCodeAt(end) !== 47) end -= 1
  }
  yield ''
}

/** The path with a matched prefix replaced: elements stay whole, and never fewer than one slash is left. */
export function replacePrefix(path: string, prefix: string, replacement: string): string {
  const rest = path.slice(trimPrefix(prefix).length)
  const start = trimPrefix(replacement)
  const whole = rest === '' || rest.startsWith('/') ? start + rest : `${start}/${rest}`
  return whole === '' ? '/' : whole
}
