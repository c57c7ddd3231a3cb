import type { Column } from '../../kube/builtin/columns/column.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import type { FieldError } from '../../kube/schema/field-error.ts'
import type { ApiResult, Status } from '../../kube/status.ts'
import type { Verb } from '../request.ts'

/** A collection that the server serves in one version: everything the verbs need to know about it. */
export interface ServedResource extends ResourceId {
  readonly kind: string
  readonly listKind: string
  readonly singular: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly Verb[]
  readonly subresources: ReadonlyMap<string, Subresource>
  /** Where objects are kept; absent where nothing is (reviews, tokens). */
  readonly storage: ResourceStorage | undefined
  readonly typing: Typing
  readonly strategy: Strategy
  readonly columns: readonly Column[]
  /** The fields besides metadata.name and metadata.namespace that selectors may name. */
  readonly fields: ReadonlyMap<string, (object: KubeObject) => string>
  /** Set for custom resources: the CustomResourceDefinition they come from. */
  readonly definedBy?: string
  /** Which state of the definition this is: its uid and generation. */
  readonly definedAt?: string
  /** Said to everyone who uses this version. */
  readonly deprecation?: string
}

/** What lies below one object's path. */
export interface Subresource {
  readonly name: string
  readonly kind: string
  readonly group: string
  readonly version: string
  readonly verbs: readonly Verb[]
  /** For scale: where replicas and the selector are kept. */
  readonly scale?: ScalePaths
}

/** Field paths of a scale subresource, as in `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicas: string
  readonly statusReplicas: string
  readonly labelSelector?: string
}

/** Where a kind is kept, and how the kept version becomes the served one and back. */
export interface ResourceStorage {
  /** Ends in a slash; shared by all versions of a kind. */
  readonly prefix: string
  /** From the kept form; shares the object where nothing differs. */
  readonly toServed: (object: KubeObject) => KubeObject
  readonly toKept: (object: KubeObject) => KubeObject
  /** Set where somebody else must be asked for the form of an object that is in another version. */
  readonly converter?: FormConverter
}

/** Who brings objects from one version into another where that is more than another name. */
export interface FormConverter {
  /** Whether a stored object is in another version than the served one; others go through `toServed`. */
  isForeign(object: KubeObject): boolean
  /** Brings objects into the served version, or into the one that is kept, in the order given; all of them or none. */
  convert(objects: readonly KubeObject[], to: 'served' | 'kept'): Promise<ApiResult<readonly KubeObject[]>>
}

/** What a decoded body is, or why it is none. */
export type Decoded =
  | { readonly ok: true; readonly object: KubeObject; readonly unknownFields: readonly string[] }
  | { readonly ok: false; readonly message: string }

/** The type of a kind: what its fields are, and what they may hold. */
export interface Typing {
  readonly schema: Schema
  /** Checks the shape, drops unknown fields (naming them) and fills in defaults. */
  decode(value: unknown): Decoded
  /** Fills in defaults and drops unknown fields once more, as after a mutation. */
  complete(object: KubeObject): KubeObject
  /** A subresource may change what the main resource may not. */
  validate(object: KubeObject, old: KubeObject | undefined, subresource?: string): readonly FieldError[]
}

/** What a kind does with a write beyond its type. */
export interface Strategy {
  readonly createOnUpdate: boolean
  readonly unconditionalUpdate: boolean
  /** Drops what a creator may not say (status) and sets what the server decides. */
  readonly prepareCreate: (object: KubeObject) => KubeObject
  /** Keeps what an updater may not say, and counts the generation up. */
  readonly prepareUpdate: (object: KubeObject, old: KubeObject) => KubeObject
  /** The same for a write to the status. */
  readonly prepareStatus: (object: KubeObject, old: KubeObject) => KubeObject
  /** Seconds to wait before an object goes; undefined for kinds that go at once. */
  readonly gracePeriod?: (object: KubeObject, asked: number | undefined) => number
  /** Why a deletion is refused, such as of a Namespace that must stay. */
  readonly refuseDelete?: (object: KubeObject) => Status | undefined
  /** Finalizers that a deletion puts on, for work that comes before the end. */
  readonly finalizersOfDeletion?: readonly string[]
  /** Changes what a deletion marks, such as a phase that says so. */
  readonly markGoing?: (object: KubeObject) => KubeObject
  /** Whether something else than metadata.finalizers keeps a deleted object. */
  readonly isHeld?: (object: KubeObject) => boolean
  /** Kinds from before garbage collection leave their dependents alone unless told otherwise. */
  readonly orphansByDefault?: boolean
  readonly warnings?: (object: KubeObject, old: KubeObject | undefined) => readonly string[]
}

/** `deployments.apps`, or `pods` for the core group: how messages name a collection. */
export function groupResourceText(id: { readonly group: string; readonly plural: string }): string {
  return id.group === '' ? id.plural : `${id.plural}.${id.group}`
}
