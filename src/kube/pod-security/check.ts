import type { ObjectMeta } from '../object.ts'
import type { Container, PodSpec } from '../pod.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** A minor version of Kubernetes 1.x; the newest is infinity. */
export type Minor = number

/** The Pod as a check sees it. */
export interface PodUnderCheck {
  readonly metadata: ObjectMeta
  readonly spec: PodSpec
}

/** One field that a check does not accept. */
export interface Offence {
  /** Such as `spec.containers[0].securityContext.privileged`. */
  readonly path: string
  readonly value: unknown
  /** The container it is in; absent for the Pod itself. */
  readonly container?: string
  /** The image of that container, by which exceptions are made. */
  readonly image?: string
}

/** What a check says of a Pod that it does not accept. */
export interface Finding {
  readonly check: string
  /** The control of the Pod Security Standards that the check belongs to. */
  readonly control: string
  /** A few words, such as `privileged`. */
  readonly reason: string
  /** Which container or field, and what would be accepted. */
  readonly detail: string
  readonly offences: readonly Offence[]
}

/** One rule of the standards. */
export interface Check {
  readonly id: string
  readonly control: string
  readonly level: 'baseline' | 'restricted'
  /** The first minor version that has it. */
  readonly since: Minor
  readonly find: (pod: PodUnderCheck, minor: Minor) => Pick<Finding, 'reason' | 'detail' | 'offences'> | undefined
}

/** A container with where it stands. */
export interface Placed {
  readonly container: Container
  readonly path: string
}

/** Every container of a Pod, in the order in which checks name them. */
export function placedContainers({ spec }: PodUnderCheck): readonly Placed[] {
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const
  return lists.flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({ container, path: `spec.${list}[${index}]` })),
  )
}

/** A value deep in plain data; undefined where the way ends. */
export function fieldOf(value: unknown, ...names: readonly string[]): unknown {
  let current = value
  for (const name of names) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined
    current = (current as Readonly<Record<string, unknown>>)[name]
  }
  return current
}

/** An offence of one container. */
export function offence({ container, path }: Placed, field: string, value: unknown): Offence {
  return { path: `${path}.${field}`, value, container: container.name, image: container.image ?? '' }
}

/** `container "a"` or `containers "a", "b"`. */
export function containersText(names: Iterable<string>): string {
  const all = [...new Set(names)].map((name) => JSON.stringify(name))
  return `${all.length === 1 ? 'container' : 'containers'} ${all.join(', ')}`
}

/** The names of the containers that offences are in. */
export function offenders(offences: readonly Offence[]): readonly string[] {
  return offences.flatMap(({ container }) => container ?? [])
}

/** Tells whether a Pod says that it runs on Windows, where some checks make no sense. */
export function isWindows({ spec }: PodUnderCheck): boolean {
  return spec.os?.name === 'windows'
}
