import type { FileTree } from '../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { GitObject, ObjectLoader, TreeEntry } from './git-objects.ts'

/** Something that was looked at: which object a path led to, `-` for none. The same again means the same content. */
export type Look = readonly [kind: 'read' | 'list', path: string, oid: string]

const MOST_LINKS = 40
const LONGEST_PATH = 4096
const decoder = new TextDecoder()

/** Stands for an object that has to be loaded first. */
const WANTED = Symbol('wanted')

/**
 * The files of one commit. Reading is synchronous and knows only what is loaded: what is not, it answers as missing and
 * notes as wanted, so that whoever uses the tree loads it and starts again (`useTree`).
 */
export class GitTree implements FileTree {
  readonly #root: TreeEntry
  readonly #objects: Map<string, GitObject>
  readonly #looks = new Map<string, Look>()
  readonly wanted: Set<string> = new Set()
  /** Folders in which something was wanted: what is beside it is probably wanted next. */
  readonly wantedBeside: Set<string> = new Set()
  readonly problems: Map<string, Problem> = new Map()
  readonly submodules: Set<string> = new Set()

  constructor(rootOid: string, objects: Map<string, GitObject>) {
    this.#root = { kind: 'folder', oid: rootOid }
    this.#objects = objects
  }

  get looks(): readonly Look[] {
    return [...this.#looks.values()]
  }

  read(path: string): Uint8Array | undefined {
    const entry = this.#walk(path)
    if (entry === WANTED) return undefined
    if (entry?.kind !== 'file') return this.#note('read', path, '-')
    const object = this.#get(entry.oid)
    if (object === WANTED) return undefined
    this.#note('read', path, entry.oid)
    if (object.is === 'blob') return object.data
    if (object.is === 'too-large') {
      this.#refuse(path, {
        code: 'git-file-too-large',
        at: path,
        message: `cannot read ${path}: it has ${object.bytes} bytes, more than manifests are made of`,
        cure: 'keep large files out of what is rendered',
      })
    }
    return undefined
  }

  list(path: string): readonly string[] | undefined {
    const entry = this.#walk(path)
    if (entry === WANTED) return undefined
    if (entry?.kind !== 'folder') return this.#note('list', path, '-')
    const tree = this.#get(entry.oid)
    if (tree === WANTED) return undefined
    this.#note('list', path, entry.oid)
    if (tree.is !== 'tree') return undefined
    const names: string[] = []
    for (const [name, { kind }] of tree.entries) {
      if (kind === 'file') names.push(name)
      else if (kind === 'folder') names.push(`${name}/`)
      else {
        const below = path === '' ? name : `${path}/${name}`
        const target = this.#walk(below)
        if (target !== WANTED && target) names.push(target.kind === 'folder' ? `${name}/` : name)
        // The list depends on where a link leads.
        if (kind === 'link' && target !== WANTED) this.#note('read', below, target?.oid ?? '-')
      }
    }
    return names.toSorted()
  }

  /** Whether a path still leads to the object that it led to before. */
  leadsTo([kind, path, oid]: Look): boolean {
    const entry = this.#walk(path)
    if (entry === WANTED) return false
    const fits = kind === 'read' ? entry?.kind === 'file' || entry?.oid === oid : entry?.kind === 'folder'
    return (fits ? (entry?.oid ?? '-') : '-') === oid
  }

  #note(kind: Look[0], path: string, oid: string): undefined {
    const key = `${kind} ${path}`
    if (!this.#looks.has(key)) this.#looks.set(key, [kind, path, oid])
  }

  #refuse(path: string, problem: Problem): undefined {
    this.problems.set(path, problem)
  }

  #get(oid: string): GitObject | typeof WANTED {
    const object = this.#objects.get(oid)
    if (object) return object
    this.wanted.add(oid)
    return WANTED
  }

  /** Follows a path from the root through folders and links; undefined where it leads nowhere. */
  #walk(path: string): TreeEntry | undefined | typeof WANTED {
    if (path.length > LONGEST_PATH || path.split('/').includes('..')) return undefined
    const rest = path.split('/').toReversed()
    const trail: TreeEntry[] = [this.#root]
    for (let links = 0, name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        trail.pop()
        if (trail.length === 0) return this.#refuse(path, linkOutside(path))
        continue
      }
      const folder = trail.at(-1)
      if (folder?.kind !== 'folder') return undefined
      const next = this.#step(folder, name, path)
      if (next === WANTED || next === undefined) return next
      if (next.kind !== 'link') {
        trail.push(next)
        continue
      }
      links += 1
      const target = links > MOST_LINKS ? undefined : this.#target(next, path)
      if (target === WANTED || target === undefined) return target
      rest.push(...target.split('/').toReversed())
    }
    const found = trail.at(-1)
    const folder = trail.at(-2)
    if (folder && found?.kind === 'file' && !this.#objects.has(found.oid)) this.wantedBeside.add(folder.oid)
    return found
  }

  /** Where a link leads, as it is written; one that is no relative path is refused. */
  #target(link: TreeEntry, path: string): string | undefined | typeof WANTED {
    const target = this.#get(link.oid)
    if (target === WANTED) return WANTED
    if (target.is !== 'blob' || target.data.length > LONGEST_PATH) return undefined
    const text = decoder.decode(target.data)
    return text.startsWith('/') ? this.#refuse(path, linkOutside(path)) : text
  }

  #step(folder: TreeEntry, name: string, path: string): TreeEntry | undefined | typeof WANTED {
    const tree = this.#get(folder.oid)
    if (tree === WANTED) return WANTED
    const entry = tree.is === 'tree' ? tree.entries.get(name) : undefined
    if (entry?.kind !== 'submodule') return entry
    this.submodules.add(path)
    return undefined
  }
}

const linkOutside = (path: string): Problem => ({
  code: 'git-link-outside',
  at: path,
  message: `cannot follow the link ${path}: it leads out of the repository`,
  cure: 'commit what it leads to',
})

/** How much one use of a tree may load. */
export interface TreeLimits {
  readonly maxBytes: number
  readonly maxObjects: number
}

const USUAL: TreeLimits = { maxBytes: 512 * 1024 * 1024, maxObjects: 200_000 }
/** What is loaded in advance, before it is known whether it is wanted. */
const AHEAD: TreeLimits = { maxBytes: 32 * 1024 * 1024, maxObjects: 5_000 }
const AT_ONCE = 256
const MOST_BESIDE = 200

/** The objects that one use of a tree has loaded. */
class Loaded {
  readonly objects: Map<string, GitObject> = new Map()
  readonly #loader: ObjectLoader
  bytes = 0

  constructor(loader: ObjectLoader) {
    this.#loader = loader
  }

  async load(oids: Iterable<string>, signal: AbortSignal | undefined): Promise<void> {
    const missing = [...oids].filter((oid) => !this.objects.has(oid))
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      signal?.throwIfAborted()
      await Promise.all(
        missing.slice(at, at + AT_ONCE).map(async (oid) => {
          const object = this.#loader.cached(oid) ?? (await this.#loader.load(oid))
          this.objects.set(oid, object)
          if (object.is === 'blob') this.bytes += object.data.length
        }),
      )
    }
  }

  /** Loads a folder with all that is below it, as far as the limits go. */
  async loadFolder(oid: string, limits: TreeLimits, signal: AbortSignal | undefined): Promise<void> {
    let level = [oid]
    while (level.length > 0 && this.objects.size < limits.maxObjects && this.bytes < limits.maxBytes) {
      await this.load(level, signal)
      const next: string[] = []
      const files: string[] = []
      for (const folder of level) {
        const tree = this.objects.get(folder)
        for (const entry of tree?.is === 'tree' ? tree.entries.values() : []) {
          if (entry.kind === 'folder') next.push(entry.oid)
          else if (entry.kind !== 'submodule') files.push(entry.oid)
        }
      }
      for (let at = 0; at < files.length && this.bytes < limits.maxBytes; at += AT_ONCE) {
        if (this.objects.size + AT_ONCE > limits.maxObjects) break
        await this.load(files.slice(at, at + AT_ONCE), signal)
      }
      level = next
    }
  }
}

/** What to do with a tree, and what to load before. */
export interface TreeUse<T> {
  readonly loader: ObjectLoader
  readonly rootOid: string
  /** Folders that will be read whole. */
  readonly ahead?: readonly string[]
  readonly limits?: TreeLimits
  readonly signal?: AbortSignal
  /** Runs again, from the start, whenever it looked at something that was not loaded yet. */
  readonly work: (tree: GitTree) => T
}

/**
 * Does synchronous work on the files of a commit. What the work looks at is loaded between tries; the last try saw a
 * complete world, and only its result counts. Files that may not be read make it a failure, whatever the work made of it.
 */
export async function useTree<T>(use: TreeUse<T>): Promise<Result<T>> {
  const { loader, rootOid, limits = USUAL, signal, work } = use
  const loaded = new Loaded(loader)
  await loaded.load([rootOid], signal)
  if (loaded.objects.get(rootOid)?.is !== 'tree') {
    return fail({ code: 'git-revision-unknown', message: `the repository has no tree ${rootOid}` })
  }
  for (const folder of use.ahead ?? []) await loadAhead(loaded, rootOid, folder, signal)
  for (;;) {
    signal?.throwIfAborted()
    const tree = new GitTree(rootOid, loaded.objects)
    const value = work(tree)
    if (tree.wanted.size === 0) {
      const problems = [...tree.problems.values()]
      return problems.length > 0 ? fail(...problems) : succeed(value)
    }
    await loaded.load(tree.wanted, signal)
    await loadBeside(loaded, tree.wantedBeside, signal)
    if (loaded.bytes > limits.maxBytes || loaded.objects.size > limits.maxObjects) {
      return fail({
        code: 'git-too-large',
        message: `cannot read so much of the repository: more than ${limits.maxBytes} bytes or ${limits.maxObjects} files`,
        cure: 'point the source at a smaller folder',
      })
    }
  }
}

async function loadAhead(loaded: Loaded, rootOid: string, folder: string, signal?: AbortSignal): Promise<void> {
  let oid: string | undefined = rootOid
  for (const name of folder.split('/').filter((part) => part !== '' && part !== '.')) {
    if (oid === undefined) return
    await loaded.load([oid], signal)
    const tree = loaded.objects.get(oid)
    const entry = tree?.is === 'tree' ? tree.entries.get(name) : undefined
    oid = entry?.kind === 'folder' ? entry.oid : undefined
  }
  if (oid !== undefined) await loaded.loadFolder(oid, AHEAD, signal)
}

async function loadBeside(loaded: Loaded, folders: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
  for (const folder of folders) {
    const tree = loaded.objects.get(folder)
    if (tree?.is !== 'tree' || tree.entries.size > MOST_BESIDE || loaded.bytes > AHEAD.maxBytes) continue
    await loaded.load(
      [...tree.entries.values()].filter(({ kind }) => kind === 'file' || kind === 'link').map(({ oid }) => oid),
      signal,
    )
  }
}
