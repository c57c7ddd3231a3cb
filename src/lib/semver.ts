/**
 * Versions and constraints by the rules of Masterminds/semver 3.4: versions may lack parts and start with `v`;
 * constraints know =, !=, >, <, >=, <=, ~, ^, hyphen ranges, wildcards, `,` or space for and, `||` for or.
 */
import { compilePattern, type Pattern } from './re2.ts'
import { type Result, succeed } from './result.ts'

export interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly prerelease: string
  readonly metadata: string
  /** As it was written. */
  readonly original: string
}

interface Constraint {
  readonly operator: string
  readonly version: Version
  readonly isMinorWild: boolean
  readonly isPatchWild: boolean
  readonly isWild: boolean
}

/** Alternatives of constraints that must all hold. */
export interface Constraints {
  readonly groups: readonly {
    readonly all: readonly Constraint[]
    /** One of them names a prerelease, so that prereleases are considered. */
    readonly hasPrerelease: boolean
  }[]
}

const TAIL = '(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?'
const VERSION = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?${TAIL}$`)
const UINT_END = 2n ** 64n

const invalid = (
  message: string,
): { readonly ok: false; readonly error: readonly [{ code: string; message: string }] } => ({
  ok: false,
  error: [{ code: 'version-invalid', message }],
})

/** Reads a version; missing minor and patch are 0. */
export function parseVersion(text: string): Result<Version> {
  const found = VERSION.exec(text)
  if (!found) return invalid('invalid semantic version')
  const parts = [found[1], found[2], found[3]].map((part) => BigInt(part ?? '0'))
  const tooLarge = parts.findIndex((part) => part >= UINT_END)
  if (tooLarge >= 0) {
    return invalid(
      `error parsing version segment: strconv.ParseUint: parsing "${found[tooLarge + 1] ?? ''}": value out of range`,
    )
  }
  const [major = 0n, minor = 0n, patch = 0n] = parts
  const prerelease = found[4] ?? ''
  if (prerelease.split('.').some((part) => /^0\d+$/.test(part))) return invalid('version segment starts with 0')
  return succeed({ major, minor, patch, prerelease, metadata: found[5] ?? '', original: text })
}

/** A version in full, without a `v`. */
export function versionText({ major, minor, patch, prerelease, metadata }: Version): string {
  return `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}${metadata === '' ? '' : `+${metadata}`}`
}

function isNumeric(part: string): boolean {
  return /^\d+$/.test(part) && BigInt(part) < UINT_END
}

function comparePart(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? -1 : 1
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1
  if (isNumeric(a)) return BigInt(a) > BigInt(b) ? 1 : -1
  return a > b ? 1 : -1
}

function comparePrereleases(a: string, b: string): number {
  const left = a.split('.')
  const right = b.split('.')
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = comparePart(left[index] ?? '', right[index] ?? '')
    if (order !== 0) return order
  }
  return 0
}

const compareNumbers = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** Orders two versions; metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  const order = compareNumbers(a.major, b.major) || compareNumbers(a.minor, b.minor) || compareNumbers(a.patch, b.patch)
  if (order !== 0 || a.prerelease === b.prerelease) return order
  if (a.prerelease === '' || b.prerelease === '') return a.prerelease === '' ? 1 : -1
  return comparePrereleases(a.prerelease, b.prerelease)
}

const OPERATORS = '=||!=|>|<|>=|=>|<=|=<|~|~>|\\^'
const WILD_VERSION =
  'v?(?:[0-9|x|X|*]+)(?:\\.[0-9|x|X|*]+)?(?:\\.[0-9|x|X|*]+)?(?:-(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?'

/** A pattern of our own; a constraint is the user's, so it meets only linear matching. */
function own(source: string): Pattern {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(`the pattern ${source} does not compile`)
  return compiled.value
}

const PATTERNS = {
  one: `^\\s*(${OPERATORS})\\s*v?([0-9|x|X|*]+)(\\.[0-9|x|X|*]+)?(\\.[0-9|x|X|*]+)?(-(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?\\s*$`,
  range: `\\s*(${WILD_VERSION})\\s+-\\s+(${WILD_VERSION})\\s*`,
  find: `(?:${OPERATORS})\\s*${WILD_VERSION}`,
  valid: `^(?:\\s*(?:${OPERATORS})\\s*${WILD_VERSION}\\s*)(?:(?:\\s+|,\\s*)(?:${OPERATORS})\\s*${WILD_VERSION}\\s*)*$`,
} as const

const isWildcard = (part: string): boolean => part === 'x' || part === 'X' || part === '*'

const refused = (
  message: string,
): { readonly ok: false; readonly error: readonly [{ code: string; message: string }] } => ({
  ok: false,
  error: [{ code: 'version-constraint-invalid', message }],
})

function parseOne(text: string): Result<Constraint> {
  const matcher = own(PATTERNS.one).matcher(text)
  if (!matcher.find()) return refused(`improper constraint: ${text}`)
  const [operator = '', major = '', minor = '', patch = '', prerelease = ''] = [1, 2, 3, 4, 5].map(
    (index) => matcher.group(index) ?? '',
  )
  const isMajorWild = isWildcard(major)
  const isMinorWild = !isMajorWild && (minor === '' || isWildcard(minor.slice(1)))
  const isPatchWild = !isMajorWild && !isMinorWild && (patch === '' || isWildcard(patch.slice(1)))
  const shown = isMajorWild
    ? `0.0.0${prerelease}`
    : isMinorWild
      ? `${major}.0.0${prerelease}`
      : `${major}${minor}${isPatchWild ? '.0' : patch}${prerelease}`
  const version = parseVersion(shown)
  if (!version.ok) return refused('constraint parser error')
  return succeed({
    operator,
    version: version.value,
    isMinorWild,
    isPatchWild,
    isWild: isMajorWild || isMinorWild || isPatchWild,
  })
}

/** `1 - 2` becomes `>= 1, <= 2`. */
function withoutRanges(text: string): string {
  const matcher = own(PATTERNS.range).matcher(text)
  let made = text
  while (matcher.find()) {
    const [whole = '', low = '', high = ''] = [0, 1, 2].map((index) => matcher.group(index) ?? '')
    const at = made.indexOf(whole)
    if (at >= 0) made = `${made.slice(0, at)}>= ${low}, <= ${high} ${made.slice(at + whole.length)}`
  }
  return made
}

/** The longest constraint that is read. */
const LONGEST_CONSTRAINT = 10_000

/** Reads a constraint. */
export function parseConstraints(text: string): Result<Constraints> {
  if (text.length > LONGEST_CONSTRAINT) return refused(`the constraint is longer than ${LONGEST_CONSTRAINT} characters`)
  const groups: Constraints['groups'][number][] = []
  for (const alternative of withoutRanges(text).split('||')) {
    if (!own(PATTERNS.valid).matcher(alternative).find()) return refused(`improper constraint: ${alternative}`)
    const matcher = own(PATTERNS.find).matcher(alternative)
    const all: Constraint[] = []
    while (matcher.find()) {
      const one = parseOne(matcher.group() ?? '')
      if (!one.ok) return one
      all.push(one.value)
    }
    groups.push({ all, hasPrerelease: all.some(({ version }) => version.prerelease !== '') })
  }
  return succeed({ groups })
}

type Check = (version: Version, constraint: Constraint) => boolean

const isNotEqual: Check = (version, { version: wanted, isWild, isMinorWild, isPatchWild }) => {
  if (!isWild) return compareVersions(version, wanted) !== 0
  if (wanted.major !== version.major) return true
  if (wanted.minor !== version.minor && !isMinorWild) return true
  if (isMinorWild) return false
  if (wanted.patch !== version.patch && !isPatchWild) return true
  if (!isPatchWild) return compareVersions(version, wanted) !== 0
  if (version.prerelease === '' && wanted.prerelease === '') return false
  return comparePrereleases(version.prerelease, wanted.prerelease) !== 0
}

const isGreater: Check = (version, { version: wanted, isWild, isMinorWild, isPatchWild }) => {
  if (!isWild) return compareVersions(version, wanted) > 0
  if (version.major !== wanted.major) return version.major > wanted.major
  if (isMinorWild) return false
  return isPatchWild ? version.minor > wanted.minor : compareVersions(version, wanted) > 0
}

const isAtMost: Check = (version, { version: wanted, isWild, isMinorWild }) => {
  if (!isWild) return compareVersions(version, wanted) <= 0
  if (version.major > wanted.major) return false
  return !(version.major === wanted.major && version.minor > wanted.minor && !isMinorWild)
}

const isTilde: Check = (version, { version: wanted, isMinorWild, isPatchWild }) => {
  if (compareVersions(version, wanted) < 0) return false
  const isZero = wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n
  if (isZero && !isMinorWild && !isPatchWild) return true
  return version.major === wanted.major && (version.minor === wanted.minor || isMinorWild)
}

const isCaret: Check = (version, { version: wanted, isMinorWild, isPatchWild }) => {
  if (compareVersions(version, wanted) < 0) return false
  if (wanted.major > 0n || isMinorWild) return version.major === wanted.major
  if (version.major > 0n) return false
  if (wanted.minor > 0n || isPatchWild) return version.minor === wanted.minor
  return version.minor === 0n && version.patch === wanted.patch
}

const isEqualOrTilde: Check = (version, constraint) =>
  constraint.isWild ? isTilde(version, constraint) : compareVersions(version, constraint.version) === 0

const isLess: Check = (version, { version: wanted }) => compareVersions(version, wanted) < 0
const isAtLeast: Check = (version, { version: wanted }) => compareVersions(version, wanted) >= 0

const CHECKS: Readonly<Record<string, Check>> = {
  '': isEqualOrTilde,
  '=': isEqualOrTilde,
  '!=': isNotEqual,
  '>': isGreater,
  '<': isLess,
  '>=': isAtLeast,
  '=>': isAtLeast,
  '<=': isAtMost,
  '=<': isAtMost,
  '~': isTilde,
  '~>': isTilde,
  '^': isCaret,
}

/** Whether a version satisfies a constraint. A prerelease does only where the constraint names one. */
export function satisfies(version: Version, { groups }: Constraints): boolean {
  return groups.some(
    ({ all, hasPrerelease }) =>
      (version.prerelease === '' || hasPrerelease) &&
      all.every((constraint) => CHECKS[constraint.operator]?.(version, constraint) ?? false),
  )
}
