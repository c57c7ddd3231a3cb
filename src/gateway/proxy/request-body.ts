import { Readable } from 'node:stream'

/** Where a body comes from: a request of HTTP/1, or a stream of HTTP/2. */
type Source = Pick<Readable, 'on' | 'pause' | 'resume' | 'destroyed'>

const LARGEST_LAG = 1024 * 1024

/**
 * A body on its way to a backend. It takes from the client only what the backend takes; that it is destroyed, because the
 * backend failed, leaves the client's connection to carry the answer.
 */
export class RequestBody extends Readable {
  readonly #source: Source
  readonly #copies: BodyCopy[] = []
  #isStarted = false
  #isOver = false
  #isAbandoned = false

  constructor(source: Source) {
    super({ highWaterMark: 64 * 1024 })
    this.#source = source
    this.on('error', () => {})
  }

  /** Nothing of it has been read, so that another one may be made instead. */
  get isUntouched(): boolean {
    return !this.#isStarted
  }

  /** The client went away before its end. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** A copy for somebody whom nobody waits for. */
  copy(): BodyCopy {
    const copy = new BodyCopy()
    this.#copies.push(copy)
    return copy
  }

  override _read(): void {
    if (this.#isStarted) {
      if (!this.#isOver) this.#source.resume()
      return
    }
    this.#isStarted = true
    this.#source.on('data', (chunk: Buffer) => {
      for (const copy of this.#copies) copy.add(chunk)
      if (!this.destroyed && !this.push(chunk)) this.#source.pause()
    })
    this.#source.on('end', () => {
      this.#isOver = true
      for (const copy of this.#copies) copy.add(null)
      if (!this.destroyed) this.push(null)
    })
    // Before its end, this is a client that went away.
    this.#source.on('close', () => {
      if (this.#isOver) return
      this.#isOver = true
      this.#isAbandoned = true
      this.destroy(new Error('the client went away'))
    })
    this.#source.on('error', () => {})
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isOver = true
    for (const copy of this.#copies) copy.destroy()
    if (this.#isStarted && !this.#source.destroyed) this.#source.resume()
    callback(error)
  }
}

/** A copy of a body. Whoever reads it too slowly gets no more. */
export class BodyCopy extends Readable {
  constructor() {
    super()
    this.on('error', () => {})
  }

  add(chunk: Buffer | null): void {
    if (this.destroyed) return
    if (chunk !== null && this.readableLength > LARGEST_LAG) this.destroy(new Error('the copy is read too slowly'))
    else this.push(chunk)
  }

  override _read(): void {}
}
