import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { CompiledPolicy, PolicyFamily } from '../engine/compiled-policy.ts'
import { PolicySet } from '../engine/policy-set.ts'
import { cleanupKinds, exceptionKinds, policyKinds } from './policy-kinds.ts'
import type { PolicySource } from './policy-source.ts'

/** The policies of a cluster at one moment. It never changes: a change makes a new one. */
export interface Catalog {
  readonly set: PolicySet
  /** Those that delete on a schedule; they are asked by nobody else. */
  readonly cleanup: PolicySet
  readonly exceptions: readonly KubeObject[]
  /** Policies that cannot be read, and why. */
  readonly refused: readonly { readonly policy: KubeObject; readonly problems: readonly Problem[] }[]
  /** Goes up with every catalog. */
  readonly generation: number
}

interface Remembered {
  readonly fingerprint: string
  readonly compiled: Result<CompiledPolicy>
}

/** Keeps the compiled policies of a cluster. Looking is cheap while nothing has changed. */
export class PolicyCatalog {
  readonly #source: PolicySource
  readonly #families: readonly PolicyFamily[]
  #seen: readonly (readonly KubeObject[])[] = []
  #remembered = new Map<string, Remembered>()
  #catalog: Catalog = {
    set: new PolicySet([]),
    cleanup: new PolicySet([]),
    exceptions: [],
    refused: [],
    generation: 0,
  }

  constructor(source: PolicySource, families: readonly PolicyFamily[]) {
    this.#source = source
    this.#families = families
  }

  /** The family that reads an object, if it is a policy. */
  familyOf(object: { readonly apiVersion: string; readonly kind: string }): PolicyFamily | undefined {
    return this.#families.find((family) => family.reads(object))
  }

  /** The policies as they are now. */
  current(): Catalog {
    const kinds = [...policyKinds, ...cleanupKinds, ...exceptionKinds]
    const lists = kinds.map(({ group, plural }) => this.#source.list(group, plural))
    if (lists.length === this.#seen.length && lists.every((list, at) => list === this.#seen[at])) return this.#catalog
    this.#seen = lists
    this.#catalog = this.#build(lists)
    return this.#catalog
  }

  #build(lists: readonly (readonly KubeObject[])[]): Catalog {
    const before = this.#remembered
    this.#remembered = new Map()
    const compiled: CompiledPolicy[] = []
    const cleanup: CompiledPolicy[] = []
    const refused: { readonly policy: KubeObject; readonly problems: readonly Problem[] }[] = []
    const policies = lists.slice(0, policyKinds.length + cleanupKinds.length).flat()
    for (const policy of policies) {
      if (policy.metadata.deletionTimestamp !== undefined) continue
      const result = this.#compile(policy, before)
      if (!result) continue
      if (!result.ok) refused.push({ policy, problems: result.error })
      else if (result.value.phases.has('delete')) cleanup.push(result.value)
      else compiled.push(isNative(policy) ? leftToServer(result.value) : result.value)
    }
    return {
      set: new PolicySet(compiled),
      cleanup: new PolicySet(cleanup),
      exceptions: lists.slice(policyKinds.length + cleanupKinds.length).flat(),
      refused,
      generation: this.#catalog.generation + 1,
    }
  }

  /** Compiles a policy unless it is the one that was compiled before: its status does not count. */
  #compile(policy: KubeObject, before: ReadonlyMap<string, Remembered>): Result<CompiledPolicy> | undefined {
    const { uid = '', generation, labels, annotations, name } = policy.metadata
    const key = uid === '' ? `${policy.kind}/${policy.metadata.namespace ?? ''}/${name ?? ''}` : uid
    const fingerprint = JSON.stringify([generation, labels, annotations, policy.apiVersion, uid ? 0 : policy['spec']])
    const known = before.get(key)
    if (known?.fingerprint === fingerprint) {
      this.#remembered.set(key, known)
      return known.compiled
    }
    const made = this.familyOf(policy)?.compile(policy)
    if (made) this.#remembered.set(key, { fingerprint, compiled: made })
    return made
  }
}

const flag = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

/** Tells whether the API server judges by an admission policy that was made of this one. */
const isNative = ({ status }: KubeObject): boolean =>
  flag(status, 'generated') === true || flag(flag(status, 'validatingadmissionpolicy'), 'generated') === true

/** A policy that requests are not held against twice; scans still ask it. */
const leftToServer = (policy: CompiledPolicy): CompiledPolicy => ({
  ...policy,
  evaluate: (phase, request, world) => policy.evaluate(phase, request, world),
  isAdmission: false,
})
