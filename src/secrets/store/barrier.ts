import type { Ids } from '../../lib/ids.ts'
import type { Store } from '../../store/store.ts'
import { activeKey, type Keyring } from './seal/keyring.ts'
import { closeEnvelope, openEnvelope } from './seal/envelope.ts'

/** Thrown by whoever reads or writes while the store is sealed; the request that it belongs to answers 503. */
export class SealedError extends Error {
  constructor() {
    super('Vault is sealed')
  }
}

/** JSON values below a prefix, encrypted at rest. What was written is durable when the promise resolves. */
export interface View {
  get(key: string): unknown
  put(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  /** The names directly below a prefix that is empty or ends in a slash; those of folders end in a slash. */
  list(prefix: string): readonly string[]
  /** Every key below a prefix. */
  keysBelow(prefix: string): readonly string[]
  below(prefix: string): View
}

/*
 * An entry: the term of its key as four bytes, the version of this format as one, then an envelope for the place it lies in.
 */
const HEAD_BYTES = 5
const FORMAT = 1
const PAGE = 256
/** Behind every name in a folder; not a character that text may hold. */
const LAST = '\uffff'

/** Encrypts everything that is behind it. Without a ring it is sealed: nothing can be read or written. */
export class Barrier {
  readonly #store: Store<Uint8Array>
  readonly #ids: Pick<Ids, 'bytes'>
  #ring: Keyring | undefined
  #encryptions = 0

  constructor(store: Store<Uint8Array>, ids: Pick<Ids, 'bytes'>) {
    this.#store = store
    this.#ids = ids
  }

  get ring(): Keyring {
    if (!this.#ring) throw new SealedError()
    return this.#ring
  }

  get isSealed(): boolean {
    return this.#ring === undefined
  }

  /** How often the active key was used since it became active in this process. */
  get encryptions(): number {
    return this.#encryptions
  }

  open(ring: Keyring): void {
    this.#ring = ring
    this.#encryptions = 0
  }

  seal(): void {
    this.#ring = undefined
  }

  get(key: string): unknown {
    const { ring } = this
    const entry = this.#store.get(key)
    return entry ? decode(entry.value, key, ring) : undefined
  }

  async put(key: string, value: unknown): Promise<void> {
    const { term, secret } = activeKey(this.ring)
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUInt32BE(term)
    head[HEAD_BYTES - 1] = FORMAT
    const envelope = closeEnvelope(secret, JSON.stringify(value), Buffer.concat([head, Buffer.from(key)]), this.#ids)
    this.#encryptions++
    await this.#store.put(key, () => Buffer.concat([head, envelope]), 'any')
  }

  async delete(key: string): Promise<void> {
    if (this.isSealed) throw new SealedError()
    await this.#store.delete(key, () => new Uint8Array(0), 'any')
  }

  list(prefix: string): readonly string[] {
    if (this.isSealed) throw new SealedError()
    const names: string[] = []
    let after: string | undefined
    for (;;) {
      const page = this.#page(prefix, after)
      let skip: string | undefined
      for (const { key } of page.entries) {
        if (skip !== undefined && key.startsWith(skip)) continue
        const rest = key.slice(prefix.length)
        const slash = rest.indexOf('/')
        const name = slash < 0 ? rest : rest.slice(0, slash + 1)
        names.push(name)
        skip = slash < 0 ? undefined : prefix + name
      }
      const last = page.entries.at(-1)
      if (!page.more || !last) return names
      after = skip === undefined ? last.key : skip + LAST
    }
  }

  keysBelow(prefix: string): readonly string[] {
    if (this.isSealed) throw new SealedError()
    const keys: string[] = []
    let after: string | undefined
    for (;;) {
      const page = this.#page(prefix, after)
      for (const { key } of page.entries) keys.push(key.slice(prefix.length))
      const last = page.entries.at(-1)
      if (!page.more || !last) return keys
      after = last.key
    }
  }

  view(prefix: string): View {
    return {
      get: (key) => this.get(prefix + key),
      put: (key, value) => this.put(prefix + key, value),
      delete: (key) => this.delete(prefix + key),
      list: (below) => this.list(prefix + below),
      keysBelow: (below) => this.keysBelow(prefix + below),
      below: (more) => this.view(prefix + more),
    }
  }

  #page(prefix: string, after: string | undefined): { readonly entries: readonly { key: string }[]; more: boolean } {
    const page = this.#store.range(prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    if (!page.ok) throw new Error(`cannot list the store at its own revision: ${page.because}`)
    return page
  }
}

function decode(bytes: Uint8Array, key: string, { keys }: Keyring): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length < HEAD_BYTES) throw new Error(`cannot read ${JSON.stringify(key)}: the entry is cut short`)
  const term = buffer.readUInt32BE()
  const known = keys.find((one) => one.term === term)
  if (!known) throw new Error(`cannot read ${JSON.stringify(key)}: there is no key for term ${term}`)
  const head = buffer.subarray(0, HEAD_BYTES)
  const plain = openEnvelope(known.secret, buffer.subarray(HEAD_BYTES), Buffer.concat([head, Buffer.from(key)]))
  if (!plain) {
    throw new Error(`cannot read ${JSON.stringify(key)}: its bytes are damaged, or belong elsewhere`)
  }
  return JSON.parse(Buffer.from(plain.buffer, plain.byteOffset, plain.length).toString()) as unknown
}
