import { compareVersions, parseConstraints, parseVersion, satisfies, type Version } from '../../lib/semver.ts'

/** Tells a whole version from a constraint. */
export const isExactVersion = (text: string): boolean => /^v?\d+\.\d+\.\d+/.test(text) && parseVersion(text).ok

/** The newest of some versions that meets a constraint, as it was written; what is no version is passed over. */
export function newestMatching(versions: readonly string[], constraint: string): string | undefined {
  if (versions.includes(constraint)) return constraint
  const wanted = parseConstraints(constraint === '' ? '*' : constraint)
  if (!wanted.ok) return undefined
  let newest: { readonly version: Version; readonly text: string } | undefined
  for (const text of versions) {
    const version = parseVersion(text)
    if (!version.ok || !satisfies(version.value, wanted.value)) continue
    if (!newest || compareVersions(version.value, newest.version) > 0) newest = { version: version.value, text }
  }
  return newest?.text
}
