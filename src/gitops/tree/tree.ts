import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Application, ApplicationSummary } from '../application/application.ts'
import { type ComparedResource, keyText, type ResourceKey } from '../compare/comparison.ts'
import { keyOf } from '../compare/tracking.ts'
import type { HealthStatus } from '../health/status.ts'
import { describe, type Description } from './describe.ts'
import { linksOf, networkingOf } from './networking.ts'
import type { Ownership } from './owner-index.ts'

/** One object of an Application's tree. */
export interface ResourceNode extends Description {
  readonly key: ResourceKey
  readonly version: string
  readonly parents: readonly ResourceKey[]
  readonly uid?: string
  readonly resourceVersion?: string
  readonly createdAt?: string
  readonly health?: HealthStatus
}

export interface ResourceTree {
  /** Managed objects in their order, each followed by what it owns. */
  readonly nodes: readonly ResourceNode[]
  /** What lies in the Application's namespace and nobody's Git has, with what it owns. */
  readonly orphaned: readonly ResourceNode[]
}

export interface TreeSeen {
  readonly resources: readonly ComparedResource[]
  readonly index: Ownership
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
  /** The project lets the Application have such an object; what it may not have is not shown. */
  readonly isPermitted: (object: KubeObject) => boolean
  /** Labels to show. */
  readonly labels?: readonly string[]
  /** Objects of the namespace that nobody owns, when the project wants to know: see `orphansOf`. */
  readonly orphans?: readonly KubeObject[]
}

const MOST_NODES = 20_000

/** The tree of an Application (argo-cd 3.x, controller/appcontroller.go getResourceTree). */
export function resourceTree(seen: TreeSeen): ResourceTree {
  const shown = new Set<string>()
  const nodes: ResourceNode[] = []
  for (const { key, version, live } of seen.resources) {
    if (live) walk(live, seen, shown, nodes)
    else if (!shown.has(keyText(key))) {
      nodes.push({ key, version, parents: [], info: [], images: [], health: { status: 'Missing' } })
    }
  }
  const orphaned: ResourceNode[] = []
  for (const orphan of seen.orphans ?? []) walk(orphan, seen, shown, orphaned)
  return { nodes, orphaned }
}

/** An object and all below it; owners that own each other are met once. */
function walk(root: KubeObject, seen: TreeSeen, shown: Set<string>, nodes: ResourceNode[]): void {
  const open: { readonly object: KubeObject; readonly parents: readonly ResourceKey[] }[] = [
    { object: root, parents: [] },
  ]
  for (let next = open.pop(); next; next = open.pop()) {
    const { object, parents } = next
    const key = keyOf(object)
    const text = keyText(key)
    if (shown.has(text) || nodes.length >= MOST_NODES || !seen.isPermitted(object)) continue
    shown.add(text)
    nodes.push(nodeOf(object, key, parents, seen))
    const children = seen.index.childrenOf(object).map((child) => ({ object: child, parents: [key] }))
    open.push(...children.toReversed())
  }
}

function nodeOf(object: KubeObject, key: ResourceKey, parents: readonly ResourceKey[], seen: TreeSeen): ResourceNode {
  const { uid, resourceVersion, creationTimestamp: createdAt } = object.metadata
  const health = seen.healthOf(object)
  return {
    key,
    version: parseApiVersion(object.apiVersion).version,
    parents,
    ...describe(object, seen.labels),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(health ? { health } : {}),
  }
}

/** What the status of an Application says of its tree. */
export function summaryOf(tree: ResourceTree, application: Application): ApplicationSummary {
  const images = [...new Set(tree.nodes.flatMap(({ images: own }) => own))].toSorted()
  const urls = tree.nodes.flatMap(({ networking }) => networking?.externalURLs ?? [])
  const keys = tree.nodes.map(({ key }) => key)
  return { ...(images.length > 0 ? { images } : {}), ...links(urls, keys, application) }
}

/** The part of the summary that managed objects tell by themselves. */
export function linksSummary(resources: readonly ComparedResource[], application: Application): ApplicationSummary {
  const urls = resources.flatMap(({ live }) => (live ? (networkingOf(live)?.externalURLs ?? []) : []))
  const keys = resources.map(({ key }) => key)
  return links(urls, keys, application)
}

function links(urls: readonly string[], keys: readonly ResourceKey[], application: Application): ApplicationSummary {
  const all = [...new Set([...linksOf(application), ...urls])].toSorted()
  const isAppOfApps = keys.some(({ group, kind }) => group === 'argoproj.io' && kind === 'Application')
  return { ...(all.length > 0 ? { externalURLs: all } : {}), ...(isAppOfApps ? { isAppOfApps } : {}) }
}
