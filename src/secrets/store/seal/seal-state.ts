import type { Clock } from '../../../lib/clock.ts'
import type { Ids } from '../../../lib/ids.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { Store } from '../../../store/store.ts'
import type { Barrier } from '../barrier.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { closeEnvelope, openEnvelope } from './envelope.ts'
import type { UnsealFile } from './key-file.ts'
import { KEY_BYTES, type Keyring, newKeyring, unwrapKeyring, withNewKey, wrapKeyring } from './keyring.ts'
import { checkSharePlan, readSealRecord, type SealRecord, type SharePlan, writeSealRecord } from './seal-record.ts'
import { ShareCollection } from './share-collection.ts'
import { combineShares, splitSecret } from './shamir.ts'

const SHARES_PLACE = Buffer.from('core/seal/by-shares')
const FILE_PLACE = Buffer.from('core/seal/by-file')
const [SHORTEST_KEY, LONGEST_KEY] = [16, KEY_BYTES + 1]

export interface SealParts {
  readonly store: Store<Uint8Array>
  readonly barrier: Barrier
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Ids
  readonly keyFile?: UnsealFile
}

/**
 * Whether the store can be read, and how it comes to be:
 *
 *     no record --init--> open --seal--> sealed --threshold of shares, or the key file at start--> open
 */
export class SealState {
  readonly #parts: SealParts
  readonly #given: ShareCollection
  readonly rekeying: ShareCollection
  readonly #changes = new KeyedLock()
  #record: SealRecord | undefined
  #rekeyPlan: SharePlan | undefined

  constructor(parts: SealParts) {
    this.#parts = parts
    this.#record = readSealRecord(parts.store)
    this.#given = new ShareCollection(parts.ids)
    this.rekeying = new ShareCollection(parts.ids)
  }

  get record(): SealRecord | undefined {
    return this.#record
  }

  get isInitialised(): boolean {
    return this.#record !== undefined
  }

  get isSealed(): boolean {
    return this.#parts.barrier.isSealed
  }

  /** How many shares of how many have been given, and for which attempt. */
  get progress(): { readonly given: number; readonly nonce: string } {
    return { given: this.#given.size, nonce: this.#given.nonce }
  }

  /**
   * Makes the keys and opens the barrier; `prepare` writes what has to be there from the first moment. Only then the store
   * counts as initialised: a crash before that leaves one that is not.
   */
  async init(wanted: SharePlan, prepare: () => Promise<void>): Promise<Result<readonly Uint8Array[]>> {
    const { store, barrier, clock, ids, keyFile } = this.#parts
    const plan = checkSharePlan(wanted)
    if (!plan.ok) return plan
    if (this.#record) return fail({ code: 'secret-store-initialised', message: 'Vault is already initialized' })
    const file = keyFile?.ensure()
    if (file && !file.ok) return file
    const ring = newKeyring(ids, clock.now())
    const sharing = this.#share(plan.value, ring)
    const id = ids.uid()
    const record: SealRecord = {
      format: 1,
      ...plan.value,
      byShares: sharing.byShares,
      ...(file ? { byFile: this.#wrapForFile(ring.rootKey, file.value) } : {}),
      keyring: wrapKeyring(ring, ids),
      cluster: { id, name: `vault-cluster-${id.slice(0, 8)}` },
    }
    barrier.open(ring)
    try {
      await prepare()
      await writeSealRecord(store, record)
    } catch (error) {
      barrier.seal()
      throw error
    }
    this.#record = record
    return succeed(sharing.shares)
  }

  /** Takes one share, as bytes; the barrier opens with the last one that is needed. */
  giveShare(share: Uint8Array): Result<{ readonly isOpen: boolean }> {
    const record = this.#record
    if (!record) return fail({ code: 'secret-store-uninitialised', message: 'Vault is not initialized' })
    if (!this.isSealed) return succeed({ isOpen: true })
    const fits = checkLength(share)
    if (!fits.ok) return fits
    const shares = this.#given.give(share, record.threshold)
    if (!shares) return succeed({ isOpen: false })
    const ring = this.#ringFrom(shares, record)
    if (!ring) return fail({ code: 'secret-unseal-failed', message: 'unseal failed, invalid key' })
    this.#parts.barrier.open(ring)
    return succeed({ isOpen: true })
  }

  forgetShares(): void {
    this.#given.clear()
  }

  /** Opens the barrier with the key file, where that is how the root key was kept; says why it could not. */
  openByFile(): Result<boolean> {
    const { keyFile, barrier } = this.#parts
    const record = this.#record
    if (!keyFile || !record?.byFile) return succeed(false)
    const keys = keyFile.read()
    if (!keys.ok) return keys
    for (const key of keys.value) {
      const rootKey = openEnvelope(key, Buffer.from(record.byFile, 'base64'), FILE_PLACE)
      const ring = rootKey && unwrapKeyring(record.keyring, rootKey)
      if (!ring) continue
      barrier.open(ring)
      return succeed(true)
    }
    return fail({
      code: 'secret-unseal-failed',
      message: 'cannot unseal the secret store: no key of its key file fits',
      cure: 'put the key file back that it was initialised with, or unseal it with its shares',
    })
  }

  seal(): void {
    this.#parts.barrier.seal()
    this.#given.clear()
    this.cancelRekey()
  }

  /** Adds a key to the ring, which is written with once the ring is durable. */
  rotate(): Promise<void> {
    const { barrier, clock, ids } = this.#parts
    // One after another: two rings that both follow the same one would not have each other's key.
    return this.#changes.run('', async () => {
      const ring = withNewKey(barrier.ring, ids, clock.now())
      await this.#write({ keyring: wrapKeyring(ring, ids) })
      // Somebody may have sealed it meanwhile; then it stays sealed.
      if (!barrier.isSealed) barrier.open(ring)
    })
  }

  /** Begins to replace the shares; those there are have to agree. */
  startRekey(wanted: SharePlan): Result<SharePlan> {
    const plan = checkSharePlan(wanted)
    if (!plan.ok) return plan
    if (this.#rekeyPlan) return fail({ code: 'secret-rekey-running', message: 'rekey already in progress' })
    this.#rekeyPlan = plan.value
    this.rekeying.begin()
    return plan
  }

  get rekeyPlan(): SharePlan | undefined {
    return this.#rekeyPlan
  }

  cancelRekey(): void {
    this.#rekeyPlan = undefined
    this.rekeying.clear()
  }

  /** Takes a share for the rekey; answers the new shares with the last one that is needed. */
  async giveRekeyShare(share: Uint8Array): Promise<Result<readonly Uint8Array[] | undefined>> {
    const { barrier } = this.#parts
    const [record, plan] = [this.#record, this.#rekeyPlan]
    if (!record || !plan) return fail({ code: 'secret-rekey-missing', message: 'no barrier rekey in progress' })
    const fits = checkLength(share)
    if (!fits.ok) return fits
    const nonce = this.rekeying.nonce
    const shares = this.rekeying.give(share, record.threshold)
    if (!shares) return succeed(undefined)
    const ring = this.#ringFrom(shares, record)
    if (!ring) {
      this.rekeying.begin(nonce)
      return fail({ code: 'secret-unseal-failed', message: 'rekey failed, invalid key' })
    }
    const sharing = this.#share(plan, barrier.ring)
    this.cancelRekey()
    await this.#changes.run('', () => this.#write({ ...plan, byShares: sharing.byShares }))
    return succeed(sharing.shares)
  }

  /** Whether some shares are those of this store. */
  doSharesFit(shares: readonly Uint8Array[]): boolean {
    const record = this.#record
    return record !== undefined && this.#ringFrom(shares, record) !== undefined
  }

  async #write(change: Partial<SealRecord>): Promise<void> {
    if (!this.#record) throw new Error('a store that is not initialised has no keys to change')
    const record: SealRecord = { ...this.#record, ...change }
    await writeSealRecord(this.#parts.store, record)
    this.#record = record
  }

  #ringFrom(shares: readonly Uint8Array[], { byShares, keyring, threshold }: SealRecord): Keyring | undefined {
    const [only] = shares
    const combined = threshold === 1 && only ? succeed(only) : combineShares(shares)
    if (!combined.ok || combined.value.length !== KEY_BYTES) return undefined
    const rootKey = openEnvelope(combined.value, Buffer.from(byShares, 'base64'), SHARES_PLACE)
    return rootKey && unwrapKeyring(keyring, rootKey)
  }

  #share({ shares, threshold }: SharePlan, { rootKey }: Keyring): { shares: readonly Uint8Array[]; byShares: string } {
    const { ids } = this.#parts
    const secret = ids.bytes(KEY_BYTES)
    const byShares = Buffer.from(closeEnvelope(secret, rootKey, SHARES_PLACE, ids)).toString('base64')
    return { byShares, shares: shares === 1 ? [secret] : splitSecret(secret, { shares, threshold }, ids) }
  }

  #wrapForFile(rootKey: Uint8Array, key: Uint8Array): string {
    return Buffer.from(closeEnvelope(key, rootKey, FILE_PLACE, this.#parts.ids)).toString('base64')
  }
}

function checkLength(share: Uint8Array): Result<void> {
  const message =
    share.length < SHORTEST_KEY
      ? `key is shorter than minimum ${SHORTEST_KEY} bytes`
      : share.length > LONGEST_KEY
        ? `key is longer than maximum ${LONGEST_KEY} bytes`
        : undefined
  return message === undefined ? succeed(undefined) : fail({ code: 'secret-share-invalid', message })
}
