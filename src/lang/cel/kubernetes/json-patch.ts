import { traversal } from '../cost/size.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'

const cost: CostRule = (text) => traversal(text)

/** `jsonpatch.escapeKey(key)`: a key as a part of a JSON pointer. */
export const jsonPatchLibrary: Library = {
  name: 'kubernetes.jsonpatch',
  overloads: [
    overload(
      'string_jsonpatch_escapeKey_string',
      'jsonpatch.escapeKey(string): string',
      (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'),
      cost,
    ),
  ],
}
