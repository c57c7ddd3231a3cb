import { createHash } from 'node:crypto'

/** The networks of one cluster's Pods and Services: clusters with other state folders have others, as far as there are any. */
export function loopbackNetworks(stateFolder: string): { readonly pods: string; readonly services: string } {
  const at = (createHash('sha256').update(stateFolder).digest()[0] ?? 0) % 96
  return { pods: `127.${16 + at}`, services: `127.${128 + at}` }
}

/** Gives every owner an address of its own on a part of the loopback network. */
export class LoopbackAddresses {
  readonly #prefix: string
  readonly #byOwner = new Map<string, string>()
  readonly #taken = new Set<string>()
  #next = 1

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The address of an owner, the same until it is released; the one that it had before, if that is still free. */
  of(owner: string, before?: string): string {
    const known = this.#byOwner.get(owner)
    if (known !== undefined) return known
    const isOurs = before?.startsWith(`${this.#prefix}.`) === true && !this.#taken.has(before)
    const address = isOurs && before !== undefined ? before : this.#free()
    this.#byOwner.set(owner, address)
    this.#taken.add(address)
    return address
  }

  release(owner: string): void {
    const address = this.#byOwner.get(owner)
    if (address === undefined) return
    this.#byOwner.delete(owner)
    this.#taken.delete(address)
  }

  #free(): string {
    for (let tried = 0; tried < 65_000; tried++) {
      const at = this.#next
      this.#next = (this.#next % 65_000) + 1
      const address = `${this.#prefix}.${at >> 8}.${at & 255}`
      if ((at & 255) !== 0 && (at & 255) !== 255 && !this.#taken.has(address)) return address
    }
    throw new Error(`all addresses of ${this.#prefix} are taken`)
  }
}
