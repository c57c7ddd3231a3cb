import { baselineChecks } from './baseline.ts'
import type { Finding, Level, Minor, PodUnderCheck } from './check.ts'
import { restrictedChecks, strengthened } from './restricted.ts'

/** A level of the Pod Security Standards as of a version. */
export interface Standard {
  readonly level: Level
  readonly minor: Minor
}

/** Reads `latest` or `v1.30`; undefined when it is neither. */
export function parseStandardVersion(text: string): Minor | undefined {
  if (text === '' || text === 'latest') return Number.POSITIVE_INFINITY
  const found = /^v1\.(0|[1-9]\d{0,3})$/.exec(text)
  return found ? Number(found[1]) : undefined
}

/** The standard as it is written: `restricted:latest`. */
export function formatStandard({ level, minor }: Standard): string {
  return `${level}:${Number.isFinite(minor) ? `v1.${minor}` : 'latest'}`
}

/** Everything about a Pod that a standard does not accept. */
export function findViolations(pod: PodUnderCheck, { level, minor }: Standard): readonly Finding[] {
  if (level === 'privileged') return []
  const inForce = [...baselineChecks, ...(level === 'restricted' ? restrictedChecks : [])].filter(
    ({ since }) => since <= minor,
  )
  const ids = new Set(inForce.map(({ id }) => id))
  const weaker = new Set([...strengthened].flatMap(([stricter, weak]) => (ids.has(stricter) ? [weak] : [])))
  return inForce
    .filter(({ id }) => !weaker.has(id))
    .flatMap((check) => {
      const found = check.find(pod, minor)
      return found ? [{ check: check.id, control: check.control, ...found }] : []
    })
}

/** One sentence with every finding. */
export function describeViolations(findings: readonly Finding[]): string {
  return findings.map(({ reason, detail }) => `${reason} (${detail})`).join(', ')
}
