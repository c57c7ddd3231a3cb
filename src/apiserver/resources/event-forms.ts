import type { KubeObject } from '../../kube/object.ts'

/** The names that the core group and events.k8s.io give the same fields of an Event. */
const names: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]

const toEvents: ReadonlyMap<string, string> = new Map(names)
const toCore: ReadonlyMap<string, string> = new Map(names.map(([core, events]) => [events, core]))

function renamed(object: KubeObject, apiVersion: string, by: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(object).map(([name, value]) => [by.get(name) ?? name, value] as const)
  // Only names of top-level fields change, and apiVersion, kind and metadata are none of them.
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion }
}

/** An Event of events.k8s.io/v1, from the core form in which both are kept. */
export const eventFromCore = (object: KubeObject): KubeObject => renamed(object, 'events.k8s.io/v1', toEvents)

/** The core form of an Event. */
export const eventToCore = (object: KubeObject): KubeObject => renamed(object, 'v1', toCore)
