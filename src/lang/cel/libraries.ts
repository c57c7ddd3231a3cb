import { bindingsLibrary, blockLibrary, mapInsert } from './library/bindings.ts'
import type { Library } from './library/library.ts'
import { optionalLibrary } from './library/optional.ts'
import { twoVariableMacros } from './syntax/standard-macros.ts'

/** Loops over index and item or key and value. */
const comprehensionsLibrary: Library = {
  name: 'comprehensions',
  macros: twoVariableMacros,
  ...(mapInsert ? { overloads: mapInsert } : {}),
}

/** Every library there is, by name; an environment lists those it has. */
export const libraries: ReadonlyMap<string, Library> = new Map(
  [bindingsLibrary, blockLibrary, comprehensionsLibrary, optionalLibrary].map((library) => [library.name, library]),
)
