import type { Suite } from './suite.ts'

/** Every suite in the order it is run. */
export const suites: readonly Suite[] = []
