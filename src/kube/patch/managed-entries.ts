import type { ManagedFieldsEntry } from '../object.ts'
import { parseFieldsV1, writeFieldsV1 } from './apply/fields-v1.ts'
import { compareText } from './apply/path-element.ts'
import { type PathSet, sameSet } from './apply/path-set.ts'
import type { Managers, VersionedSet } from './apply/updater.ts'
import { Refusal } from './refusal.ts'

/** `metadata.managedFields` as the engine works with it: sets and times by manager. */
export interface Managed {
  readonly managers: Managers
  readonly times: ReadonlyMap<string, string | undefined>
}

export const nobody: Managed = { managers: new Map(), times: new Map() }

/** What tells one manager from another. An applier is the same in every version. */
export interface ManagerIdentity {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string | undefined
}

/** The key of a manager. It is the JSON that the API server uses, as ties in sorting are decided by it. */
export function identifierOf({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  return JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Update' ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  })
}

/** The manager behind a key; an applier has no version there. */
export function identityOf(identifier: string): ManagerIdentity {
  const parsed = JSON.parse(identifier) as Partial<ManagerIdentity>
  return { manager: '', operation: 'Update', apiVersion: '', ...parsed }
}

interface Decoded {
  readonly identifier: string
  readonly versioned: VersionedSet
}

const decoded = new WeakMap<ManagedFieldsEntry, Decoded>()

/** Reads the entries; throws a refusal when one is malformed. Entries are immutable and read once. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  if (!entries || entries.length === 0) return nobody
  const managers = new Map<string, VersionedSet>()
  const times = new Map<string, string | undefined>()
  for (const [index, entry] of entries.entries()) {
    const { identifier, versioned } = decodeEntry(entry, index)
    managers.set(identifier, versioned)
    times.set(identifier, entry.time)
  }
  return { managers, times }
}

function decodeEntry(entry: ManagedFieldsEntry, index: number): Decoded {
  const known = decoded.get(entry)
  if (known) return known
  const { operation, apiVersion, fieldsType, manager = '', subresource, fieldsV1 } = entry
  if (operation !== 'Apply' && operation !== 'Update') return badEntry(index, 'operation must be `Apply` or `Update`')
  if (!apiVersion) return badEntry(index, 'apiVersion must not be empty')
  if (fieldsType !== 'FieldsV1') return badEntry(index, 'fieldsType must be FieldsV1')
  const result: Decoded = {
    identifier: identifierOf({ manager, operation, apiVersion, subresource }),
    versioned: { set: parseFieldsV1(fieldsV1 ?? {}), apiVersion, applied: operation === 'Apply' },
  }
  decoded.set(entry, result)
  return result
}

function badEntry(index: number, message: string): never {
  throw new Refusal({ code: 'managed-fields-invalid', at: `metadata.managedFields[${index}]`, message })
}

/**
 * Writes the entries: appliers first, then by time, manager, version and subresource. An entry that says what it said
 * before is the one from before.
 */
export function encodeManaged(
  { managers, times }: Managed,
  before: readonly ManagedFieldsEntry[] = [],
): readonly ManagedFieldsEntry[] {
  const known = new Map<string, ManagedFieldsEntry>()
  for (const entry of before) {
    const found = decoded.get(entry)
    if (found) known.set(found.identifier, entry)
  }
  const entries = [...managers].map(([identifier, versioned]) => {
    const time = times.get(identifier)
    const old = known.get(identifier)
    if (old && old.time === time && old.apiVersion === versioned.apiVersion) {
      const set = decoded.get(old)?.versioned.set
      if (set && sameSet(set, versioned.set)) return old
    }
    return encodeEntry(identifier, versioned, time)
  })
  return entries.toSorted(compareEntries)
}

function encodeEntry(identifier: string, versioned: VersionedSet, time: string | undefined): ManagedFieldsEntry {
  const { manager, operation, subresource } = identityOf(identifier)
  const entry: ManagedFieldsEntry = {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion: versioned.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: writeFieldsV1(versioned.set),
    ...(subresource ? { subresource } : {}),
  }
  decoded.set(entry, { identifier, versioned })
  return entry
}

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000))

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareText(a.operation ?? '', b.operation ?? '') ||
    seconds(a.time) - seconds(b.time) ||
    compareText(a.manager ?? '', b.manager ?? '') ||
    compareText(a.apiVersion ?? '', b.apiVersion ?? '') ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  )
}

/** Orders the keys of managers by when they last wrote. */
export function byTime(times: Managed['times']): (a: string, b: string) => number {
  return (a, b) => seconds(times.get(a)) - seconds(times.get(b)) || compareText(a, b)
}

/** Whether the entries say the same but for their times. */
export function sameButTimes(a: readonly ManagedFieldsEntry[], b: readonly ManagedFieldsEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every((entry, index) => {
      const other = b[index]
      return other !== undefined && (entry === other || sameEntry(entry, other))
    })
  )
}

function sameEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  const [left, right] = [decodeEntry(a, 0), decodeEntry(b, 0)]
  return (
    left.identifier === right.identifier &&
    left.versioned.apiVersion === right.versioned.apiVersion &&
    sameSet(left.versioned.set, right.versioned.set)
  )
}

/** The set of an entry. */
export function setOfEntry(entry: ManagedFieldsEntry, index: number = 0): PathSet {
  return decodeEntry(entry, index).versioned.set
}
