/** Deeper values are refused: nothing real is nested so far, and what is would exhaust the stack. */
export const DEEPEST = 500

/** Where a walk is: the names and positions that lead to the value at hand. Reused, so that a walk allocates nothing for it. */
export class Trail {
  readonly steps: (string | number)[] = []
  depth = 0

  push(step: string | number): void {
    this.steps[this.depth++] = step
  }

  pop(): void {
    this.depth--
  }

  /** `spec.containers[0].name`; an empty text at the root. */
  toString(): string {
    let text = ''
    for (let at = 0; at < this.depth; at++) {
      const step = this.steps[at] ?? ''
      if (typeof step === 'number') text += `[${step}]`
      else text += text === '' ? step : `.${step}`
    }
    return text
  }

  /** A path one step below. */
  child(step: string | number): string {
    this.push(step)
    const text = this.toString()
    this.pop()
    return text
  }
}

/** Tells whether a value is nested deeper than the limit; it never looks deeper itself. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit < 0) return true
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (isDeeperThan(value[at], limit - 1)) return true
    return false
  }
  const fields = value as Readonly<Record<string, unknown>>
  for (const name in fields) if (isDeeperThan(fields[name], limit - 1)) return true
  return false
}

/** Makes a function per key when it is first called, and keeps it for as long as the key lives. */
export function perKey<K extends object, A, B, C>(make: (key: K) => (a: A, b: B) => C): (key: K) => (a: A, b: B) => C {
  const made = new WeakMap<K, (a: A, b: B) => C>()
  return (key) => {
    const known = made.get(key)
    if (known) return known
    let built: ((a: A, b: B) => C) | undefined
    // The forwarding function lets a key refer to itself while it is being made, and puts off what is never called.
    const forward = (a: A, b: B): C => (built ??= make(key))(a, b)
    made.set(key, forward)
    return forward
  }
}
