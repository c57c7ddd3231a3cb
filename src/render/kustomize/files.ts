import { cleanPath, type FileTree } from '../../lib/file-tree.ts'
import { refuse, Refusal } from './refusal.ts'

/** Where remote bases and files come from; undefined where nothing is. */
export interface Remote {
  /** The folder that a Git URL names, as a tree and the path of the folder in it. */
  folder(url: string): { readonly tree: FileTree; readonly path: string } | undefined
  file(url: string): Uint8Array | undefined
}

/** What all folders of one build share. */
export interface Access {
  readonly restricted: boolean
  readonly remote: Remote | undefined
}

const DEEPEST = 100

const isBelow = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`)

/** Tells whether a path names something on the network. */
export const isRemote = (path: string): boolean =>
  /^(?:git::|https?:\/\/|ssh:\/\/|file:\/\/|git@|gh:|org-\d+@)/i.test(path) ||
  /^(?:[\w.-]+@)?github\.com[/:]/i.test(path) ||
  /\.git(?:[/?]|$)/.test(path) ||
  (path.includes('?ref=') && path.includes('/')) ||
  path.includes('_git/')

const isRemoteFile = (path: string): boolean => /^https?:\/\//i.test(path)

/** Reads what one kustomization names: files at or below its folder, and other folders. */
export class Folder {
  readonly tree: FileTree
  readonly path: string
  readonly #access: Access
  readonly #referrer: Folder | undefined
  readonly #depth: number

  constructor(tree: FileTree, path: string, access: Access, referrer?: Folder) {
    this.tree = tree
    this.path = path
    this.#access = access
    this.#referrer = referrer
    this.#depth = referrer ? referrer.#depth + 1 : 0
    if (this.#depth > DEEPEST) refuse(`kustomizations refer to each other deeper than ${DEEPEST} levels`)
  }

  /** How messages call the folder. */
  get text(): string {
    return `/${this.path}`
  }

  /** The last part of its path. */
  get base(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1)
  }

  /** The content of a file, or a refusal. */
  read(path: string): Uint8Array {
    if (isRemoteFile(path)) return this.#readRemote(path)
    const full = this.#clean(path)
    if (this.#access.restricted && !isBelow(full, this.path)) {
      // What is nowhere is missing, wherever it would be.
      if (!this.tree.read(full)) this.#refuseAbsent(full)
      refuse(`security; file '/${full}' is not in or below '${this.text}'`)
    }
    const content = this.tree.read(full)
    if (content) return content
    return this.#refuseAbsent(full)
  }

  #refuseAbsent(full: string): never {
    if (this.tree.list(full)) refuse(`'/${full}' must resolve to a file`)
    return refuse(`open /${full}: no such file or directory`)
  }

  readText(path: string): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.read(path))
  }

  /** The content of a file in this very folder, if there is one. */
  peek(name: string): string | undefined {
    const content = this.tree.read(this.path === '' ? name : `${this.path}/${name}`)
    return content && new TextDecoder().decode(content)
  }

  /** Whether there is such a file or folder. */
  isFolder(path: string): boolean {
    return this.tree.list(this.#clean(path)) !== undefined
  }

  /** The path inside the tree. */
  inTree(path: string): string {
    return this.#clean(path)
  }

  /** Another folder; one that contains a folder on the way here would be a cycle. */
  enter(path: string): Folder {
    if (path === '') refuse('new root cannot be empty')
    if (isRemote(path)) return this.#enterRemote(path)
    if (path.startsWith('/')) refuse(`new root '${path}' cannot be absolute`)
    const full = this.#clean(path)
    if (!this.tree.list(full)) {
      const what = this.tree.read(full) ? 'file is not directory' : 'no such file or directory'
      refuse(`must build at directory: '/${full}': ${what}`)
    }
    this.#refuseCycle(this.tree, full)
    return new Folder(this.tree, full, this.#access, this)
  }

  #refuseCycle(tree: FileTree, candidate: string): void {
    if (this.tree === tree && isBelow(this.path, candidate)) {
      refuse(`cycle detected: candidate root '/${candidate}' contains visited root '${this.text}'`)
    }
    if (this.#referrer) this.#referrer.#refuseCycle(tree, candidate)
  }

  #clean(path: string): string {
    const full = path.startsWith('/') ? cleanPath('', path) : cleanPath(this.path, path)
    return full ?? refuse(`'${path}' in '${this.text}' leads out of the tree`)
  }

  #readRemote(url: string): Uint8Array {
    const remote = this.#access.remote ?? noNetwork(url)
    return remote.file(url) ?? refuse(`cannot read ${url}: there is no such file`)
  }

  #enterRemote(url: string): Folder {
    const remote = this.#access.remote ?? noNetwork(url)
    const found = remote.folder(url) ?? refuse(`cannot fetch ${url}: there is no such repository or folder`)
    // What comes from elsewhere reads only its own files.
    return new Folder(found.tree, found.path, { ...this.#access, restricted: true }, this)
  }
}

function noNetwork(url: string): never {
  const message = `cannot fetch ${url}: this build has no access to the network`
  throw new Refusal({ code: 'kustomization-remote', message, cure: 'keep a copy of it beside the kustomization' })
}
