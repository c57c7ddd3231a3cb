/** Something that, when it changes, makes what was read from it stale. Names only. */
export type Dependency = string

/** Hears what is read on the way to a secret. */
export type Track = (dependency: Dependency) => void

/** An object of this cluster. */
export const onObject = (kind: string, namespace: string, name: string): Dependency =>
  `object ${kind} ${namespace}/${name}`

/** Any Secret of a namespace. */
export const onSecretsOf = (namespace: string): Dependency => `secrets ${namespace}`

/** A path of a mount of a Vault. */
export const onVaultPath = (mount: string, path: string): Dependency => `vault ${trimmed(mount)} ${trimmed(path)}`

/** Everything below a path of a mount of a Vault. */
export const onVaultTree = (mount: string, path: string): Dependency => `vault-tree ${trimmed(mount)} ${trimmed(path)}`

/** Any Vault at all: whether it can be read. */
export const onVault: Dependency = 'vault'

/** What a change at a path of a mount concerns. */
export function ofVaultChange(mount: string, path: string): readonly Dependency[] {
  const parts = trimmed(path).split('/')
  const above = parts.map((_, index) => onVaultTree(mount, parts.slice(0, index).join('/')))
  return [onVaultPath(mount, path), ...above]
}

const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, '')

/** Who depends on what. */
export class Dependents {
  readonly #byDependency = new Map<Dependency, Set<string>>()
  readonly #byKey = new Map<string, ReadonlySet<Dependency>>()

  /** Replaces what a key depends on. */
  set(key: string, dependencies: ReadonlySet<Dependency>): void {
    const before = this.#byKey.get(key)
    for (const gone of before ?? []) if (!dependencies.has(gone)) this.#remove(gone, key)
    for (const dependency of dependencies) {
      const keys = this.#byDependency.get(dependency) ?? new Set()
      keys.add(key)
      this.#byDependency.set(dependency, keys)
    }
    if (dependencies.size > 0) this.#byKey.set(key, dependencies)
    else this.#byKey.delete(key)
  }

  /** The keys that depend on something. */
  of(dependency: Dependency): Iterable<string> {
    return this.#byDependency.get(dependency) ?? []
  }

  #remove(dependency: Dependency, key: string): void {
    const keys = this.#byDependency.get(dependency)
    keys?.delete(key)
    if (keys?.size === 0) this.#byDependency.delete(dependency)
  }
}
