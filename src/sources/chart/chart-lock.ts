import { createHash } from 'node:crypto'
import { emitYaml } from '../../lib/yaml.ts'

/** A dependency as locks name it. */
export interface LockedDependency {
  readonly name: string
  readonly version: string
  readonly repository: string
}

/** A dependency as Chart.yaml asks for it. */
export interface WantedDependency extends LockedDependency {
  readonly condition?: string
  readonly tags?: readonly string[]
  readonly importValues?: readonly unknown[]
  readonly alias?: string
}

/** The fields in the order and under the names in which Go writes them; what is empty is left out. */
function goForm(dependency: WantedDependency): Readonly<Record<string, unknown>> {
  const { name, version, repository, condition, tags = [], importValues = [], alias } = dependency
  return {
    name,
    ...(version ? { version } : {}),
    repository,
    ...(condition ? { condition } : {}),
    ...(tags.length > 0 ? { tags } : {}),
    ...(importValues.length > 0 ? { 'import-values': importValues } : {}),
    ...(alias ? { alias } : {}),
  }
}

const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** The digest that helm writes into Chart.lock: over what was asked for and what it was resolved to. */
export function lockDigest(wanted: readonly WantedDependency[], locked: readonly LockedDependency[]): string {
  const text = goJson([wanted.map(goForm), locked.map(goForm)])
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** The text of Chart.lock. */
export function writeLock(
  wanted: readonly WantedDependency[],
  locked: readonly LockedDependency[],
  generated: string,
): string {
  const dependencies = locked.map(({ name, repository, version }) => ({ name, repository, version }))
  return emitYaml({ dependencies, digest: lockDigest(wanted, locked), generated })
}
