import { authorizerLibrary } from './kubernetes/authorizer.ts'
import { findLibrary } from './kubernetes/find.ts'
import { jsonPatchLibrary } from './kubernetes/json-patch.ts'
import { listFunctionsLibrary } from './kubernetes/list-functions.ts'
import { namedFormatLibrary } from './kubernetes/named-format.ts'
import { cidrLibrary, ipLibrary } from './kubernetes/network.ts'
import { quantityLibrary } from './kubernetes/quantity.ts'
import { semverLibrary } from './kubernetes/semver.ts'
import { kubernetesStringsLibrary } from './kubernetes/strings.ts'
import { urlLibrary } from './kubernetes/url.ts'
import { bindingsLibrary, blockLibrary, mapInsert } from './library/bindings.ts'
import { encodersLibrary } from './library/encoders.ts'
import type { Library } from './library/library.ts'
import { listsLibrary } from './library/lists.ts'
import { mathLibrary } from './library/math.ts'
import { optionalLibrary } from './library/optional.ts'
import { protosLibrary } from './library/protos.ts'
import { regexLibrary } from './library/regex.ts'
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

/** What the API server gives to validation rules and admission policies. */
export const kubernetesLibraries: readonly Library[] = [
  mixedComparisonsLibrary,
  optionalLibrary,
  kubernetesStringsLibrary,
  setsLibrary,
  listsLibrary,
  comprehensionsLibrary,
  findLibrary,
  listFunctionsLibrary,
  urlLibrary,
  quantityLibrary,
  ipLibrary,
  cidrLibrary,
  namedFormatLibrary,
  semverLibrary,
  authorizerLibrary,
]

/** Every library there is, by name; an environment lists those it has. */
export const libraries: ReadonlyMap<string, Library> = new Map(
  [
    ...kubernetesLibraries,
    bindingsLibrary,
    blockLibrary,
    encodersLibrary,
    jsonPatchLibrary,
    mathLibrary,
    protosLibrary,
    regexLibrary,
    stringsLibrary,
  ].map((library) => [library.name, library]),
)
