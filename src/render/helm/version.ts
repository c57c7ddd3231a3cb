import { parseConstraints, parseVersion, satisfies } from '../../lib/semver.ts'

/** Tells whether a version meets a constraint; what cannot be read meets nothing. */
export function isCompatible(constraint: string, version: string): boolean {
  const parsed = parseVersion(version)
  const wanted = parseConstraints(constraint)
  return parsed.ok && wanted.ok && satisfies(parsed.value, wanted.value)
}
