import { refuse } from './refusal.ts'
import type { Resource } from './resource.ts'
import { idKey, idText, type ResourceId, sameId } from './resource-id.ts'

/** The resources of a build in their order; no two have the same id. */
export class Resources {
  list: Resource[] = []

  /** Adds one that must be new. */
  append(resource: Resource): void {
    this.appendAll([resource])
  }

  /** Adds several that must be new. */
  appendAll(resources: readonly Resource[]): void {
    const known = new Set(this.list.map(({ id }) => idKey(id)))
    for (const resource of resources) {
      const key = idKey(resource.id)
      if (known.has(key)) refuse(`may not add resource with an already registered id: ${idText(resource.id)}`)
      known.add(key)
      this.list.push(resource)
    }
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
