/** The deepest nesting that a body may have; nothing in Kubernetes comes near it. */
const DEEPEST = 200

/** How deep a value is nested, as far as that matters, and how many fields its objects have together. */
export interface Measure {
  /** Whether recursive code may walk it. */
  readonly isShallow: boolean
  readonly fields: number
}

/** Walks a value level by level, so that no nesting can exhaust the stack. */
export function measure(value: unknown): Measure {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : []
  let fields = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return { isShallow: false, fields }
    const below: object[] = []
    for (const one of level) {
      const inner: readonly unknown[] = Array.isArray(one) ? one : Object.values(one)
      if (!Array.isArray(one)) fields += inner.length
      for (const item of inner) if (typeof item === 'object' && item !== null) below.push(item)
    }
    level = below
  }
  return { isShallow: true, fields }
}
