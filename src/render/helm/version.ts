/** A version as charts write it: parts may be missing. */
export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly pre: string
  /** The whole version, spelled out. */
  readonly text: string
}

const VERSION = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/

/** Reads a version; undefined where it is none. */
export function parseVersion(text: string): Version | undefined {
  const found = VERSION.exec(text)
  if (!found) return undefined
  const [, major, minor, patch, pre = '', build] = found
  const numbers = `${Number(major)}.${Number(minor ?? 0)}.${Number(patch ?? 0)}`
  return {
    major: Number(major),
    minor: Number(minor ?? 0),
    patch: Number(patch ?? 0),
    pre,
    text: `${numbers}${pre === '' ? '' : `-${pre}`}${build === undefined ? '' : `+${build}`}`,
  }
}

const comparePre = (a: string, b: string): number => {
  if (a === b) return 0
  if (a === '') return 1
  return b === '' ? -1 : a < b ? -1 : 1
}

const compare = (a: Version, b: Version): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre)

const PART = /^([<>=!~^]*)\s*v?([\dxX*]+)(?:\.([\dxX*]+))?(?:\.([\dxX*]+))?(?:-([0-9A-Za-z.-]+))?(?:\+\S*)?$/
const isOpen = (part: string | undefined): boolean => part === undefined || /[xX*]/.test(part)

/** How a version stands to the limit of a part: its order, and down to which number the two are the same. */
interface Standing {
  readonly order: number
  readonly same: boolean
  readonly sameMajor: boolean
  readonly sameMinor: boolean
  readonly isZero: boolean
}

const operators: Readonly<Record<string, (standing: Standing) => boolean>> = {
  '': ({ same }) => same,
  '=': ({ same }) => same,
  '!=': ({ same }) => !same,
  '>': ({ order, same }) => order > 0 && !same,
  '>=': ({ order }) => order >= 0,
  '=>': ({ order }) => order >= 0,
  '<': ({ order }) => order < 0,
  '<=': ({ order, same }) => order <= 0 || same,
  '=<': ({ order, same }) => order <= 0 || same,
  '~': ({ order, sameMinor }) => order >= 0 && sameMinor,
  '~>': ({ order, sameMinor }) => order >= 0 && sameMinor,
  '^': ({ order, sameMajor, sameMinor, isZero }) => order >= 0 && (isZero ? sameMinor : sameMajor),
}

function holds(version: Version, part: string): boolean {
  const found = PART.exec(part)
  if (!found) return false
  const [, operator = '', major, minor, patch, pre = ''] = found
  if (version.pre !== '' && pre === '') return false
  const number = (text: string | undefined): number => (isOpen(text) ? 0 : Number(text))
  const limit: Version = { major: number(major), minor: number(minor), patch: number(patch), pre, text: '' }
  const order = compare(version, limit)
  const sameMajor = isOpen(major) || version.major === limit.major
  const sameMinor = sameMajor && (isOpen(minor) || version.minor === limit.minor)
  const same = sameMinor && (isOpen(patch) || order === 0)
  const isZero = limit.major === 0 && !isOpen(minor)
  return operators[operator]?.({ order, same, sameMajor, sameMinor, isZero }) ?? false
}

/** Tells whether a version meets a constraint such as `>=1.2.0, <2`, `~1.4` or `1.x || 3.0.1`. */
export function satisfies(version: string, constraint: string): boolean {
  const parsed = parseVersion(version)
  if (!parsed) return false
  return constraint.split('||').some((all) => {
    const range = all.trim().replace(/(\S+)\s+-\s+(\S+)/g, '>=$1,<=$2')
    const parts = range.match(/[<>=!~^]*\s*[^\s,]+/g) ?? []
    return parts.every((part) => holds(parsed, part.trim()))
  })
}
