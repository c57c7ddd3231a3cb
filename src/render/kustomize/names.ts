import { demandScalar, editField, type FieldSpec } from './field-spec.ts'
import type { Resources } from './resources.ts'
import { scalarText } from './scalar-text.ts'
import { isSelected } from './resource-id.ts'

/** Kinds whose names are never changed. */
const fixed: readonly { readonly kind: string; readonly group?: string }[] = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
]

/** Puts a text in front of names, or behind them. */
export function extendNames(
  resources: Resources,
  where: 'prefix' | 'suffix',
  text: string,
  specs: readonly FieldSpec[],
): void {
  for (const resource of resources.list) {
    const id = resource.originalId
    if (fixed.some((skipped) => isSelected(id, skipped))) continue
    for (const spec of specs) {
      if (!isSelected(id, spec)) continue
      if (spec.path === 'metadata/name' && text !== '') {
        if (where === 'prefix') resource.prefixes = [...resource.prefixes, text]
        else resource.suffixes = [...resource.suffixes, text]
        resource.rememberId()
      }
      resource.manifest = editField(resource.manifest, spec, {
        creates: 'scalar',
        set(value) {
          demandScalar(value)
          return where === 'prefix' ? text + scalarText(value) : scalarText(value) + text
        },
      })
    }
  }
}
