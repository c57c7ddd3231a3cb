import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../fields.ts'

/** What a team may deploy, from where and to where, as far as decisions read it. */
export interface AppProject {
  readonly name: string
  readonly metadata: ObjectMeta
  readonly sourceRepos: readonly string[]
  readonly sourceNamespaces: readonly string[]
  readonly destinations: readonly Destination[]
  readonly clusterResourceWhitelist: readonly NamedGroupKind[]
  readonly clusterResourceBlacklist: readonly NamedGroupKind[]
  /** Undefined allows every namespaced kind; an empty list allows none. */
  readonly namespaceResourceWhitelist: readonly GroupKind[] | undefined
  readonly namespaceResourceBlacklist: readonly GroupKind[]
  readonly roles: readonly ProjectRole[]
  readonly syncWindows: readonly SyncWindow[]
  /** Undefined where orphaned resources are not looked for. */
  readonly orphanedResources: OrphanedResources | undefined
  readonly permitOnlyProjectScopedClusters: boolean
  readonly destinationServiceAccounts: readonly DestinationServiceAccount[]
  /** Fields that are set and that we do not act on: users are told. */
  readonly unsupported: readonly string[]
}

/** A pattern of destinations; a part that starts with `!` excludes. */
export interface Destination {
  readonly server: string
  readonly name: string
  readonly namespace: string
}

export interface GroupKind {
  readonly group: string
  readonly kind: string
}

/** A kind of cluster resource, by name where the name is not ''. */
export interface NamedGroupKind extends GroupKind {
  readonly name: string
}

export interface ProjectRole {
  readonly name: string
  readonly policies: readonly string[]
  readonly groups: readonly string[]
  readonly tokens: readonly ProjectToken[]
}

/** A token that was issued for a role; the secret itself is nowhere in the project. */
export interface ProjectToken {
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number | undefined
}

/** A time in which syncs are allowed or denied. */
export interface SyncWindow {
  readonly kind: string
  readonly schedule: string
  readonly duration: string
  readonly timeZone: string
  readonly applications: readonly string[]
  readonly namespaces: readonly string[]
  readonly clusters: readonly string[]
  readonly manualSync: boolean
  readonly andOperator: boolean
  readonly syncOverrun: boolean
  readonly description: string
}

export interface OrphanedResources {
  readonly isWarned: boolean
  readonly ignore: readonly NamedGroupKind[]
}

/** As whom to deploy to the destinations that match. */
export interface DestinationServiceAccount {
  readonly server: string
  readonly namespace: string
  readonly defaultServiceAccount: string
}

/** The kind AppProject. */
export const AppProjectKind: Kind<AppProject> = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'AppProject',
  plural: 'appprojects',
  scope: 'Namespaced',
  parse: (object) => parseAppProject(object as KubeObject), // whoever asks hands over an object of this kind
}

/** The finalizer that keeps a project while Applications use it. */
export const PROJECT_FINALIZER = 'resources-finalizer.argocd.argoproj.io'

/** Reads an AppProject; what is missing reads as upstream's zero of it. */
export function parseAppProject(object: KubeObject): AppProject {
  const spec = fieldsOf(object, 'spec')
  return {
    name: object.metadata.name ?? '',
    metadata: object.metadata,
    sourceRepos: textsOf(spec, 'sourceRepos') ?? [],
    sourceNamespaces: textsOf(spec, 'sourceNamespaces') ?? [],
    destinations: (objectsOf(spec, 'destinations') ?? []).map(destinationOf),
    clusterResourceWhitelist: (objectsOf(spec, 'clusterResourceWhitelist') ?? []).map(namedGroupKindOf),
    clusterResourceBlacklist: (objectsOf(spec, 'clusterResourceBlacklist') ?? []).map(namedGroupKindOf),
    namespaceResourceWhitelist: objectsOf(spec, 'namespaceResourceWhitelist')?.map(groupKindOf),
    namespaceResourceBlacklist: (objectsOf(spec, 'namespaceResourceBlacklist') ?? []).map(groupKindOf),
    roles: (objectsOf(spec, 'roles') ?? []).map((role) => roleOf(role, object)),
    syncWindows: (objectsOf(spec, 'syncWindows') ?? []).map(windowOf),
    orphanedResources: orphanedOf(spec),
    permitOnlyProjectScopedClusters: isSet(spec, 'permitOnlyProjectScopedClusters'),
    destinationServiceAccounts: (objectsOf(spec, 'destinationServiceAccounts') ?? []).map((item) => ({
      server: textOf(item, 'server'),
      namespace: textOf(item, 'namespace'),
      defaultServiceAccount: textOf(item, 'defaultServiceAccount'),
    })),
    unsupported: unsupportedOf(spec),
  }
}

type Fields = Readonly<Record<string, unknown>>

const destinationOf = (item: Fields): Destination => ({
  server: textOf(item, 'server'),
  name: textOf(item, 'name'),
  namespace: textOf(item, 'namespace'),
})

const groupKindOf = (item: Fields): GroupKind => ({ group: textOf(item, 'group'), kind: textOf(item, 'kind') })

const namedGroupKindOf = (item: Fields): NamedGroupKind => ({ ...groupKindOf(item), name: textOf(item, 'name') })

function orphanedOf(spec: Fields): OrphanedResources | undefined {
  if (!Object.hasOwn(spec, 'orphanedResources') || spec['orphanedResources'] === null) return undefined
  const settings = fieldsOf(spec, 'orphanedResources')
  return { isWarned: isSet(settings, 'warn'), ignore: (objectsOf(settings, 'ignore') ?? []).map(namedGroupKindOf) }
}

function roleOf(role: Fields, project: KubeObject): ProjectRole {
  const name = textOf(role, 'name')
  const status = fieldsOf(fieldsOf(fieldsOf(project, 'status'), 'jwtTokensByRole'), name)
  const tokens = new Map<string, ProjectToken>()
  for (const token of [...(objectsOf(status, 'items') ?? []), ...(objectsOf(role, 'jwtTokens') ?? [])]) {
    const issuedAt = Number(token['iat'] ?? 0)
    const id = textOf(token, 'id') || String(issuedAt)
    tokens.set(id, { id, issuedAt, expiresAt: typeof token['exp'] === 'number' ? token['exp'] : undefined })
  }
  return {
    name,
    policies: textsOf(role, 'policies') ?? [],
    groups: textsOf(role, 'groups') ?? [],
    tokens: [...tokens.values()].toSorted((a, b) => b.issuedAt - a.issuedAt || (a.id < b.id ? -1 : 1)),
  }
}

const windowOf = (item: Fields): SyncWindow => ({
  kind: textOf(item, 'kind'),
  schedule: textOf(item, 'schedule'),
  duration: textOf(item, 'duration'),
  timeZone: textOf(item, 'timeZone'),
  applications: textsOf(item, 'applications') ?? [],
  namespaces: textsOf(item, 'namespaces') ?? [],
  clusters: textsOf(item, 'clusters') ?? [],
  manualSync: isSet(item, 'manualSync'),
  andOperator: isSet(item, 'andOperator'),
  syncOverrun: isSet(item, 'syncOverrun'),
  description: textOf(item, 'description'),
})

function unsupportedOf(spec: Fields): readonly string[] {
  const isThere = (field: string): boolean => {
    const value = spec[field]
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null
  }
  return ['signatureKeys', 'sourceIntegrity'].filter(isThere).map((field) => `spec.${field}`)
}
