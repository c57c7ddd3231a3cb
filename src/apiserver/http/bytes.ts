import { Buffer } from 'node:buffer'
import type { StreamEvent } from '../request.ts'

/** How many bytes of serialised objects one generation of the cache keeps. */
const GENERATION_BYTES = 24 * 1024 * 1024

/** Serialised forms of immutable objects: two generations, so that what is asked for again stays and the rest goes. */
export class ByteCache {
  #young = new WeakMap<object, Buffer>()
  #old = new WeakMap<object, Buffer>()
  #size = 0

  /** The JSON of an object; the same Buffer as long as it is remembered. */
  of(object: object): Buffer {
    const known = this.#young.get(object)
    if (known) return known
    const bytes = this.#old.get(object) ?? Buffer.from(JSON.stringify(object))
    this.#size += bytes.length
    if (this.#size > GENERATION_BYTES) {
      this.#old = this.#young
      this.#young = new WeakMap()
      this.#size = bytes.length
    }
    this.#young.set(object, bytes)
    return bytes
  }

  /** The JSON of an object if it is at hand. */
  peek(object: object): Buffer | undefined {
    return this.#young.get(object) ?? this.#old.get(object)
  }
}

const opening: Readonly<Record<StreamEvent['type'], Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
}
const closing = Buffer.from('}\n')

/** A line of a watch stream, from the bytes of its object. */
export function eventLine(type: StreamEvent['type'], object: Buffer): Buffer {
  return Buffer.concat([opening[type], object, closing])
}

/** Watch lines by object and type, so that a thousand watchers share one. */
export class LineCache {
  #lines = new WeakMap<object, Partial<Record<StreamEvent['type'], Buffer>>>()
  readonly #bytes: ByteCache

  constructor(bytes: ByteCache) {
    this.#bytes = bytes
  }

  of({ type, object }: StreamEvent): Buffer {
    if (type === 'BOOKMARK' || type === 'ERROR') return eventLine(type, Buffer.from(JSON.stringify(object)))
    const known = this.#lines.get(object)
    const line = known?.[type]
    if (line) return line
    const made = eventLine(type, this.#bytes.of(object))
    if (known) known[type] = made
    else this.#remember(object, { [type]: made })
    return made
  }

  /** Only the last few hundred: a line is wanted by all watchers at once, and then never again. */
  #recent = 0
  #remember(object: object, lines: Partial<Record<StreamEvent['type'], Buffer>>): void {
    if (++this.#recent > 512) {
      this.#recent = 0
      this.#lines = new WeakMap()
    }
    this.#lines.set(object, lines)
  }
}
