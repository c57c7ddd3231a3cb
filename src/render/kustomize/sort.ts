import type { SortOptions } from './kustomization.ts'
import { refuse } from './refusal.ts'
import { gvkText, type ResourceId, sameGvk } from './resource-id.ts'
import type { Resources } from './resources.ts'
import { kindRanks, orderFirst, orderLast, sortText } from './transformer-config.ts'

/** Puts resources into the order that was asked for: as they came, or as kustomize always had them. */
export function sortResources(resources: Resources, options: SortOptions): void {
  const { order, legacySortOptions: legacy } = options
  if (order !== 'fifo' && order !== 'legacy') refuse("the field 'sortOptions.order' must be one of [fifo, legacy]")
  if (order === 'fifo') {
    if (legacy) {
      refuse("the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'")
    }
    return
  }
  const ranks = legacy ? kindRanks(legacy.orderFirst ?? [], legacy.orderLast ?? []) : kindRanks(orderFirst, orderLast)
  resources.list = resources.list
    .map((resource) => ({ resource, id: resource.id }))
    .toSorted((a, b) => compare(a.id, b.id, ranks))
    .map(({ resource }) => resource)
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compare(a: ResourceId, b: ResourceId, ranks: ReadonlyMap<string, number>): number {
  if (sameGvk(a, b)) return byText(nameText(a), nameText(b))
  const rank = (ranks.get(a.kind) ?? 0) - (ranks.get(b.kind) ?? 0)
  if (rank !== 0) return rank
  // The core namespace comes in front of those of other groups.
  const isTurned = a.kind === 'Namespace' && b.kind === 'Namespace' && (a.group === '' || b.group === '')
  return isTurned ? byText(sortText(b), sortText(a)) : byText(sortText(a), sortText(b))
}

const nameText = (id: ResourceId): string => `${gvkText(id)}|${id.namespace || '~X'}|${id.name || '~N'}`
