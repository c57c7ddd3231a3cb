import { celFamily } from './cel/cel-family.ts'
import type { PolicyFamily } from './engine/compiled-policy.ts'

/** The languages in which policies are written. */
export const policyFamilies: readonly PolicyFamily[] = [celFamily]
