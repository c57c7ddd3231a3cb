/**
 * A function that keeps what it made: asked again with the same key, it answers the same. When it holds `most`, it forgets all
 * and begins anew, so that what users make up cannot fill the memory. What is thrown is not kept.
 */
export function remembered<K, V>(most: number, make: (key: K) => V): (key: K) => V {
  const kept = new Map<K, V>()
  return (key) => {
    const known = kept.get(key)
    if (known !== undefined || kept.has(key)) return known as V // what is there under a key is what was made of it
    const made = make(key)
    if (kept.size >= most) kept.clear()
    kept.set(key, made)
    return made
  }
}
