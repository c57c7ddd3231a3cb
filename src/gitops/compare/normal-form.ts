import type { GroupVersionKind } from '../../kube/gvk.ts'
import { applyBuiltinDefaults } from '../../kube/builtin/defaults.ts'
import type { KubeObject } from '../../kube/object.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import { applyDefaults } from '../../kube/schema/default.ts'
import { prune } from '../../kube/schema/prune.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { withoutZeroes } from './zeroes.ts'

/** What is known of a kind: its type, and whether Kubernetes itself serves it. */
export interface KindFacts {
  readonly schema: Schema
  readonly isBuiltin: boolean
}

/** Looks a kind up; undefined for one that nobody describes. */
export type KindFactsOf = (kind: GroupVersionKind) => KindFacts | undefined

/**
 * An object as its API server would read it: unknown fields dropped, quantities and times written one way, empty and zero
 * values left out. One that cannot be read stays as it is: the API server will say why.
 */
export function asRead(object: KubeObject, facts: KindFacts | undefined): KubeObject {
  if (!facts) return object
  if (!facts.isBuiltin) return prune(object, facts.schema, { isRoot: true }).value
  const decoded = decodeBuiltin(object, facts.schema)
  return decoded.ok ? withoutZeroes(decoded.value.value, facts.schema) : object
}

/** An object that was read, with the defaults of its kind. */
export function asKept(object: KubeObject, facts: KindFacts | undefined): KubeObject {
  if (!facts) return object
  if (!facts.isBuiltin) return applyDefaults(object, facts.schema)
  // Defaults may bring zeroes and empty lists of their own.
  return asRead(applyBuiltinDefaults(object, facts.schema), facts)
}
