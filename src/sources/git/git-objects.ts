import { type Answer, type CatFile } from './cat-file.ts'

/** What an entry of a folder is. */
export type EntryKind = 'file' | 'link' | 'folder' | 'submodule'

export interface TreeEntry {
  readonly kind: EntryKind
  readonly oid: string
}

/** An object as trees need it. */
export type GitObject =
  | { readonly is: 'blob'; readonly data: Uint8Array }
  | { readonly is: 'tree'; readonly entries: ReadonlyMap<string, TreeEntry> }
  | { readonly is: 'missing' }
  | { readonly is: 'too-large'; readonly bytes: number }

const MISSING: GitObject = { is: 'missing' }
const KINDS: Readonly<Record<string, EntryKind>> = { '40000': 'folder', '120000': 'link', '160000': 'submodule' }

/** Reads a tree object: mode, name and SHA of every entry. Names that no folder can have are left out. */
export function parseTree(data: Uint8Array, oidBytes: number): ReadonlyMap<string, TreeEntry> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const entries = new Map<string, TreeEntry>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const end = bytes.indexOf(0, space)
    if (space < 0 || end < 0) break
    const mode = bytes.toString('latin1', at, space)
    const name = bytes.toString('utf8', space + 1, end)
    at = end + 1 + oidBytes
    if (name === '' || name === '.' || name === '..' || name.includes('/')) continue
    entries.set(name, { kind: KINDS[mode] ?? 'file', oid: bytes.toString('hex', end + 1, at) })
  }
  return entries
}

/** Keeps objects by their SHA, the least recently used go first. One serves all repositories: a SHA names its content. */
export class ObjectCache {
  readonly #objects = new Map<string, GitObject>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(oid: string): GitObject | undefined {
    const object = this.#objects.get(oid)
    if (object) {
      this.#objects.delete(oid)
      this.#objects.set(oid, object)
    }
    return object
  }

  set(oid: string, object: GitObject): void {
    const size = sizeOf(object)
    if (size > this.#maxBytes / 8 || this.#objects.has(oid)) return
    this.#objects.set(oid, object)
    this.#bytes += size
    for (const [oldest, known] of this.#objects) {
      if (this.#bytes <= this.#maxBytes) break
      this.#objects.delete(oldest)
      this.#bytes -= sizeOf(known)
    }
  }
}

const sizeOf = (object: GitObject): number =>
  object.is === 'blob' ? object.data.length + 200 : object.is === 'tree' ? object.entries.size * 200 + 200 : 200

/** Loads objects of one repository through its `cat-file`, each once at a time. */
export class ObjectLoader {
  readonly #catFile: CatFile
  readonly #cache: ObjectCache
  readonly #loading = new Map<string, Promise<GitObject>>()

  constructor(catFile: CatFile, cache: ObjectCache) {
    this.#catFile = catFile
    this.#cache = cache
  }

  cached(oid: string): GitObject | undefined {
    return this.#cache.get(oid)
  }

  load(oid: string): Promise<GitObject> {
    const known = this.#cache.get(oid)
    if (known) return Promise.resolve(known)
    const waiting = this.#loading.get(oid)
    if (waiting) return waiting
    const loading = this.#load(oid).finally(() => this.#loading.delete(oid))
    this.#loading.set(oid, loading)
    return loading
  }

  async #load(oid: string): Promise<GitObject> {
    const object = objectOf(await this.#catFile.ask(oid))
    // What is missing may be fetched later.
    if (object.is === 'blob' || object.is === 'tree') this.#cache.set(oid, object)
    return object
  }
}

function objectOf(answer: Answer): GitObject {
  if (answer.is === 'too-large') return answer
  if (answer.is !== 'object') return MISSING
  const { type, data, oid } = answer.object
  if (type === 'blob') return { is: 'blob', data }
  return type === 'tree' ? { is: 'tree', entries: parseTree(data, oid.length / 2) } : MISSING
}
