/** A commit, as histories show it. */
export interface Commit {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: string
  /** When it was made, RFC 3339 in UTC. */
  readonly date: string
  readonly message: string
}

const PERSON = /^(.*?) ?<([^>]*)> (-?\d+) [+-]\d{4}$/

/** Reads a commit object; undefined when it is none. */
export function parseCommit(sha: string, data: Uint8Array): Commit | undefined {
  const text = new TextDecoder().decode(data)
  const end = text.indexOf('\n\n')
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n')
  const value = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  const tree = value('tree')
  if (tree === undefined || !/^[0-9a-f]+$/.test(tree)) return undefined
  const person = PERSON.exec(value('author') ?? '')
  const [, name = '', email = '', seconds = '0'] = person ?? []
  const ms = Number(seconds) * 1000
  return {
    sha,
    tree,
    parents: lines.filter((line) => line.startsWith('parent ')).map((line) => line.slice('parent '.length)),
    author: email === '' ? name : `${name} <${email}>`,
    date: Math.abs(ms) > 8.64e15 ? '' : new Date(ms).toISOString().replace('.000Z', 'Z'),
    message: end < 0 ? '' : text.slice(end + 2),
  }
}
