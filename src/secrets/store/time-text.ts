/** A time as Go's RFC 3339 with fractions prints it: without zeros at the end. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z')
}
