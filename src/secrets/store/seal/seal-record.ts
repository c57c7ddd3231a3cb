import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { Store } from '../../../store/store.ts'

/** Everything that is known of a sealed store: one entry, so that init, rotation and rekey are done or not done. */
export interface SealRecord {
  readonly format: 1
  readonly shares: number
  readonly threshold: number
  /** The root key, encrypted with the key that the shares give. */
  readonly byShares: string
  /** The root key, encrypted with the key of the key file. */
  readonly byFile?: string
  /** The keys of entries, encrypted with the root key. */
  readonly keyring: string
  readonly cluster: { readonly id: string; readonly name: string }
}

const KEY = 'core/seal'

/** The record, where the store has been initialised. */
export function readSealRecord(store: Store<Uint8Array>): SealRecord | undefined {
  const entry = store.get(KEY)
  // What writeSealRecord wrote, in the clear.
  return entry ? (JSON.parse(Buffer.from(entry.value).toString()) as SealRecord) : undefined
}

/** Writes the record; durable when it resolves. */
export async function writeSealRecord(store: Store<Uint8Array>, record: SealRecord): Promise<void> {
  await store.put(KEY, () => Buffer.from(JSON.stringify(record)), 'any')
}

/** How many shares there are to be, and how many are to be enough. */
export interface SharePlan {
  readonly shares: number
  readonly threshold: number
}

/** Checks a plan in the order, and with the meaning, of Vault's refusals. */
export function checkSharePlan({ shares, threshold }: SharePlan): Result<SharePlan> {
  const wrong = (message: string): Result<SharePlan> =>
    fail({ code: 'secret-seal-invalid', message: `invalid seal configuration: ${message}` })
  if (!Number.isInteger(shares) || shares < 1) return wrong('shares must be at least one')
  if (!Number.isInteger(threshold) || threshold < 1) return wrong('threshold must be at least one')
  if (shares > 1 && threshold === 1) return wrong('threshold must be greater than one for multiple shares')
  if (shares > 255) return wrong('shares must be less than 256')
  if (threshold > shares) return wrong('threshold cannot be larger than shares')
  return succeed({ shares, threshold })
}
