import { newestMatching } from '../chart/newest.ts'
import { parseConstraints, parseVersion } from '../../lib/semver.ts'

/** The refs of a repository: full names, and HEAD, to the commits that they mean (tags are followed). */
export type Refs = ReadonlyMap<string, string>

/** What a revision means: a commit, perhaps with the ref that led there; the beginning of one; or nothing. */
export type Meaning =
  | { readonly is: 'commit'; readonly sha: string; readonly ref: string | undefined }
  | { readonly is: 'short'; readonly prefix: string }
  | { readonly is: 'unknown' }

const LINE = /^([0-9a-f]{40}|[0-9a-f]{64})[\t ](\S.*)$/

/** Reads the lines of `git ls-remote` and `git show-ref --head --dereference`. */
export function parseRefs(text: string): Refs {
  const refs = new Map<string, string>()
  for (const line of text.split('\n')) {
    const found = LINE.exec(line)
    if (!found) continue
    const [, sha = '', name = ''] = found
    // What an annotated tag points to comes after the tag, and stands in its place.
    refs.set(name.replace(/\^\{\}$/, ''), sha)
  }
  return refs
}

/** Where a short name is looked up, the first that is there wins. */
const PLACES: readonly string[] = ['', 'refs/heads/', 'refs/tags/', 'refs/', 'refs/remotes/']

/** The name by which a ref is called in messages and in `targetRevision`. */
export const shortRef = (ref: string): string =>
  ref.replace(/^refs\/(?:heads|tags|remotes)\//, '').replace(/^refs\//, '')

/**
 * Finds what a revision means, as Argo CD does: a whole SHA is itself; a constraint takes the newest tag that meets it; then
 * names of branches, tags and other refs; then the beginning of a SHA. With a prefix, only tags that begin with it count, and
 * versions and constraints are of what comes after it.
 */
export function meaningOf(revision: string, refs: Refs, tagPrefix: string = ''): Meaning {
  const wanted = revision === '' ? 'HEAD' : revision
  if (isWholeSha(wanted)) return { is: 'commit', sha: wanted.toLowerCase(), ref: undefined }
  const name = taggedBy(wanted, refs, tagPrefix) ?? wanted
  for (const place of PLACES) {
    const sha = refs.get(place + name)
    if (sha !== undefined) return { is: 'commit', sha, ref: place + name }
  }
  return /^[0-9a-f]{7,63}$/i.test(wanted) ? { is: 'short', prefix: wanted.toLowerCase() } : { is: 'unknown' }
}

/** Tells a complete SHA-1 or SHA-256 name from anything else. */
export const isWholeSha = (text: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)

/** The newest tag that a constraint allows, as a full name; undefined when the text is no constraint or no tag meets it. */
function taggedBy(revision: string, refs: Refs, tagPrefix: string): string | undefined {
  const prefix = `refs/tags/${tagPrefix}`
  // What is a version on its own is the name of a tag.
  if (parseVersion(revision).ok) return tagPrefix === '' ? undefined : prefix + revision
  if (!/[\d*xX]/.test(revision) || !parseConstraints(revision).ok) return undefined
  const tags = [...refs.keys()].filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length))
  const newest = newestMatching(tags, revision)
  return newest === undefined ? undefined : prefix + newest
}

/** The refs whose commit differs, appeared or went away. */
export function movedRefs(before: Refs, after: Refs): readonly string[] {
  const moved = [...after].filter(([name, sha]) => before.get(name) !== sha).map(([name]) => name)
  return [...moved, ...[...before.keys()].filter((name) => !after.has(name))].toSorted()
}
