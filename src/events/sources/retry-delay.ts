const FIRST_MS = 500
const LONGEST_MS = 30_000

/** How long a source waits after so many failures in a row. */
export const retryDelayMs = (failures: number): number => Math.min(FIRST_MS * 2 ** Math.min(failures, 10), LONGEST_MS)
