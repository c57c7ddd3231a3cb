import { bindingsLibrary, blockLibrary, mapInsert } from './library/bindings.ts'
import { encodersLibrary } from './library/encoders.ts'
import type { Library } from './library/library.ts'
import { listsLibrary } from './library/lists.ts'
import { mathLibrary } from './library/math.ts'
import { optionalLibrary } from './library/optional.ts'
import { protosLibrary } from './library/protos.ts'
import { setsLibrary } from './library/sets.ts'
import { mixedComparisonsLibrary } from './library/standard.ts'
import { stringsLibrary } from './library/strings.ts'
import { twoVariableMacros } from './syntax/standard-macros.ts'

/** Loops over index and item or key and value. */
const comprehensionsLibrary: Library = {
  name: 'comprehensions',
  macros: twoVariableMacros,
  ...(mapInsert ? { overloads: mapInsert } : {}),
}

/** Every library there is, by name; an environment lists those it has. */
export const libraries: ReadonlyMap<string, Library> = new Map(
  [
    bindingsLibrary,
    blockLibrary,
    comprehensionsLibrary,
    encodersLibrary,
    listsLibrary,
    mathLibrary,
    mixedComparisonsLibrary,
    optionalLibrary,
    protosLibrary,
    setsLibrary,
    stringsLibrary,
  ].map((library) => [library.name, library]),
)
