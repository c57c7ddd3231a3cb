import { formatDuration } from '../../../lib/duration.ts'
import { timeText } from '../time-text.ts'

/** What is kept of one version. A deletion time in the future is when it will count as deleted. */
export interface VersionMetadata {
  readonly createdMs: number
  readonly deletedMs?: number
  readonly destroyed?: true
}

/** Everything that is known of a secret but its values. */
export interface KeyMetadata {
  readonly createdMs: number
  readonly updatedMs: number
  readonly current: number
  readonly oldest: number
  readonly maxVersions: number
  readonly casRequired: boolean
  /** Seconds; negative is never. */
  readonly deleteAfter: number
  readonly custom: Readonly<Record<string, string>> | null
  readonly versions: Readonly<Record<string, VersionMetadata>>
}

/** The settings of a mount. */
export interface KvSettings {
  readonly maxVersions: number
  readonly casRequired: boolean
  readonly deleteAfter: number
}

export const usualSettings: KvSettings = { maxVersions: 0, casRequired: false, deleteAfter: 0 }

/** How many versions are kept where nobody says. */
const USUAL_VERSIONS = 10

export function newMetadata(nowMs: number): KeyMetadata {
  return {
    createdMs: nowMs,
    updatedMs: nowMs,
    current: 0,
    oldest: 0,
    maxVersions: 0,
    casRequired: false,
    deleteAfter: 0,
    custom: null,
    versions: {},
  }
}

/** When a version that is written now counts as deleted: the sooner of what mount and secret say. */
export function deletionTime(nowMs: number, settings: KvSettings, meta: KeyMetadata): number | undefined {
  if (settings.deleteAfter < 0) return undefined
  const [ofMount, ofKey] = [settings.deleteAfter, meta.deleteAfter]
  if (ofKey < 0) return undefined
  const after = ofMount > 0 && ofKey > 0 ? Math.min(ofMount, ofKey) : ofMount || ofKey
  return after > 0 ? nowMs + after * 1_000 : undefined
}

/** The metadata with one more version, and the versions whose values are no longer kept. */
export function withVersion(
  meta: KeyMetadata,
  version: VersionMetadata,
  settings: KvSettings,
): { readonly meta: KeyMetadata; readonly gone: readonly number[] } {
  const current = meta.current + 1
  const most = Math.max(meta.maxVersions, settings.maxVersions) || USUAL_VERSIONS
  const versions: Record<string, VersionMetadata> = { ...meta.versions, [current]: version }
  const first = Math.max(current - most + 1, 1)
  const gone: number[] = []
  for (const number of Object.keys(meta.versions).map(Number)) {
    if (number >= first) continue
    gone.push(number)
    delete versions[number]
  }
  const oldest = current - meta.oldest >= most ? first : meta.oldest
  return { meta: { ...meta, current, oldest, updatedMs: version.createdMs, versions }, gone }
}

export const isDeleted = ({ deletedMs }: VersionMetadata, nowMs: number): boolean =>
  deletedMs !== undefined && deletedMs <= nowMs

/** A version as answers show it beside its value. */
export function versionData(
  number: number,
  version: VersionMetadata,
  { custom }: KeyMetadata,
): Readonly<Record<string, unknown>> {
  return { version: number, ...versionState(version), custom_metadata: custom }
}

const versionState = ({ createdMs, deletedMs, destroyed }: VersionMetadata): Readonly<Record<string, unknown>> => ({
  created_time: timeText(createdMs),
  deletion_time: deletedMs === undefined ? '' : timeText(deletedMs),
  destroyed: destroyed === true,
})

/** Everything that is known of a secret, as `metadata/` shows it. */
export function metadataData(meta: KeyMetadata): Readonly<Record<string, unknown>> {
  return {
    versions: Object.fromEntries(Object.entries(meta.versions).map(([number, one]) => [number, versionState(one)])),
    current_version: meta.current,
    oldest_version: meta.oldest,
    created_time: timeText(meta.createdMs),
    updated_time: timeText(meta.updatedMs),
    max_versions: meta.maxVersions,
    cas_required: meta.casRequired,
    delete_version_after: durationText(meta.deleteAfter),
    custom_metadata: meta.custom,
  }
}

export const durationText = (seconds: number): string => formatDuration(BigInt(seconds) * 1_000_000_000n)

const [MOST_KEYS, LONGEST_KEY, LONGEST_VALUE] = [64, 128, 512]
const PREFIX = 'custom_metadata validation failed'

/** What is wrong with custom metadata; nothing where it may be kept. */
export function checkCustom(custom: ReadonlyMap<string, string>): string | undefined {
  if (custom.size > MOST_KEYS) {
    return `${PREFIX}: payload must contain at most ${MOST_KEYS} keys, provided ${custom.size}`
  }
  for (const [key, value] of custom) {
    const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)]
    const name = JSON.stringify(key)
    if (keyBytes === 0 || keyBytes > LONGEST_KEY) {
      return `${PREFIX}: length of key ${name} is ${keyBytes} but must be 0 < len(key) <= ${LONGEST_KEY}`
    }
    if (valueBytes === 0 || valueBytes > LONGEST_VALUE) {
      return `${PREFIX}: length of value for key ${name} is ${valueBytes} but must be 0 < len(value) <= ${LONGEST_VALUE}`
    }
    if (UNPRINTABLE.test(key) || UNPRINTABLE.test(value)) return `${PREFIX}: ${name} contains unprintable characters`
  }
  return undefined
}

const UNPRINTABLE = /[^\P{C}]/u
