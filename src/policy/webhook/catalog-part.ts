import type { Catalog } from '../catalog/policy-catalog.ts'
import { PolicySet } from '../engine/policy-set.ts'

/** The policies that fail, or are ignored, when they cannot be asked: each webhook judges by its own, so that none is asked twice. */
export function catalogPart(current: () => Catalog, failurePolicy: 'Fail' | 'Ignore'): () => Catalog {
  let seen: Catalog | undefined
  let part: Catalog | undefined
  return () => {
    const whole = current()
    if (part && whole === seen) return part
    seen = whole
    part = { ...whole, set: new PolicySet(whole.set.policies.filter((one) => one.failurePolicy === failurePolicy)) }
    return part
  }
}
