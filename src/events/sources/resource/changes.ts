import type { KubeObject } from '../../../kube/object.ts'
import { textOf } from '../../../lib/fields.ts'
import type { CacheChange } from '../../../runtime/informer.ts'
import type { ObjectCache } from '../../../runtime/object-cache.ts'
import { metadataPart } from '../webhook/payload.ts'
import type { ObjectChange } from './filter.ts'
import type { KnownObject } from './resource-memory.ts'

type Known = ReadonlyMap<string, KnownObject>

const uidOf = ({ metadata }: KubeObject): string => metadata.uid ?? ''
const versionOf = ({ metadata }: KubeObject): string => metadata.resourceVersion ?? ''

/** What a difference of the cache means, given what has been told: an object that is known is no new one. */
export function changesOf({ type, object, previous }: CacheChange, known: Known): readonly ObjectChange[] {
  if (type === 'removed') return [{ type: 'DELETE', object }]
  if (type === 'added') return appeared(object, known)
  if (previous && uidOf(previous) !== uidOf(object))
    return [
      { type: 'DELETE', object: previous },
      { type: 'ADD', object },
    ]
  return [{ type: 'UPDATE', object, ...(previous ? { old: previous } : {}) }]
}

function appeared(object: KubeObject, known: Known): readonly ObjectChange[] {
  const before = known.get(uidOf(object))
  if (!before) return [{ type: 'ADD', object }]
  return before.resourceVersion === versionOf(object) ? [] : [{ type: 'UPDATE', object }]
}

/** What is known and not there any more: it went while nobody was looking. Its last state is not known, only what it was. */
export function missedDeletions(cache: ObjectCache, known: Known): readonly ObjectChange[] {
  const there = new Set(cache.list().map(uidOf))
  return [...known.values()]
    .filter(({ uid }) => !there.has(uid))
    .map(({ apiVersion, kind, name, namespace, uid }) => ({
      type: 'DELETE',
      object: { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid } },
    }))
}

/** What is remembered of an object. */
export function toKnown({ apiVersion, kind, metadata }: KubeObject): KnownObject {
  const { name = '', namespace, uid = '', resourceVersion = '' } = metadata
  return {
    is: 'object',
    apiVersion,
    kind,
    name,
    uid,
    resourceVersion,
    ...(namespace === undefined ? {} : { namespace }),
  }
}

/** The data of a change's event, in upstream's shape. */
export function resourceData({ type, object, old }: ObjectChange, spec: Readonly<Record<string, unknown>>): string {
  const [group, version, resource] = ['group', 'version', 'resource'].map((name) => JSON.stringify(textOf(spec, name)))
  const bodies = `"body":${JSON.stringify(object)},"oldBody":${old ? JSON.stringify(old) : 'null'}`
  return `{"type":"${type}",${bodies},"group":${group},"version":${version},"resource":${resource}${metadataPart(spec['metadata'])}}`
}
