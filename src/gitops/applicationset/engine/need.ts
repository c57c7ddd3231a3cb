import { isObject } from '../../../lib/json.ts'
import type { Result } from '../../../lib/result.ts'

/** Something outside that a generator has to know. The shell fetches it; the answer may be a problem. */
export type Need =
  | { readonly need: 'clusters' }
  | { readonly need: 'git-directories'; readonly repoURL: string; readonly revision: string; readonly project: string }
  | {
      readonly need: 'git-files'
      readonly repoURL: string
      readonly revision: string
      readonly project: string
      readonly pattern: string
    }
  | { readonly need: 'config-map'; readonly name: string }
  /** Whether a Secret is there; what it holds stays outside. */
  | { readonly need: 'secret'; readonly name: string }
  /** Whether an AppProject is there. */
  | { readonly need: 'project'; readonly name: string }
  | {
      readonly need: 'decisions'
      readonly group: string
      readonly version: string
      readonly plural: string
      /** One object by name, or every object that a selector matches. */
      readonly name?: string
      readonly labelSelector?: string
    }
  | {
      readonly need: 'plugin'
      readonly configMap: string
      readonly applicationSet: string
      readonly parameters: Readonly<Record<string, unknown>>
    }
  | HttpNeed

/** A page of a REST API. */
export interface HttpNeed {
  readonly need: 'http'
  readonly service: 'github' | 'gitlab' | 'gitea'
  readonly url: string
  readonly token?: SecretRef
  /** The Secret of a GitHub App to act as. */
  readonly appSecret?: string
  readonly isInsecure?: boolean
  readonly ca?: { readonly configMap: string; readonly key: string }
}

export interface SecretRef {
  readonly secret: string
  readonly key: string
}

/** A cluster as its Secret describes it; credentials stay out. */
export interface ClusterFact {
  readonly name: string
  readonly server: string
  /** Undefined where the Secret has no such key. */
  readonly project?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** What an HTTP need is answered with. `next` is the page of `Link: rel="next"` or `X-Next-Page`, as a URL. */
export interface HttpPage {
  readonly status: number
  readonly body: unknown
  readonly next?: string
}

/** The answers to needs, by `needKey`. */
export type Facts = ReadonlyMap<string, Result<unknown>>

/** The same for the same need, however its fields are ordered. */
export const needKey = (need: Need): string => JSON.stringify(inOrder(need, 0))

function inOrder(value: unknown, depth: number): unknown {
  if (depth > 100) return null
  if (Array.isArray(value)) return value.map((item) => inOrder(item, depth + 1))
  if (!isObject(value)) return value
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, inOrder(item, depth + 1)])
}

/** Asks for facts, and remembers what is not known yet. */
export interface Lookup {
  /** Undefined means: not known yet, come again. */
  ask(need: Need): Result<unknown> | undefined
}

/** A lookup over known facts; `missing` fills with what was asked for and is not there. */
export function lookupIn(facts: Facts): Lookup & { readonly missing: ReadonlyMap<string, Need> } {
  const missing = new Map<string, Need>()
  return {
    missing,
    ask(need) {
      const key = needKey(need)
      const known = facts.get(key)
      if (!known) missing.set(key, need)
      return known
    },
  }
}

/** What a generator gives: a result, or undefined while facts are missing. */
export type Outcome<T> = Result<T> | undefined
