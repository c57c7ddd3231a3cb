/** How values become bytes and come back. What `encode` gives as text, `decode` gets as its UTF-8 bytes. */
export interface Codec<V> {
  encode(value: V, key: string): string | Uint8Array
  /** The bytes are the caller's to keep. */
  decode(bytes: Uint8Array, key: string): V
  /** Tells that the bytes should be written anew, such as after a change of the encryption key. */
  isStale?(bytes: Uint8Array, key: string): boolean
}

/** Values as JSON text. */
export function jsonCodec<V>(): Codec<V> {
  return {
    encode: (value) => JSON.stringify(value),
    decode: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as V, // what encode wrote
  }
}
