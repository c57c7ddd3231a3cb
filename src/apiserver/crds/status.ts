import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isObject } from '../../lib/json.ts'
import { conditionOf, type DefinitionNames, readDefinition, readNames } from './definition.ts'

/** What the definitions of a group have claimed. */
export interface ClaimedNames {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/** The names that the other definitions of a group hold. */
export function claimedBy(others: readonly KubeObject[]): ClaimedNames {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const other of others) {
    const accepted = readNames(statusOf(other)['acceptedNames'])
    for (const name of [accepted.plural, accepted.singular, ...accepted.shortNames]) resources.add(name)
    for (const name of [accepted.kind, accepted.listKind]) kinds.add(name)
  }
  resources.delete('')
  kinds.delete('')
  return { resources, kinds }
}

const statusOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  isObject(object['status']) ? object['status'] : {}

interface Verdict {
  readonly names: DefinitionNames
  readonly conflict: { readonly reason: string; readonly message: string } | undefined
}

/** The definition with the status that follows from it: which names it gets, whether it is served, what is stored. */
export function withPlannedStatus(object: KubeObject, others: readonly KubeObject[], nowMs: number): KubeObject {
  const status = statusOf(object)
  const { names, conflict } = acceptNames(object, claimedBy(others))
  const isAccepted = conflict === undefined
  const wasEstablished = conditionOf(object, 'Established')?.['status'] === 'True'
  const isEstablished = isAccepted || wasEstablished
  const planned = [
    condition('NamesAccepted', isAccepted, conflict ?? { reason: 'NoConflicts', message: 'no conflicts found' }),
    condition(
      'Established',
      isEstablished,
      isEstablished
        ? { reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
        : { reason: 'NotAccepted', message: 'not all names are accepted' },
    ),
  ]
  const now = formatTime(nowMs)
  const kept = (Array.isArray(status['conditions']) ? status['conditions'] : []).filter(
    (one: unknown) => isObject(one) && !planned.some(({ type }) => type === one['type']),
  )
  return {
    ...object,
    status: {
      ...status,
      conditions: [...kept, ...planned.map((one) => since(conditionOf(object, one.type), one, now))],
      acceptedNames: writtenNames(names),
      storedVersions: storedVersions(object),
    },
  }
}

interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

function condition(
  type: string,
  isTrue: boolean,
  said: { readonly reason: string; readonly message: string },
): Condition {
  return { type, status: isTrue ? 'True' : 'False', ...said }
}

/** A condition keeps the time of its last change. */
function since(before: Readonly<Record<string, unknown>> | undefined, next: Condition, now: string): unknown {
  const lastTransitionTime = before?.['status'] === next.status ? (before['lastTransitionTime'] ?? now) : now
  return { lastTransitionTime, ...next }
}

function acceptNames(object: KubeObject, claimed: ClaimedNames): Verdict {
  const { names: wanted } = readDefinition(object)
  const held = readNames(statusOf(object)['acceptedNames'])
  const taken = (name: string, own: string, used: ReadonlySet<string>): boolean => name !== own && used.has(name)
  const pick = (name: string, own: string, used: ReadonlySet<string>): string => (taken(name, own, used) ? own : name)
  const conflicts: { readonly reason: string; readonly message: string }[] = []
  const note = (isTaken: boolean, reason: string, name: string): void => {
    if (isTaken) conflicts.push({ reason, message: `${JSON.stringify(name)} is already in use` })
  }
  note(taken(wanted.plural, held.plural, claimed.resources), 'PluralConflict', wanted.plural)
  note(taken(wanted.singular, held.singular, claimed.resources), 'SingularConflict', wanted.singular)
  const takenShort = wanted.shortNames.filter((name) => !held.shortNames.includes(name) && claimed.resources.has(name))
  for (const name of takenShort) note(true, 'ShortNamesConflict', name)
  note(taken(wanted.kind, held.kind, claimed.kinds), 'KindConflict', wanted.kind)
  note(taken(wanted.listKind, held.listKind, claimed.kinds), 'ListKindConflict', wanted.listKind)
  return {
    conflict: conflicts.at(-1),
    names: {
      plural: pick(wanted.plural, held.plural, claimed.resources),
      singular: pick(wanted.singular, held.singular, claimed.resources),
      kind: pick(wanted.kind, held.kind, claimed.kinds),
      listKind: pick(wanted.listKind, held.listKind, claimed.kinds),
      shortNames: takenShort.length > 0 ? held.shortNames : wanted.shortNames,
      categories: wanted.categories,
    },
  }
}

function writtenNames({ shortNames, categories, ...names }: DefinitionNames): unknown {
  return {
    ...names,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  }
}

/** Every version that objects may still be kept in: the ones of before, and the one they are kept in now. */
function storedVersions(object: KubeObject): readonly unknown[] {
  const before: readonly unknown[] = Array.isArray(statusOf(object)['storedVersions'])
    ? (statusOf(object)['storedVersions'] as readonly unknown[])
    : []
  const now = readDefinition(object).versions.find(({ storage }) => storage)?.name
  return now === undefined || before.includes(now) ? before : [...before, now]
}
