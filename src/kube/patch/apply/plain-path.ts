import { fieldElement, fieldName, keyElement, keyFields, kindOfElement, valueElement } from './path-element.ts'
import type { Path } from './path-set.ts'

/** Writes a path with names of fields as strings, and list elements as `{key}`, `{value}` or `{index}`. */
export function plainPath(path: Path): readonly unknown[] {
  return path.map((element) => {
    switch (kindOfElement(element)) {
      case 'f':
        return fieldName(element)
      case 'k':
        return { key: Object.fromEntries(keyFields(element)) }
      case 'v':
        return { value: JSON.parse(element.slice(2)) as unknown }
      case 'i':
        return { index: Number(element.slice(2)) }
    }
  })
}

/** Reads a path in that notation; undefined when a part is none of these. */
export function pathFromPlain(parts: readonly unknown[]): Path | undefined {
  const path = parts.map(elementFromPlain)
  return path.every((element) => element !== undefined) ? path : undefined
}

function elementFromPlain(part: unknown): string | undefined {
  if (typeof part === 'string') return fieldElement(part)
  if (typeof part !== 'object' || part === null) return undefined
  const { key, value, index } = part as { readonly key?: unknown; readonly value?: unknown; readonly index?: unknown }
  if (typeof index === 'number') return `i:${index}`
  if (typeof key !== 'object' || key === null) return value === undefined ? undefined : valueElement(value)
  const fields = new Map(Object.entries(key))
  return keyElement([...fields.keys()].toSorted(), (name) => fields.get(name))
}
