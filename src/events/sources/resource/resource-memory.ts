import type { Store } from '../../../store/store.ts'

/** An object that a source has told of: enough to know it again, and to tell that it is gone. */
export interface KnownObject {
  readonly is: 'object'
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** What a watch of objects remembers. */
export type ResourceRecord = KnownObject | { readonly is: 'head'; readonly startedMs: number } | { readonly is: 'gone' }

const gone: ResourceRecord = { is: 'gone' }

/** The memory of one source: since when it watches, and which objects it has told of. What it is told is on disk when it resolves. */
export class ResourceMemory {
  readonly startedMs: number
  readonly known: ReadonlyMap<string, KnownObject>
  readonly #known: Map<string, KnownObject>
  readonly #store: Store<ResourceRecord>
  readonly #prefix: string

  private constructor(
    store: Store<ResourceRecord>,
    prefix: string,
    startedMs: number,
    known: Map<string, KnownObject>,
  ) {
    this.#store = store
    this.#prefix = prefix
    this.startedMs = startedMs
    this.#known = known
    this.known = known
  }

  /** Reads what is remembered under a name; a memory that is new begins now. */
  static async open(store: Store<ResourceRecord>, name: string, nowMs: number): Promise<ResourceMemory> {
    const prefix = prefixOf(name)
    const known = new Map<string, KnownObject>()
    let startedMs: number | undefined
    const read = store.range(prefix)
    for (const { value } of read.ok ? read.entries : []) {
      if (value.is === 'object') known.set(value.uid, value)
      if (value.is === 'head') ({ startedMs } = value)
    }
    if (startedMs === undefined) await store.put(`${prefix}head`, () => ({ is: 'head', startedMs: nowMs }), 'any')
    return new ResourceMemory(store, prefix, startedMs ?? nowMs, known)
  }

  async remember(object: KnownObject): Promise<void> {
    this.#known.set(object.uid, object)
    await this.#store.put(`${this.#prefix}object/${object.uid}`, () => object, 'any')
  }

  async forget(uid: string): Promise<void> {
    this.#known.delete(uid)
    await this.#store.delete(`${this.#prefix}object/${uid}`, () => gone, 'any')
  }

  /** Forgets everything that is remembered under a name. */
  static async erase(store: Store<ResourceRecord>, name: string): Promise<void> {
    const read = store.range(prefixOf(name))
    await Promise.all((read.ok ? read.entries : []).map(({ key }) => store.delete(key, () => gone, 'any')))
  }
}

const prefixOf = (name: string): string => `${encodeURIComponent(name)}/`
