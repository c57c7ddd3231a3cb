import { createHmac } from 'node:crypto'
import type { Clock } from '../../../lib/clock.ts'
import type { Ids } from '../../../lib/ids.ts'
import type { Log } from '../../../lib/log.ts'
import type { View } from '../barrier.ts'
import { Expiries } from './expiries.ts'
import { leaseOf, type Token } from './token.ts'

/** What a token is to be; the store adds its hash and accessor. */
export type TokenWish = Omit<Token, 'hash' | 'accessor'>

export interface TokenStoreParts {
  readonly view: View
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** What belongs to a token and ends with it. */
  readonly onRevoked: (token: Token) => Promise<void>
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const TOKEN_LETTERS = 28
const ACCESSOR_LETTERS = 24

/** Letters and digits by chance, none more likely than another. */
export function randomText(length: number, ids: Pick<Ids, 'bytes'>): string {
  let text = ''
  const usable = 256 - (256 % LETTERS.length)
  while (text.length < length) {
    for (const byte of ids.bytes(length)) {
      if (byte < usable && text.length < length) text += LETTERS[byte % LETTERS.length] ?? ''
    }
  }
  return text
}

/**
 * Every token there is. They are all in memory, by hash: what a token is never has to be looked for, and one that is not
 * there is told apart by its hash alone, which says nothing about those that are.
 */
export class TokenStore {
  readonly #parts: TokenStoreParts
  readonly #salt: Buffer
  readonly #tokens = new Map<string, Token>()
  readonly #byAccessor = new Map<string, string>()
  readonly #children = new Map<string, Set<string>>()
  readonly #expiries: Expiries

  private constructor(parts: TokenStoreParts, salt: Buffer) {
    this.#parts = parts
    this.#salt = salt
    this.#expiries = new Expiries(parts.clock, (hash) => this.#onDue(hash))
  }

  /** Reads every token; those that ended meanwhile end now. */
  static async open(parts: TokenStoreParts): Promise<TokenStore> {
    const { view, ids } = parts
    const kept = view.get('salt')
    const salt = typeof kept === 'string' ? kept : Buffer.from(ids.bytes(32)).toString('base64')
    if (kept === undefined) await view.put('salt', salt)
    const tokens = new TokenStore(parts, Buffer.from(salt, 'base64'))
    for (const hash of view.keysBelow('id/')) {
      tokens.#keep(view.get(`id/${hash}`) as Token) // what create wrote
    }
    // What a crash left: tokens whose last use was under way, and children that were made while their parent went.
    const left = [...tokens.#tokens.values()].filter(
      ({ uses, parent }) => uses < 0 || (parent !== '' && !tokens.#tokens.has(parent)),
    )
    await Promise.all(left.map(({ hash }) => tokens.revoke(hash)))
    return tokens
  }

  close(): void {
    this.#expiries.clear()
  }

  get size(): number {
    return this.#tokens.size
  }

  hashOf(text: string): string {
    return createHmac('sha256', this.#salt).update(text).digest('hex')
  }

  /** The token that a client sent, as long as it may be used. */
  byText(text: string): Token | undefined {
    return this.byHash(this.hashOf(text))
  }

  byHash(hash: string): Token | undefined {
    const token = this.#tokens.get(hash)
    return token && !this.#isOver(token) ? token : undefined
  }

  byAccessor(accessor: string): Token | undefined {
    const hash = this.#byAccessor.get(accessor)
    return hash === undefined ? undefined : this.byHash(hash)
  }

  byLease(lease: string): Token | undefined {
    const token = this.byHash(lease.slice(lease.lastIndexOf('/') + 2))
    return token && leaseOf(token) === lease ? token : undefined
  }

  accessors(): readonly string[] {
    return [...this.#byAccessor.keys()]
  }

  /** Every token that has an end, for listing leases. */
  *leased(): Iterable<Token> {
    for (const token of this.#tokens.values()) if (token.expiresMs > 0 && !this.#isOver(token)) yield token
  }

  /** Makes a token; `text` is what the client gets, and the only time that it is known. */
  async create(wish: TokenWish, wanted?: string): Promise<{ readonly text: string; readonly token: Token }> {
    const { ids } = this.#parts
    const text = wanted ?? `hvs.${randomText(TOKEN_LETTERS, ids)}`
    const token: Token = { ...wish, hash: this.hashOf(text), accessor: randomText(ACCESSOR_LETTERS, ids) }
    await this.#parts.view.put(`id/${token.hash}`, token)
    // The parent may have gone while this was being written: then it goes as well.
    if (token.parent !== '' && !this.#tokens.has(token.parent)) {
      await this.#parts.view.delete(`id/${token.hash}`)
      return { text, token }
    }
    this.#keep(token)
    return { text, token }
  }

  /** Makes a token that lives in memory only, for as long as somebody in this process needs it. */
  createPassing(wish: TokenWish): { readonly text: string; readonly token: Token } {
    const { ids } = this.#parts
    const text = `hvs.${randomText(TOKEN_LETTERS, ids)}`
    const token: Token = { ...wish, hash: this.hashOf(text), accessor: randomText(ACCESSOR_LETTERS, ids) }
    this.#keep(token)
    return { text, token }
  }

  /** Counts one use of a token that has a number of them; the last one has to end with its revocation. */
  async use(token: Token): Promise<Token> {
    if (token.uses <= 0) return token
    const used: Token = { ...token, uses: token.uses === 1 ? -1 : token.uses - 1 }
    // At once, so that two requests cannot share one use.
    this.#tokens.set(token.hash, used)
    await this.#write(used)
    return used
  }

  /** Changes a token as it is at this moment; answers what it is then, or nothing when it has gone. */
  async change(hash: string, by: (token: Token) => Token): Promise<Token | undefined> {
    const token = this.#tokens.get(hash)
    if (!token) return undefined
    const changed = by(token)
    // At once, so that a use that is counted meanwhile counts on top of it.
    this.#keep(changed)
    await this.#write(changed)
    return changed
  }

  /** What was revoked while it was being written must not come back with the next start. */
  async #write(token: Token): Promise<void> {
    await this.#parts.view.put(`id/${token.hash}`, token)
    if (!this.#tokens.has(token.hash)) await this.#parts.view.delete(`id/${token.hash}`)
  }

  /** Ends a token and everything that it made. Children go first, so that a crash leaves none without its parent. */
  async revoke(hash: string): Promise<void> {
    const order: string[] = []
    const open = [hash]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      order.push(next)
      for (const child of this.#children.get(next) ?? []) open.push(child)
    }
    const over = order.toReversed().flatMap((one) => this.#tokens.get(one) ?? [])
    for (const token of over) this.#forget(token)
    await Promise.all(
      over.map(async (token) => {
        await Promise.all([this.#parts.onRevoked(token), this.#parts.view.delete(`id/${token.hash}`)])
      }),
    )
  }

  /** Ends a token; what it made goes on without a parent. */
  async revokeAlone(hash: string): Promise<void> {
    const children = [...(this.#children.get(hash) ?? [])].flatMap((one) => this.#tokens.get(one) ?? [])
    for (const child of children) {
      this.#forget(child)
      this.#keep({ ...child, parent: '' })
    }
    await Promise.all(children.map((child) => this.#parts.view.put(`id/${child.hash}`, { ...child, parent: '' })))
    await this.revoke(hash)
  }

  /** Ends every token that was made below a path. */
  async revokeBelow(prefix: string): Promise<void> {
    const over = [...this.#tokens.values()].filter((token) => `${token.path}/`.startsWith(prefix))
    await Promise.all(over.map(({ hash }) => this.revoke(hash)))
  }

  #isOver({ uses, expiresMs }: Token): boolean {
    return uses < 0 || (expiresMs > 0 && expiresMs <= this.#parts.clock.now())
  }

  #keep(token: Token): void {
    this.#tokens.set(token.hash, token)
    this.#byAccessor.set(token.accessor, token.hash)
    if (token.parent !== '') {
      const siblings = this.#children.get(token.parent) ?? new Set()
      this.#children.set(token.parent, siblings.add(token.hash))
    }
    if (token.expiresMs > 0) this.#expiries.add(token.hash, token.expiresMs)
  }

  #forget(token: Token): void {
    this.#tokens.delete(token.hash)
    this.#byAccessor.delete(token.accessor)
    const siblings = this.#children.get(token.parent)
    siblings?.delete(token.hash)
    if (siblings?.size === 0) this.#children.delete(token.parent)
  }

  #onDue(hash: string): void {
    const token = this.#tokens.get(hash)
    if (!token || !this.#isOver(token)) return
    this.revoke(hash).catch((error: unknown) => {
      // It is no longer accepted in any case; what is left on disk ends with the next start.
      this.#parts.log.error('an expired token of the secret store could not be removed', error)
    })
  }
}
