/** A page of at most this many keys; a fuller one is split in two. */
const PAGE_LIMIT = 256

/** Who may change a page in place: the map that made it, until it is forked. */
interface Page<T> {
  readonly owner: object
  readonly keys: string[]
  readonly values: T[]
}

/**
 * Values by key in code-unit order. Insertion, removal, lookup and rank are fast at 100,000 keys, and a fork costs one
 * pointer per page: pages are shared until one side changes them.
 */
export class OrderedMap<T> {
  #pages: Page<T>[] = []
  #owner: object = {}
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): T | undefined {
    const page = this.#pages[this.#pageOf(key)]
    if (!page) return undefined
    const at = lowerBound(page.keys, key)
    return page.keys[at] === key ? page.values[at] : undefined
  }

  set(key: string, value: T): void {
    const index = this.#pageOf(key)
    const page = this.#ownPage(index)
    const at = lowerBound(page.keys, key)
    if (page.keys[at] === key) {
      page.values[at] = value
      return
    }
    // Keys mostly arrive in order; pushing spares the shift.
    if (at === page.keys.length) {
      page.keys.push(key)
      page.values.push(value)
    } else {
      page.keys.splice(at, 0, key)
      page.values.splice(at, 0, value)
    }
    this.#size += 1
    if (page.keys.length > PAGE_LIMIT) this.#split(index, page)
  }

  delete(key: string): boolean {
    const index = this.#pageOf(key)
    const found = this.#pages[index]
    if (!found || found.keys[lowerBound(found.keys, key)] !== key) return false
    this.#size -= 1
    if (found.keys.length === 1) {
      this.#pages.splice(index, 1)
      return true
    }
    const page = this.#ownPage(index)
    const at = lowerBound(page.keys, key)
    page.keys.splice(at, 1)
    page.values.splice(at, 1)
    return true
  }

  /** How many keys come before this one. */
  rank(key: string): number {
    const index = this.#pageOf(key)
    let before = 0
    for (let page = 0; page < index; page++) before += this.#pages[page]?.keys.length ?? 0
    const page = this.#pages[index]
    return page ? before + lowerBound(page.keys, key) : before
  }

  /** At most `limit` values in key order, from the first key not before `from` up to, but without, `end`. */
  slice(from: string, end: string | undefined, limit: number = Number.POSITIVE_INFINITY): T[] {
    const found: T[] = []
    let index = this.#pageOf(from)
    let page = this.#pages[index]
    let at = page ? lowerBound(page.keys, from) : 0
    while (page && found.length < limit) {
      const stop = end === undefined ? page.keys.length : lowerBound(page.keys, end)
      const until = Math.min(stop, at + limit - found.length)
      for (; at < until; at++) found.push(page.values[at] as T) // within the page's length
      if (stop < page.keys.length) break
      index += 1
      page = this.#pages[index]
      at = 0
    }
    return found
  }

  /** A map with the same content that goes its own way from here. */
  fork(): OrderedMap<T> {
    const other = new OrderedMap<T>()
    other.#pages = this.#pages.slice()
    other.#size = this.#size
    this.#owner = {}
    return other
  }

  /** The last page whose first key is not after the key, or the first page. */
  #pageOf(key: string): number {
    let low = 0
    let high = this.#pages.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = this.#pages[middle]?.keys[0]
      if (first !== undefined && first <= key) low = middle
      else high = middle - 1
    }
    return low
  }

  #ownPage(index: number): Page<T> {
    const page = this.#pages[index]
    if (page?.owner === this.#owner) return page
    const copy = { owner: this.#owner, keys: page?.keys.slice() ?? [], values: page?.values.slice() ?? [] }
    this.#pages[index] = copy
    return copy
  }

  #split(index: number, page: Page<T>): void {
    // A page that grows at its end is left nearly full, so that keys written in order pack well.
    const middle = index === this.#pages.length - 1 ? PAGE_LIMIT - 8 : PAGE_LIMIT >>> 1
    const right = { owner: this.#owner, keys: page.keys.splice(middle), values: page.values.splice(middle) }
    this.#pages.splice(index + 1, 0, right)
  }
}

/** The first key behind all keys that begin with the prefix; undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const unit = prefix.charCodeAt(at)
    if (unit < 0xffff) return prefix.slice(0, at) + String.fromCharCode(unit + 1)
  }
  return undefined
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = keys[middle]
    if (found !== undefined && found < key) low = middle + 1
    else high = middle
  }
  return low
}
