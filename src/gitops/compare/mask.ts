import { isObject, own, setOwn } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { lastAppliedAnnotation } from '../../kube/patch/last-applied.ts'
import { withoutQuirks } from './quirks.ts'

/** What stands for a value that is not shown. Two values of one comparison that differ have placeholders that differ. */
const placeholder = (nth: number): string => '+'.repeat(8 + 4 * nth)

/**
 * The sides of a Secret without its values: equal values have equal placeholders within one call, others others, so that a
 * change still shows. What `kubectl apply` keeps of its last manifest is masked too. Other kinds come back as they are.
 */
export function maskSecrets<T extends KubeObject | undefined>(
  sides: readonly T[],
  maskedAnnotations: ReadonlySet<string> = new Set(),
): readonly T[] {
  const masks = new Masks()
  return sides.map((side) => (side && isSecret(side) ? (masked(side, masks, maskedAnnotations) as T) : side))
}

const isSecret = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'Secret'

/** One placeholder for each value of a field, in the order in which they are met. */
class Masks {
  readonly #fields = new Map<string, Map<string, string>>()

  of(field: string, value: unknown): string {
    const known = this.#fields.get(field) ?? new Map<string, string>()
    this.#fields.set(field, known)
    const text = JSON.stringify(value) ?? ''
    const mask = known.get(text) ?? placeholder(known.size)
    known.set(text, mask)
    return mask
  }
}

function masked(secret: KubeObject, masks: Masks, annotations: ReadonlySet<string>): KubeObject {
  const plain = withoutQuirks(secret)
  const data = isObject(plain['data']) ? maskedFields(plain['data'], 'data', masks, () => true) : undefined
  const given = plain.metadata.annotations
  const metadata = given
    ? { ...plain.metadata, annotations: maskedAnnotationsOf(given, masks, annotations) }
    : plain.metadata
  return { ...plain, metadata, ...(data ? { data } : {}) }
}

function maskedFields(
  fields: Readonly<Record<string, unknown>>,
  place: string,
  masks: Masks,
  isMasked: (name: string) => boolean,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    setOwn(result, name, isMasked(name) ? masks.of(`${place}.${name}`, value) : value)
  }
  return result
}

function maskedAnnotationsOf(
  given: Readonly<Record<string, string>>,
  masks: Masks,
  annotations: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const result = maskedFields(given, 'annotations', masks, (name) => annotations.has(name)) as Record<string, string>
  const last = own(given, lastAppliedAnnotation)
  if (last === undefined || annotations.has(lastAppliedAnnotation)) return result
  setOwn(result, lastAppliedAnnotation, maskedManifest(last, masks, annotations))
  return result
}

function maskedManifest(text: string, masks: Masks, annotations: ReadonlySet<string>): string {
  try {
    const read: unknown = JSON.parse(text)
    if (!isObject(read) || !isObject(read['metadata'])) return placeholder(0)
    return JSON.stringify(masked(read as unknown as KubeObject, masks, annotations))
  } catch {
    return placeholder(0) // whatever it is, it may hold the values
  }
}
