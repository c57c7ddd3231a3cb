import { refuse } from './refusal.ts'
import type { Resource } from './resource.ts'
import { idKey, idText, type ResourceId, sameId } from './resource-id.ts'

const FEW = 8
/** Bases that are included again and again double with every level. */
const MOST = 100_000

/** The resources of a build in their order; no two have the same id. */
export class Resources {
  list: Resource[] = []

  /** Adds one that must be new. */
  append(resource: Resource): void {
    this.appendAll([resource])
  }

  /** Adds several that must be new. */
  appendAll(resources: readonly Resource[]): void {
    // A set pays only for many: files mostly hold one or two.
    const known = resources.length > FEW ? new Set(this.list.map(({ id }) => idKey(id))) : undefined
    for (const resource of resources) {
      const { id } = resource
      const isKnown = known ? known.has(idKey(id)) : this.list.some((other) => sameId(other.id, id))
      if (isKnown) refuse(`may not add resource with an already registered id: ${idText(id)}`)
      known?.add(idKey(id))
      this.list.push(resource)
    }
    if (this.list.length > MOST) refuse(`a build of more than ${MOST} resources is refused`)
  }

  /** Those that have or had an id. */
  byAnyId(matches: (id: ResourceId) => boolean): readonly Resource[] {
    return this.list.filter((resource) => !resource.isGone && resource.allIds.some(matches))
  }

  /** The one that has or had this id; a patch without target names it so. */
  unique(id: ResourceId): Resource {
    const found = this.byAnyId((other) => sameId(id, other))
    const [first] = found
    if (first && found.length === 1) return first
    const count = found.length > 1 ? 'multiple' : 'no'
    return refuse(`${count} matches for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`)
  }

  dropGone(): void {
    this.list = this.list.filter(({ isGone }) => !isGone)
  }
}
