import type { KubeObject } from '../kube/object.ts'
import { endOfPrefix, OrderedMap } from '../store/ordered-map.ts'

/** `namespace/name`, or `/name` for what lives in no namespace: how controllers name what they work on. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}

/** The two parts of a key. */
export function partsOf(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: slash > 0 ? key.slice(0, slash) : undefined, name: key.slice(slash + 1) }
}

/** Under which values an object can be found. */
export type IndexBy<T> = (object: T) => readonly string[]

/** Objects as they were last seen, shared and never to be changed. */
export interface ObjectCache<T extends KubeObject = KubeObject> {
  readonly size: number
  get(key: string): T | undefined
  /** All objects, or those of a namespace, in key order. */
  list(namespace?: string): readonly T[]
  /** Those that an index files under the value, in key order. */
  by(index: string, value: string): readonly T[]
}

/** The cache as its informer sees it. */
export class IndexedObjects<T extends KubeObject> implements ObjectCache<T> {
  readonly #objects = new OrderedMap<T>()
  readonly #indexes = new Map<string, { readonly by: IndexBy<T>; readonly found: Map<string, OrderedMap<T>> }>()

  constructor(indexes: Readonly<Record<string, IndexBy<T>>>) {
    for (const [name, by] of Object.entries(indexes)) this.#indexes.set(name, { by, found: new Map() })
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): readonly T[] {
    if (namespace === undefined) return this.#objects.slice('', undefined)
    const prefix = `${namespace}/`
    return this.#objects.slice(prefix, endOfPrefix(prefix))
  }

  by(index: string, value: string): readonly T[] {
    const known = this.#indexes.get(index)
    if (!known) throw new Error(`there is no index ${JSON.stringify(index)}`)
    return known.found.get(value)?.slice('', undefined) ?? []
  }

  set(key: string, object: T): void {
    this.#unindex(key)
    this.#objects.set(key, object)
    for (const { by, found } of this.#indexes.values()) {
      for (const value of by(object)) {
        const objects = found.get(value) ?? new OrderedMap<T>()
        found.set(value, objects)
        objects.set(key, object)
      }
    }
  }

  delete(key: string): void {
    this.#unindex(key)
    this.#objects.delete(key)
  }

  #unindex(key: string): void {
    const object = this.#objects.get(key)
    if (!object) return
    for (const { by, found } of this.#indexes.values()) {
      for (const value of by(object)) {
        const objects = found.get(value)
        objects?.delete(key)
        if (objects?.size === 0) found.delete(value)
      }
    }
  }
}
