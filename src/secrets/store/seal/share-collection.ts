import type { Ids } from '../../../lib/ids.ts'

/** Shares as they are given, one after another, for one attempt that has a nonce. */
export class ShareCollection {
  readonly #ids: Pick<Ids, 'uid'>
  readonly #shares = new Map<string, Uint8Array>()
  #nonce = ''

  constructor(ids: Pick<Ids, 'uid'>) {
    this.#ids = ids
  }

  get size(): number {
    return this.#shares.size
  }

  /** What the attempt is called; empty while there is none. */
  get nonce(): string {
    return this.#nonce
  }

  /** Starts an attempt, which may be called as the one before. */
  begin(nonce: string = this.#ids.uid()): void {
    this.#shares.clear()
    this.#nonce = nonce
  }

  /** Takes a share; a known one changes nothing. With enough of them they are handed out, and the attempt is over. */
  give(share: Uint8Array, threshold: number): readonly Uint8Array[] | undefined {
    if (this.#nonce === '') this.begin()
    this.#shares.set(Buffer.from(share).toString('base64'), share)
    if (this.#shares.size < threshold) return undefined
    const shares = [...this.#shares.values()]
    this.clear()
    return shares
  }

  clear(): void {
    this.#shares.clear()
    this.#nonce = ''
  }
}
