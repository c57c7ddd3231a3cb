import { isObject, own, setOwn } from '../../lib/json.ts'
import { scalarText } from './scalar-text.ts'
import { type Gvk, groupVersion, type ResourceId, resourceId } from './resource-id.ts'

/** A manifest as it stands in the build: never changed in place. */
export type Manifest = Readonly<Record<string, unknown>>

/** Where a resource came from, or what changed it. */
export interface Origin {
  readonly path?: string
  readonly repo?: string
  readonly ref?: string
  readonly configuredIn?: string
  readonly configuredBy?: {
    readonly apiVersion: string
    readonly kind: string
    readonly name?: string
    readonly namespace?: string
  }
}

interface PreviousName {
  readonly name: string
  readonly namespace: string
  readonly kind: string
}

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge'

/** Knows which kinds surely are in no namespace. */
export type Scopes = (gvk: Gvk) => boolean

const INTERNAL = 'internal.config.kubernetes.io/'
/** Annotations that only the build itself reads; none of them is printed. */
const buildAnnotations: ReadonlySet<string> = new Set([
  ...[
    'previousKinds',
    'previousNames',
    'prefixes',
    'suffixes',
    'previousNamespaces',
    'allowNameChange',
    'allowKindChange',
    'refBy',
    'generatorBehavior',
    'needsHashSuffix',
    'path',
    'index',
    'seqindent',
    'id',
    'annotations-migration-resource-id',
  ].map((name) => INTERNAL + name),
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
  'internal.config.kubernetes.io/helm-generated',
])
export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin'
export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations'

/** While these stay, the id stays. */
const sameFields: readonly string[] = ['metadata', 'apiVersion', 'kind']

/** A manifest with what the build remembers of it. */
export class Resource {
  /** Undefined once a patch has deleted it. */
  #manifest: Manifest | undefined
  #id: ResourceId | undefined
  readonly scopes: Scopes
  readonly previous: PreviousName[] = []
  prefixes: readonly string[] = []
  suffixes: readonly string[] = []
  allowsNameChange = false
  allowsKindChange = false
  needsHash = false
  behavior: Behavior = 'unspecified'
  variables: string[] = []
  origin: Origin | undefined
  transformations: Origin[] = []
  /** Names of those that refer to it. */
  readonly referrers: Set<string> = new Set()

  constructor(manifest: Manifest, scopes: Scopes) {
    this.#manifest = manifest
    this.scopes = scopes
    const annotations = annotationsOf(manifest)
    if (!annotations) return
    this.needsHash = own(annotations, `${INTERNAL}needsHashSuffix`) === 'enabled'
    this.allowsNameChange = own(annotations, `${INTERNAL}allowNameChange`) === 'enabled'
    this.allowsKindChange = own(annotations, `${INTERNAL}allowKindChange`) === 'enabled'
    const behavior = own(annotations, `${INTERNAL}generatorBehavior`)
    if (behavior === 'create' || behavior === 'merge' || behavior === 'replace') this.behavior = behavior
  }

  get manifest(): Manifest {
    return this.#manifest ?? {}
  }

  set manifest(next: Manifest | undefined) {
    const before = this.#manifest
    this.#manifest = next
    const isSame = sameFields.every((field) => before && next && own(before, field) === own(next, field))
    if (!isSame) this.#id = undefined
  }

  /** Deleted by a patch, or left without any field. */
  get isGone(): boolean {
    return this.#manifest === undefined || Object.keys(this.#manifest).length === 0
  }

  get apiVersion(): string {
    return textOf(own(this.manifest, 'apiVersion'))
  }

  get kind(): string {
    return textOf(own(this.manifest, 'kind'))
  }

  get name(): string {
    return textOf(metadataOf(this.manifest, 'name'))
  }

  get namespace(): string {
    return textOf(metadataOf(this.manifest, 'namespace'))
  }

  get gvk(): Gvk {
    return this.#id ?? { ...groupVersion(this.apiVersion), kind: this.kind }
  }

  /** The id as it stands now. */
  get id(): ResourceId {
    if (this.#id) return this.#id
    const gvk = this.gvk
    return (this.#id = resourceId(gvk, this.name, this.namespace, this.scopes(gvk)))
  }

  /** The ids it had before, the first one first; their group and version are always the present ones. */
  get previousIds(): readonly ResourceId[] {
    const { group, version } = this.gvk
    return this.previous.map(({ name, namespace, kind }) => resourceId({ group, version, kind }, name, namespace))
  }

  /** The id it was read with. */
  get originalId(): ResourceId {
    return this.previousIds[0] ?? this.id
  }

  /** Whether the build has anything to remember of it. */
  get isNoted(): boolean {
    return this.previous.length > 0 || this.needsHash || this.behavior !== 'unspecified' || this.referrers.size > 0
  }

  get allIds(): readonly ResourceId[] {
    return [...this.previousIds, this.id]
  }

  get labels(): Readonly<Record<string, unknown>> | undefined {
    const labels = metadataOf(this.manifest, 'labels')
    return isObject(labels) ? labels : undefined
  }

  get annotations(): Readonly<Record<string, unknown>> | undefined {
    return annotationsOf(this.manifest)
  }

  /** Keeps the present id among the previous ones, before something changes it. */
  rememberId(): void {
    const { effective, name, kind } = this.id
    if (name !== '') this.previous.push({ name, namespace: effective, kind })
  }

  /** A resource of its own with the same memory. */
  copy(): Resource {
    const copy = new Resource(this.manifest, this.scopes)
    copy.recall(this)
    copy.allowsNameChange = this.allowsNameChange
    copy.allowsKindChange = this.allowsKindChange
    return copy
  }

  /** Takes over what the build remembers of another. */
  recall(other: Resource): void {
    this.previous.splice(0, this.previous.length, ...other.previous)
    this.prefixes = other.prefixes
    this.suffixes = other.suffixes
    this.needsHash = other.needsHash
    this.behavior = other.behavior
    this.variables = [...other.variables]
    this.origin = other.origin
    this.transformations = [...other.transformations]
  }

  /** The manifest without the annotations that only the build reads; all others are texts, and an empty map goes. */
  withoutBuildAnnotations(): Manifest {
    const metadata = own(this.manifest, 'metadata')
    // What has no metadata gets an empty map, because kustomize looks for its own notes there.
    if (isObject(metadata) && !Object.hasOwn(metadata, 'annotations')) return this.manifest
    const kept: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(this.annotations ?? {})) {
      if (buildAnnotations.has(key) || key === ORIGIN_ANNOTATION || key === TRANSFORMATIONS_ANNOTATION) continue
      setOwn(kept, key, textOf(value))
    }
    return withMetadata(this.manifest, 'annotations', Object.keys(kept).length === 0 ? undefined : kept)
  }
}

const objectOf = (value: unknown): Manifest => (isObject(value) ? value : {})

const textOf = scalarText

const metadataOf = (manifest: Manifest, key: string): unknown => {
  const metadata = own(manifest, 'metadata')
  return isObject(metadata) ? own(metadata, key) : undefined
}

const annotationsOf = (manifest: Manifest): Readonly<Record<string, unknown>> | undefined => {
  const annotations = metadataOf(manifest, 'annotations')
  return isObject(annotations) ? annotations : undefined
}

/** The manifest with one field of its metadata set, or taken away. */
export function withMetadata(manifest: Manifest, key: string, value: unknown): Manifest {
  const metadata: Record<string, unknown> = { ...objectOf(own(manifest, 'metadata')) }
  if (value === undefined) delete metadata[key]
  else metadata[key] = value
  return { ...manifest, metadata }
}
