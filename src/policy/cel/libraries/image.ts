import { traversal } from '../../../lang/cel/cost/size.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { type CostRule, type Library, overload } from '../../../lang/cel/library/library.ts'
import { opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import type { Result } from '../../../lib/result.ts'
import { type ImageReference, parseImageReference } from '../../../lib/image-reference.ts'

const type = opaque('kyverno.image')

class ImageValue extends CelObject {
  readonly type = type
  readonly reference: ImageReference

  constructor(reference: ImageReference) {
    super()
    this.reference = reference
  }

  equals(other: unknown): boolean {
    return other instanceof ImageValue && other.reference.text === this.reference.text
  }

  toJson(): string {
    return this.reference.text
  }
}

function fromString(text: string): ImageValue {
  const read: Result<ImageReference> = parseImageReference(text)
  if (!read.ok) throw new EvaluationError(read.error.map(({ message }) => message).join('; '))
  return new ImageValue(read.value)
}

const once: CostRule = (text) => traversal(text)
const I = type.name

/** `image(text)`: a reference to an image, and its parts. */
export const imageLibrary: Library = {
  name: 'kyverno.image',
  types: [type],
  overloads: [
    overload('string_to_image_deprecated', `image(string): ${I}`, fromString, once),
    overload('string_to_image', `parseImageReference(string): ${I}`, fromString, once),
    overload('is_image_string', 'isImage(string): bool', (text: string) => parseImageReference(text).ok, once),
    overload(
      'image_contains_digest',
      `${I} -> containsDigest(): bool`,
      ({ reference }: ImageValue) => reference.digest !== '',
    ),
    overload('image_registry', `${I} -> registry(): string`, ({ reference }: ImageValue) => reference.registry),
    overload('image_repository', `${I} -> repository(): string`, ({ reference }: ImageValue) => reference.repository),
    overload('image_identifier', `${I} -> identifier(): string`, ({ reference }: ImageValue) =>
      reference.digest === '' ? reference.tag : reference.digest,
    ),
    overload('image_tag', `${I} -> tag(): string`, ({ reference }: ImageValue) => reference.tag),
    overload('image_digest', `${I} -> digest(): string`, ({ reference }: ImageValue) => reference.digest),
  ],
}
