import type { Area } from './figure.ts'

/** Every bench area. */
export const areas: readonly Area[] = []
