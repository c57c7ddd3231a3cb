import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import { explain, fail, type Result, succeed } from '../../lib/result.ts'
import type { Store } from '../../store/store.ts'
import { type ToldChangeFeed, changeFeed } from '../change-feed.ts'
import { type HttpRequest, readRequest } from '../http/read-request.ts'
import { type Answer, refusalAnswer } from './answer.ts'
import { Barrier, SealedError } from './barrier.ts'
import type { Call } from './call.ts'
import { Engine } from './engine.ts'
import type { TokenReviewer } from './login/kubernetes.ts'
import { unsealFile } from './seal/key-file.ts'
import { RootGeneration } from './seal/root-generation.ts'
import type { SharePlan } from './seal/seal-record.ts'
import { SealState } from './seal/seal-state.ts'
import type { StoreMetrics } from './store-metrics.ts'
import { answerUnsealed } from './system/seal-paths.ts'
import { randomText } from './token/token-store.ts'

/** What a secret store is opened with. */
export interface SecretStoreOptions {
  /**
   * Where everything lies, encrypted; nobody else may write there. Who opened it forgets its history, which holds what was
   * destroyed, encrypted as it was, and closes it.
   */
  readonly store: Store<Uint8Array>
  /**
   * A file with the key that unseals the store when it is opened; `init` makes it, with mode 0600. Without one it opens
   * with its shares only.
   */
  readonly keyFile?: string
  /** The only folder that audit logs may lie in; without it there can be none in files. */
  readonly auditFolder?: string
  /** Asks the cluster whose token somebody logs in with. */
  readonly reviewToken?: TokenReviewer
  /** Who is told of changes; made where it is not given. */
  readonly changes?: ToldChangeFeed
  readonly metrics?: StoreMetrics
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
}

/** What `init` hands out, once. */
export interface Initialised {
  /** The shares, any threshold of which unseal the store. */
  readonly keys: readonly Uint8Array[]
  readonly rootToken: string
}

/** A token for one request, which may have to wait. */
const REQUEST_SECONDS = 60
const USUAL_PLAN: SharePlan = { shares: 5, threshold: 3 }

/** A secret store that speaks Vault's API. */
export class SecretStore {
  readonly changes: ToldChangeFeed
  readonly #options: SecretStoreOptions
  readonly #barrier: Barrier
  readonly #seal: SealState
  readonly #roots: RootGeneration
  #engine: Engine | undefined
  #opening: Promise<void> | undefined
  #sealAsked = false

  private constructor(options: SecretStoreOptions) {
    const { store, ids, clock, keyFile, log } = options
    this.#options = options
    this.changes = options.changes ?? changeFeed((error) => log.error('a listener to the secret store failed', error))
    this.#barrier = new Barrier(store, ids)
    this.#seal = new SealState({
      store,
      barrier: this.#barrier,
      clock,
      ids,
      ...(keyFile === undefined ? {} : { keyFile: unsealFile(keyFile) }),
    })
    this.#roots = new RootGeneration({
      seal: this.#seal,
      ids,
      letters: (length) => randomText(length, ids),
      makeToken: async () => {
        if (!this.#engine) throw new SealedError()
        return (await this.#engine.rootToken('root')).text
      },
    })
  }

  /** Opens a store; one that has been initialised with a key file is unsealed with it. */
  static async open(options: SecretStoreOptions): Promise<SecretStore> {
    const store = new SecretStore(options)
    const opened = store.#seal.openByFile()
    if (!opened.ok) options.log.warn('the secret store stays sealed', { because: opened.error.map(explain).join('; ') })
    else if (opened.value) await store.#openEngine()
    options.metrics?.isOpen(!store.isSealed)
    return store
  }

  get isInitialised(): boolean {
    return this.#seal.isInitialised
  }

  get isSealed(): boolean {
    return this.#seal.isSealed
  }

  /** Makes the keys of a new store. With a key file it is open afterwards, otherwise it waits for its shares. */
  async init(plan: SharePlan = USUAL_PLAN): Promise<Result<Initialised>> {
    if (this.#opening) return fail({ code: 'secret-store-initialised', message: 'Vault is already initialized' })
    let rootToken = ''
    const prepare = async (): Promise<void> => {
      // What a crash left of an attempt that did not come to its end could not be read any more.
      await this.#clear()
      const engine = await Engine.open(this.#engineParts())
      const { text } = await engine.rootToken('root')
      rootToken = text
      await engine.close()
    }
    const initialising = this.#seal.init(plan, prepare)
    this.#opening = initialising.then(
      () => undefined,
      () => undefined,
    )
    let keys: Awaited<typeof initialising>
    try {
      keys = await initialising
    } finally {
      this.#opening = undefined
    }
    if (!keys.ok) return keys
    if (this.#options.keyFile === undefined) this.#seal.seal()
    else await this.#openEngine()
    this.#options.log.info('initialised the secret store', { ...plan })
    return succeed({ keys: keys.value, rootToken })
  }

  /** Takes one share; tells whether the store is open now. */
  async unseal(share: Uint8Array): Promise<Result<{ readonly isOpen: boolean }>> {
    await this.#opening
    const given = this.#seal.giveShare(share)
    if (given.ok && given.value.isOpen) await this.#openEngine()
    return given
  }

  /** Forgets every key: nothing can be read any more before it is unsealed. */
  async seal(): Promise<void> {
    await this.#opening
    if (this.#seal.isSealed) return
    const engine = this.#engine
    this.#engine = undefined
    this.#seal.seal()
    this.#roots.cancel()
    await engine?.close()
    this.#options.metrics?.isOpen(false)
    this.changes.tell({ what: 'sealed' })
    this.#options.log.info('sealed the secret store')
  }

  /** A token that may do everything, for whoever runs this process. */
  async adminToken(displayName: string, ttlSeconds: number): Promise<Result<string>> {
    await this.#opening
    if (!this.#engine) return fail({ code: 'secret-store-sealed', message: 'the secret store is sealed' })
    const { text } = await this.#engine.rootToken(displayName, ttlSeconds)
    return succeed(text)
  }

  /** Answers a request of whoever runs this process, who may do everything; the token that is made for it ends with it. */
  async handleAs(displayName: string, request: HttpRequest): Promise<Answer> {
    await this.#opening
    const engine = this.#engine
    // What needs no token can be asked for while there can be none.
    if (!engine) return this.handle(request)
    const { text, token } = engine.passingRootToken(displayName, REQUEST_SECONDS)
    try {
      return await this.handle({ ...request, headers: { ...request.headers, 'x-vault-token': text } })
    } finally {
      if (this.#engine === engine) await engine.tokens.revoke(token.hash)
    }
  }

  /** Answers a request. Never rejects: what nobody expected is logged and answered as such. */
  async handle(request: HttpRequest): Promise<Answer> {
    const { ids, clock, log, metrics } = this.#options
    const began = clock.now()
    const read = readRequest(request, ids.uid())
    if (!read.ok) return refusalAnswer(read.error)
    const call = read.value
    let answer: Answer
    try {
      answer = await this.#answer(call)
    } catch (error) {
      if (error instanceof SealedError) answer = SEALED
      else {
        log.error('a request to the secret store failed', error, { operation: call.operation })
        answer = refusalAnswer({ status: 500, errors: ['internal error'] })
      }
    }
    metrics?.answered(call.operation, answer.status, clock.now() - began)
    return answer
  }

  async close(): Promise<void> {
    await this.#opening
    await this.#engine?.close()
    this.#engine = undefined
  }

  async #answer(call: Call): Promise<Answer> {
    if (this.#opening) await this.#opening
    const parts = { seal: this.#seal, store: this, roots: this.#roots, nowMs: () => this.#options.clock.now() }
    const answered = answerUnsealed(call, parts)
    if (answered) return answered
    const engine = this.#engine
    if (!engine) return SEALED
    const answer = await engine.handle(call)
    if (this.#sealAsked) {
      this.#sealAsked = false
      await this.seal()
    }
    return answer
  }

  #openEngine(): Promise<void> {
    if (this.#engine) return Promise.resolve()
    this.#opening ??= Engine.open(this.#engineParts())
      .then(
        (engine) => {
          this.#engine = engine
          this.#options.metrics?.isOpen(true)
          this.changes.tell({ what: 'unsealed' })
        },
        (error: unknown) => {
          this.#seal.seal()
          throw error
        },
      )
      .finally(() => {
        this.#opening = undefined
      })
    return this.#opening
  }

  #engineParts(): Parameters<typeof Engine.open>[0] {
    const { clock, ids, log, auditFolder, reviewToken } = this.#options
    return {
      barrier: this.#barrier,
      seal: this.#seal,
      clock,
      ids,
      log,
      changes: this.changes,
      ...(auditFolder === undefined ? {} : { auditFolder }),
      ...(reviewToken ? { reviewToken } : {}),
      sealSoon: () => {
        this.#sealAsked = true
      },
    }
  }

  async #clear(): Promise<void> {
    const { store } = this.#options
    const all = store.range('')
    if (!all.ok) throw new Error(`cannot read the store: ${all.because}`)
    await Promise.all(all.entries.map(({ key }) => store.delete(key, () => new Uint8Array(0), 'any')))
  }
}

const SEALED: Answer = refusalAnswer({ status: 503, errors: ['Vault is sealed'] })

/** Opens a secret store over a durable store; see `SecretStore`. */
export const openSecretStore = (options: SecretStoreOptions): Promise<SecretStore> => SecretStore.open(options)
