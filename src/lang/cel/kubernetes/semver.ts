import { traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { fromBigInt, type Int } from '../value/integer.ts'

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly string[]
  readonly text: string
}

const NUMBER = '(0|[1-9]\\d{0,19})'
const IDENTIFIER = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const SEMVER = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`,
)
const LONGEST = 1_000
const UINT64 = 2n ** 64n

function parse(text: string): Version | undefined {
  const found = text.length > LONGEST ? null : SEMVER.exec(text)
  if (!found) return undefined
  const numbers = [BigInt(found[1] ?? 0), BigInt(found[2] ?? 0), BigInt(found[3] ?? 0)] as const
  if (numbers.some((number) => number >= UINT64)) return undefined
  return { numbers, prerelease: found[4]?.split('.') ?? [], text }
}

/** Reads also `v1`, `1.2` and `01.2.3`. */
function parseTolerant(text: string): Version | undefined {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.')
  const parts = [major, ...(minor === undefined ? [] : [minor]), ...(rest.length > 0 ? [rest.join('.')] : [])].map(
    (part) => (part.length > 1 ? part.replace(/^0+/, '').replace(/^(?!\d)/, '0') : part),
  )
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) return undefined
  while (parts.length < 3) parts.push('0')
  return parse(parts.join('.'))
}

function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (left && right) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0
  if (left !== right) return left ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

function compare(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Math.sign(b.prerelease.length - a.prerelease.length)
  for (let index = 0; index < Math.min(a.prerelease.length, b.prerelease.length); index++) {
    const order = compareIdentifiers(a.prerelease[index] ?? '', b.prerelease[index] ?? '')
    if (order !== 0) return order
  }
  return Math.sign(a.prerelease.length - b.prerelease.length)
}

const type = opaque('kubernetes.Semver')

class SemverValue extends CelObject {
  readonly type = type
  readonly version: Version

  constructor(version: Version) {
    super()
    this.version = version
  }

  equals(other: unknown): boolean {
    return other instanceof SemverValue && compare(this.version, other.version) === 0
  }

  toJson(): string {
    return this.version.text
  }
}

const read = (text: string, tolerant = false): Version | undefined => (tolerant ? parseTolerant(text) : parse(text))

function fromString(text: string, tolerant = false): SemverValue {
  const version = read(text, tolerant)
  if (!version) throw new EvaluationError(`cannot read ${JSON.stringify(text.slice(0, 100))} as a semantic version`)
  return new SemverValue(version)
}

const once: CostRule = (text) => traversal(text)
const order = (a: SemverValue, b: SemverValue): number => compare(a.version, b.version)
const part =
  (index: 0 | 1 | 2) =>
  ({ version }: SemverValue): Int =>
    fromBigInt(version.numbers[index])
const S = 'kubernetes.Semver'

/** Semantic versions. */
export const semverLibrary: Library = {
  name: 'kubernetes.semver',
  types: [type],
  overloads: [
    overload('string_to_semver', `semver(string): ${S}`, fromString, once),
    overload('string_bool_to_semver', `semver(string, bool): ${S}`, fromString, once),
    overload('is_semver_string', 'isSemver(string): bool', (text: string) => read(text) !== undefined, once),
    overload(
      'is_semver_string_bool',
      'isSemver(string, bool): bool',
      (text: string, tolerant: boolean) => read(text, tolerant) !== undefined,
      once,
    ),
    overload(
      'semver_is_greater_than',
      `${S} -> isGreaterThan(${S}): bool`,
      (a: SemverValue, b: SemverValue) => order(a, b) > 0,
    ),
    overload(
      'semver_is_less_than',
      `${S} -> isLessThan(${S}): bool`,
      (a: SemverValue, b: SemverValue) => order(a, b) < 0,
    ),
    overload('semver_compare_to', `${S} -> compareTo(${S}): int`, order),
    overload('semver_major', `${S} -> major(): int`, part(0)),
    overload('semver_minor', `${S} -> minor(): int`, part(1)),
    overload('semver_patch', `${S} -> patch(): int`, part(2)),
  ],
}
