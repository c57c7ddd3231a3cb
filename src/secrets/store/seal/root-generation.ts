import type { Ids } from '../../../lib/ids.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { SealState } from './seal-state.ts'
import { ShareCollection } from './share-collection.ts'

interface RootGenerationParts {
  readonly seal: SealState
  readonly ids: Ids
  readonly letters: (length: number) => string
  readonly makeToken: () => Promise<string>
}

/** As long as the tokens of this store. */
export const OTP_LENGTH: number = 32

/** A new root token for whoever holds enough shares. It is handed out hidden behind a one-time password, so that it may be seen. */
export class RootGeneration {
  readonly #parts: RootGenerationParts
  readonly shares: ShareCollection
  #otp = ''

  constructor(parts: RootGenerationParts) {
    this.#parts = parts
    this.shares = new ShareCollection(parts.ids)
  }

  get isStarted(): boolean {
    return this.#otp !== ''
  }

  /** Begins, with a one-time password that somebody brings, or with a new one, which is answered. */
  start(given: string): Result<string> {
    if (this.isStarted) return fail({ code: 'secret-root-running', message: 'root generation already in progress' })
    if (given !== '' && given.length !== OTP_LENGTH) {
      return fail({ code: 'secret-otp-invalid', message: `the one-time password has ${OTP_LENGTH} characters` })
    }
    this.#otp = given === '' ? this.#parts.letters(OTP_LENGTH) : given
    this.shares.begin()
    return succeed(given === '' ? this.#otp : '')
  }

  cancel(): void {
    this.#otp = ''
    this.shares.clear()
  }

  /** Takes a share; with the last one that is needed it answers the token, hidden. */
  async give(share: Uint8Array): Promise<Result<string | undefined>> {
    const { nonce } = this.shares
    const shares = this.shares.give(share, this.#parts.seal.record?.threshold ?? 0)
    if (!shares) return succeed(undefined)
    if (!this.#parts.seal.doSharesFit(shares)) {
      this.shares.begin(nonce)
      return fail({ code: 'secret-unseal-failed', message: 'root generation failed, invalid key' })
    }
    const otp = Buffer.from(this.#otp)
    this.cancel()
    const token = Buffer.from(await this.#parts.makeToken())
    const hidden = Buffer.from(token.map((byte, at) => byte ^ (otp[at] ?? 0)))
    return succeed(hidden.toString('base64').replace(/=+$/, ''))
  }
}
