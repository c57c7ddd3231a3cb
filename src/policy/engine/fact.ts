import type { Json } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'

/**
 * Something about the world that an evaluation must know and was not told. The shell fetches it, and evaluates again
 * with the answer: evaluation itself never reads anything.
 */
export type FactNeed =
  /** One object; null when there is none. A ConfigMap of a context is asked for like this too. */
  | {
      readonly what: 'object'
      readonly apiVersion: string
      readonly kind: string
      readonly namespace?: string
      readonly name: string
    }
  /** The objects of a kind, as an array; `kind` and `apiVersion` may hold wildcards. */
  | {
      readonly what: 'objects'
      readonly apiVersion: string
      readonly kind: string
      readonly namespace?: string
      /** A label selector as text, such as `app=a,tier in (b)`. */
      readonly selector?: string
    }
  /** One object of a collection that is named by its plural, as CEL policies ask for it; null when there is none. */
  | {
      readonly what: 'resource'
      readonly apiVersion: string
      readonly plural: string
      readonly namespace?: string
      readonly name: string
    }
  /** The objects of a collection that is named by its plural, as the list that the API answers: `{ items: [...] }`, each with apiVersion and kind. */
  | {
      readonly what: 'resources'
      readonly apiVersion: string
      readonly plural: string
      readonly namespace?: string
      /** A label selector as text. */
      readonly selector?: string
    }
  /** What creating an object answers, such as a SubjectAccessReview with its status. */
  | {
      readonly what: 'created'
      readonly apiVersion: string
      readonly plural: string
      readonly namespace?: string
      readonly body: Json
    }
  /** The plural of a kind, as text. */
  | { readonly what: 'plural'; readonly apiVersion: string; readonly kind: string }
  /** What the Kubernetes API answers to a raw request, such as `/api/v1/namespaces`. */
  | { readonly what: 'api-call'; readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: Json }
  /** What an HTTP service answers. */
  | {
      readonly what: 'service-call'
      readonly method: 'GET' | 'POST'
      readonly url: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: Json
      readonly caBundle?: string
    }
  /**
   * What an HTTP server answers, whatever its status, as CEL policies see it: an object that is the answer with its
   * `statusCode`; another answer, or one that is no JSON (null), is the `body` of such an object.
   */
  | {
      readonly what: 'http'
      readonly method: 'GET' | 'POST'
      readonly url: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: Json
      readonly caBundle?: string
    }
  /** The data of a GlobalContextEntry, or of one projection of it. */
  | { readonly what: 'global-context'; readonly name: string; readonly projection?: string }
  /** What a registry says of an image. */
  | { readonly what: 'image'; readonly reference: string }
  /** The addresses of a host name. */
  | { readonly what: 'host'; readonly name: string }
  /** Whether somebody may do something; true or false. */
  | {
      readonly what: 'access'
      readonly user: string
      readonly groups: readonly string[]
      readonly attributes: Readonly<Record<string, string>>
    }

/** What was found out, by the key of the need. A failed answer is an answer: it says why there is no value. */
export type Facts = ReadonlyMap<string, Result<Json>>

/** Nothing is known yet. */
export const noFacts: Facts = new Map()

/** The same need has the same key, whatever the order in which its fields were written. */
export function keyOfNeed(need: FactNeed): string {
  return JSON.stringify(need, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Collects what was asked for in vain, each need once. */
export class Needs {
  private readonly byKey = new Map<string, FactNeed>()

  /** The answer, or undefined after the need was written down. */
  lookUp(facts: Facts, need: FactNeed): Result<Json> | undefined {
    const key = keyOfNeed(need)
    const known = facts.get(key)
    if (!known) this.byKey.set(key, need)
    return known
  }

  get all(): readonly FactNeed[] {
    return [...this.byKey.values()]
  }
}
