import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { type SourceKind, sourceKinds } from './source-kinds.ts'

/** Part of a spec, as it came. */
export type Fields = Readonly<Record<string, unknown>>

/** Argo Events' EventSource: a bundle of sources, each of which makes one named event. */
export const EventSourceKind: Kind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'EventSource',
  plural: 'eventsources',
  scope: 'Namespaced',
}

/** One source of an EventSource. */
export interface SourceEntry {
  readonly kind: SourceKind
  readonly eventName: string
  readonly spec: Fields
  /** Its place in the object, for messages. */
  readonly at: string
}

/** The bus that an EventSource publishes to. */
export const busNameOf = (object: KubeObject): string => textOf(object['spec'], 'eventBusName') || 'default'

/** `webhook/example`: how messages name a source. */
export const sourceName = ({ kind, eventName }: Pick<SourceEntry, 'kind' | 'eventName'>): string =>
  `${kind.field}/${eventName}`

/** The sources of an EventSource, kind by kind, in the order in which they are written. What is no object is left out. */
export function sourcesOf(object: KubeObject): readonly SourceEntry[] {
  const spec = fieldsOf(object, 'spec')
  return sourceKinds.flatMap((kind) =>
    Object.entries(fieldsOf(spec, kind.field)).flatMap(([eventName, given]) =>
      isObject(given) ? [{ kind, eventName, spec: given, at: `spec.${kind.field}.${eventName}` }] : [],
    ),
  )
}

const OTHER_FIELDS = new Set([
  'eventBusName',
  'template',
  'service',
  'replicas',
  ...sourceKinds.map(({ field }) => field),
])

/** What stands where a kind of source is expected, and is none. */
export const strangeKinds = (object: KubeObject): readonly string[] =>
  Object.keys(fieldsOf(object, 'spec')).filter((name) => !OTHER_FIELDS.has(name))
