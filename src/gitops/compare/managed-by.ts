import { intersection, emptySet, type PathSet, union } from '../../kube/patch/apply/path-set.ts'
import { compare } from '../../kube/patch/apply/compare.ts'
import { removeItems } from '../../kube/patch/apply/remove.ts'
import { objectTypeOf } from '../../kube/patch/apply/type.ts'
import { setOfEntry } from '../../kube/patch/managed-entries.ts'
import { attempt } from '../../kube/patch/refusal.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Schema } from '../../kube/schema/schema.ts'

export interface Pair {
  readonly live: KubeObject
  readonly target: KubeObject
}

/**
 * Both sides without the fields that differ and that trusted managers own: what those write wins over Git
 * (argo-cd 3.x, util/argo/managedfields). Objects that do not have the shape of their kind stay as they are.
 */
export function withoutManaged({ live, target }: Pair, managers: ReadonlySet<string>, schema?: Schema): Pair {
  const entries = live.metadata.managedFields?.filter(({ manager = '' }) => managers.has(manager)) ?? []
  if (entries.length === 0) return { live, target }
  const done = attempt((): Pair => {
    const type = objectTypeOf(schema)
    const { modified } = compare(type, live, target)
    let owned: PathSet = emptySet
    for (const entry of entries) owned = union(owned, setOfEntry(entry))
    const gone = intersection(owned, modified)
    if (gone.isEmpty) return { live, target }
    return { live: asObject(removeItems(type, live, gone)), target: asObject(removeItems(type, target, gone)) }
  })
  return done.ok ? done.value : { live, target }
}

/** Nobody owns what identifies an object, so it is still one. */
const asObject = (value: unknown): KubeObject => value as KubeObject
