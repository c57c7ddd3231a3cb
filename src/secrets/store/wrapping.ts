import type { Clock } from '../../lib/clock.ts'
import type { View } from './barrier.ts'
import type { WrapInfo } from './logical.ts'
import { timeText } from './time-text.ts'
import type { Token } from './token/token.ts'
import type { TokenStore } from './token/token-store.ts'

interface WrappingParts {
  readonly tokens: TokenStore
  readonly clock: Pick<Clock, 'now'>
  /** What belongs to one token, and ends with it. */
  readonly cubbyhole: (hash: string) => View
}

/** What is known of a wrapped answer without opening it. */
export interface WrapFacts {
  readonly creationPath: string
  readonly createdMs: number
  readonly ttlSeconds: number
  readonly wrappedAccessor?: string
}

const POLICY = 'response-wrapping'

/** Answers that wait for whoever has a token, which opens them once. */
export class Wrapping {
  readonly #parts: WrappingParts

  constructor(parts: WrappingParts) {
    this.#parts = parts
  }

  /** Puts an answer away, as JSON text; an empty text is an answer without a body. */
  async wrap(json: string, path: string, ttlSeconds: number, wrappedAccessor?: string): Promise<WrapInfo> {
    const { tokens, clock, cubbyhole } = this.#parts
    const nowMs = clock.now()
    const { text, token } = await tokens.create({
      parent: '',
      policies: [POLICY],
      path,
      meta: {},
      displayName: '',
      uses: 1,
      ttlSeconds,
      createdMs: nowMs,
      expiresMs: nowMs + ttlSeconds * 1_000,
      periodSeconds: 0,
      explicitMaxSeconds: ttlSeconds,
      maxSeconds: 0,
      role: '',
      renewable: false,
      entityId: '',
      boundCidrs: [],
    })
    const view = cubbyhole(token.hash)
    const facts: WrapFacts = {
      creationPath: path,
      createdMs: nowMs,
      ttlSeconds,
      ...(wrappedAccessor === undefined ? {} : { wrappedAccessor }),
    }
    // Whoever has the token gets it only after this.
    await Promise.all([view.put('response', { response: json }), view.put('wrapinfo', facts)])
    return {
      token: text,
      accessor: token.accessor,
      ttl: ttlSeconds,
      creation_time: timeText(nowMs),
      creation_path: path,
      ...(wrappedAccessor === undefined ? {} : { wrapped_accessor: wrappedAccessor }),
    }
  }

  /** The token of a wrapped answer, when it is one that has not been opened. */
  find(text: string): Token | undefined {
    const token = this.#parts.tokens.byText(text)
    return token && isWrapping(token) ? token : undefined
  }

  facts(token: Token): WrapFacts | undefined {
    return this.#parts.cubbyhole(token.hash).get('wrapinfo') as WrapFacts | undefined // what wrap wrote
  }

  /** Takes the answer out. It can be had once: the token is gone before the answer is handed over. */
  async open(token: Token): Promise<string | undefined> {
    const kept = this.#parts.cubbyhole(token.hash).get('response') as { readonly response: string } | undefined
    await this.#parts.tokens.revoke(token.hash)
    return kept?.response
  }
}

export const isWrapping = ({ policies }: Pick<Token, 'policies'>): boolean =>
  policies.length === 1 && policies[0] === POLICY
