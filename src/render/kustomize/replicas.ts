import { demandScalar, editField, type FieldSpec } from './field-spec.ts'
import { refuse } from './refusal.ts'
import { gvkText, isSelected } from './resource-id.ts'
import type { Resources } from './resources.ts'

/** Sets how often what has or had a name runs. */
export function setReplicas(resources: Resources, name: string, count: number, specs: readonly FieldSpec[]): void {
  let isFound = false
  for (const spec of specs) {
    for (const resource of resources.byAnyId((id) => id.name === name && isSelected(id, spec))) {
      isFound = true
      resource.manifest = editField(resource.manifest, spec, {
        creates: 'scalar',
        set(value) {
          demandScalar(value)
          return count
        },
      })
    }
  }
  if (isFound) return
  const kinds = specs.map(gvkText).join(' ')
  refuse(`resource with name ${name} does not match a config with the following GVK [${kinds}]`)
}
