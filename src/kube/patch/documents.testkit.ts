import fc from 'fast-check'

const key: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'name', '__proto__', 'constructor', 'toString', 'x/y~z', ''),
  fc.string({ maxLength: 3 }),
)

/** Any JSON value, with few keys so that two of them overlap, prototype names among them. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1, 2, 'a', 'b', ''),
    fc.array(tie('value'), { maxLength: 4 }),
    objectOf(tie('value')),
  ),
})).value

/** Any JSON object. */
export const jsonObject: fc.Arbitrary<Record<string, unknown>> = objectOf(json)

function objectOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .array(fc.tuple(key, value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as Record<string, unknown>)
}

/** The same value without any null inside of objects or lists. */
export function withoutAnyNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutAnyNull)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, below]) => below !== null)
      .map(([name, below]) => [name, withoutAnyNull(below)]),
  )
}

/** An object in an object in an object, so many levels deep. */
export function nested(levels: number, name: string = 'a'): Record<string, unknown> {
  let value: Record<string, unknown> = {}
  for (let level = 0; level < levels; level++) value = { [name]: value }
  return value
}
