/** Where the value of a name is while a function runs. */
export type Place =
  | { readonly is: 'local'; readonly slot: number }
  | { readonly is: 'captured'; readonly index: number }
  | { readonly is: 'global' }

/** The names of one function, as it is compiled: its own, block by block, and those that it captures from around it. */
export class FunctionScope {
  /** Where the captured values come from when a function is made. */
  readonly captured: { readonly name: string; readonly from: Place }[] = []
  slots = 0
  readonly #around: FunctionScope | undefined
  readonly #blocks: Map<string, number>[] = [new Map()]
  /** The labels that can be gone to from here, block by block. */
  readonly #labels: ReadonlySet<string>[] = []

  constructor(around: FunctionScope | undefined) {
    this.#around = around
  }

  open(labels: ReadonlySet<string> = new Set()): void {
    this.#blocks.push(new Map())
    this.#labels.push(labels)
  }

  close(): void {
    this.#blocks.pop()
    this.#labels.pop()
  }

  hasLabel(name: string): boolean {
    return this.#labels.some((labels) => labels.has(name))
  }

  declare(name: string): number {
    this.#blocks.at(-1)?.set(name, this.slots)
    return this.slots++
  }

  find(name: string): Place {
    for (const block of this.#blocks.toReversed()) {
      const slot = block.get(name)
      if (slot !== undefined) return { is: 'local', slot }
    }
    const known = this.captured.findIndex((one) => one.name === name)
    // A name that is declared again further in hides the captured one only there, so the list may hold it just once.
    if (known >= 0) return { is: 'captured', index: known }
    const from = this.#around?.find(name)
    if (!from || from.is === 'global') return { is: 'global' }
    this.captured.push({ name, from })
    return { is: 'captured', index: this.captured.length - 1 }
  }
}
