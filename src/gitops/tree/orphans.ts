import { compileGlob } from '../../lib/glob.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ComparisonCondition } from '../compare/comparison.ts'
import { OwnerIndex } from './owner-index.ts'

/** What an AppProject does not want to hear of (`orphanedResources.ignore`); globs, and nothing is everything. */
export interface IgnoredOrphan {
  readonly group?: string
  readonly kind?: string
  readonly name?: string
}

export interface OrphansSeen {
  readonly index: OwnerIndex
  /** Where the Application puts its objects. */
  readonly namespace: string
  /** The object is marked as some Application's. */
  readonly isManaged: (object: KubeObject) => boolean
  readonly isPermitted: (object: KubeObject) => boolean
  readonly ignore: readonly IgnoredOrphan[]
}

/** The objects of an Application's namespace that belong to no Application and to no other object. */
export function orphansOf({ index, namespace, isManaged, isPermitted, ignore }: OrphansSeen): readonly KubeObject[] {
  if (namespace === '') return []
  return index
    .topLevel(namespace)
    .filter(
      (object) =>
        !isManaged(object) &&
        isPermitted(object) &&
        !isEverywhere(object) &&
        !ignore.some((rule) => isIgnored(object, rule)),
    )
}

/** The same among the objects of one namespace, however they were found. */
export function orphansAmong(objects: readonly KubeObject[], seen: Omit<OrphansSeen, 'index'>): readonly KubeObject[] {
  const index = new OwnerIndex()
  for (const object of objects) index.set(object)
  return orphansOf({ ...seen, index })
}

/** What every namespace has. */
function isEverywhere({ apiVersion, kind, metadata }: KubeObject): boolean {
  if (apiVersion !== 'v1') return kind === 'Event' || kind === 'Lease'
  const { name, namespace } = metadata
  if (kind === 'Service') return namespace === 'default' && name === 'kubernetes'
  if (kind === 'ServiceAccount') return name === 'default'
  return kind === 'Event' || (kind === 'ConfigMap' && name === 'kube-root-ca.crt')
}

function isIgnored(object: KubeObject, { group = '', kind = '', name = '' }: IgnoredOrphan): boolean {
  return (
    (kind === '' || covers(kind, object.kind)) &&
    covers(group, parseApiVersion(object.apiVersion).group) &&
    (name === '' || covers(name, object.metadata.name ?? ''))
  )
}

function covers(glob: string, text: string): boolean {
  const compiled = compileGlob(glob, 'gobwas')
  return compiled.ok && compiled.value(text)
}

/** What is said of orphans, when the project wants a warning. */
export function orphanCondition(count: number): ComparisonCondition | undefined {
  return count > 0
    ? { type: 'OrphanedResourceWarning', message: `Application has ${count} orphaned resources` }
    : undefined
}
