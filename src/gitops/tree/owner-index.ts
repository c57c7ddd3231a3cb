import { isObject } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { keyText } from '../compare/comparison.ts'
import { keyOf } from '../compare/tracking.ts'
import { asObjects, at, textAt } from '../health/reading.ts'

/** Tells what an object owns. */
export interface Ownership {
  childrenOf(owner: KubeObject): readonly KubeObject[]
}

/**
 * Who owns what among the objects of a cluster, kept up to date object by object, so that a tree costs what is in it and not
 * what is in the cluster. Owners are known by uid; a few by name, where Kubernetes leaves no reference
 * (gitops-engine pkg/cache/references.go).
 */
export class OwnerIndex implements Ownership {
  readonly #objects = new Map<string, KubeObject>()
  /** Keys of children by what their owner is known by. */
  readonly #children = new Map<string, Set<string>>()
  /** Keys of claims by namespace: those of a StatefulSet are known by their names. */
  readonly #claims = new Map<string, Set<string>>()
  /** Keys of StatefulSets by namespace. */
  readonly #sets = new Map<string, Set<string>>()
  readonly #byUid = new Map<string, string>()
  readonly #byNamespace = new Map<string, Set<string>>()

  /** Adds an object, or replaces what was known of it. */
  set(object: KubeObject): void {
    const key = keyText(keyOf(object))
    const before = this.#objects.get(key)
    if (before === object) return
    if (before) this.#forget(key, before)
    this.#objects.set(key, object)
    const { namespace = '', uid } = object.metadata
    if (uid !== undefined) this.#byUid.set(uid, key)
    add(this.#byNamespace, namespace, key)
    for (const owner of ownersOf(object)) add(this.#children, owner, key)
    if (isClaim(object)) add(this.#claims, namespace, key)
    if (object.kind === 'StatefulSet') add(this.#sets, namespace, key)
  }

  /** Forgets an object that is gone. */
  delete(object: KubeObject): void {
    const key = keyText(keyOf(object))
    const known = this.#objects.get(key)
    if (!known) return
    this.#objects.delete(key)
    this.#forget(key, known)
  }

  /** The object with a key, as last seen. */
  get(key: string): KubeObject | undefined {
    return this.#objects.get(key)
  }

  get size(): number {
    return this.#objects.size
  }

  /** What an object owns, by kind and name. */
  childrenOf(owner: KubeObject): readonly KubeObject[] {
    const keys = new Set<string>()
    for (const name of namesOf(owner)) for (const key of this.#children.get(name) ?? []) keys.add(key)
    for (const key of this.#claimsOf(owner)) keys.add(key)
    return sorted([...keys].flatMap((key) => this.#objects.get(key) ?? []))
  }

  /** Tells whether an object has an owner that is known here. */
  hasOwner(object: KubeObject): boolean {
    if (
      ownersOf(object).some((owner) =>
        owner.startsWith('uid ') ? this.#byUid.has(owner.slice(4)) : this.#objects.has(owner),
      )
    ) {
      return true
    }
    return isClaim(object) && this.#setOf(object)
  }

  /** The objects of a namespace that nobody owns, by kind and name. */
  topLevel(namespace: string): readonly KubeObject[] {
    const objects = [...(this.#byNamespace.get(namespace) ?? [])].flatMap((key) => this.#objects.get(key) ?? [])
    return sorted(objects.filter((object) => !this.hasOwner(object)))
  }

  #claimsOf(owner: KubeObject): readonly string[] {
    if (owner.kind !== 'StatefulSet') return []
    const prefixes = asObjects(at(owner, 'spec.volumeClaimTemplates')).map(
      (template) => `${textAt(template, 'metadata.name') ?? ''}-${owner.metadata.name ?? ''}-`,
    )
    if (prefixes.length === 0) return []
    return [...(this.#claims.get(owner.metadata.namespace ?? '') ?? [])].filter((key) => {
      const name = this.#objects.get(key)?.metadata.name ?? ''
      return prefixes.some((prefix) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    })
  }

  #setOf(claim: KubeObject): boolean {
    const key = keyText(keyOf(claim))
    return [...(this.#sets.get(claim.metadata.namespace ?? '') ?? [])].some((one) => {
      const set = this.#objects.get(one)
      return set !== undefined && this.#claimsOf(set).includes(key)
    })
  }

  #forget(key: string, object: KubeObject): void {
    const { namespace = '', uid } = object.metadata
    if (uid !== undefined && this.#byUid.get(uid) === key) this.#byUid.delete(uid)
    remove(this.#byNamespace, namespace, key)
    remove(this.#claims, namespace, key)
    remove(this.#sets, namespace, key)
    for (const owner of ownersOf(object)) remove(this.#children, owner, key)
  }
}

const isClaim = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'PersistentVolumeClaim'

function add(map: Map<string, Set<string>>, name: string, key: string): void {
  const known = map.get(name)
  if (known) known.add(key)
  else map.set(name, new Set([key]))
}

function remove(map: Map<string, Set<string>>, name: string, key: string): void {
  const known = map.get(name)
  if (known?.delete(key) === true && known.size === 0) map.delete(name)
}

const sorted = (objects: readonly KubeObject[]): readonly KubeObject[] =>
  objects
    .map((object) => ({ object, text: `${object.kind} ${object.metadata.name ?? ''}` }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ object }) => object)

/** What an object is known by to those that it owns. */
function namesOf(owner: KubeObject): readonly string[] {
  const { uid } = owner.metadata
  return uid === undefined ? [keyText(keyOf(owner))] : [`uid ${uid}`, keyText(keyOf(owner))]
}

/** Whom an object belongs to: `uid <uid>`, or a key where there is no uid. */
function ownersOf(object: KubeObject): readonly string[] {
  const references = (object.metadata.ownerReferences ?? []).filter(isObject).map(({ uid }) => `uid ${uid}`)
  const inferred = inferredOwner(object, references.length > 0)
  return inferred === undefined ? references : [...references, inferred]
}

function inferredOwner(object: KubeObject, hasReference: boolean): string | undefined {
  const { namespace = '', name = '', annotations, labels } = object.metadata
  const { group } = parseApiVersion(object.apiVersion)
  const kind = `${group}/${object.kind}`
  if (kind === '/Endpoints' && !hasReference) return keyText({ group: '', kind: 'Service', namespace, name })
  if (kind === 'discovery.k8s.io/EndpointSlice' && !hasReference) {
    const service = labels?.['kubernetes.io/service-name']
    return service === undefined ? undefined : keyText({ group: '', kind: 'Service', namespace, name: service })
  }
  // Its type says the same, but caches drop what Secrets hold.
  if (kind === '/Secret') {
    const uid = annotations?.['kubernetes.io/service-account.uid']
    return uid === undefined || annotations?.['kubernetes.io/service-account.name'] === undefined
      ? undefined
      : `uid ${uid}`
  }
  if (kind === 'operators.coreos.com/ClusterServiceVersion') {
    const operators = annotations?.['olm.operatorGroup']
    if (operators === undefined) return undefined
    return keyText({ group, kind: 'OperatorGroup', namespace, name: operators })
  }
  return undefined
}
