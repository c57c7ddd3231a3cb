import { isObject, own } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { withoutZeroes } from './zeroes.ts'

/** A field of a custom resource whose type is one of Kubernetes'. */
export interface KnownTypeField {
  readonly group: string
  readonly kind: string
  /** `spec.template.spec`; through lists without saying so. */
  readonly path: readonly string[]
  readonly schema: Schema
}

export type KnownTypes = readonly KnownTypeField[]

/** The object with such fields written as Kubernetes writes them: quantities in one way, nothing empty. */
export function withKnownTypes(object: KubeObject, known: KnownTypes): KubeObject {
  const { group } = parseApiVersion(object.apiVersion)
  let result: unknown = object
  for (const field of known) {
    if (field.group === group && field.kind === object.kind) result = rewritten(result, field.path, field.schema)
  }
  return result as KubeObject // only a field inside was written anew
}

function rewritten(value: unknown, path: readonly string[], schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => rewritten(item, path, schema))
  const [step, ...rest] = path
  if (step === undefined) {
    const decoded = decodeBuiltin(value, schema)
    return decoded.ok ? withoutZeroes(decoded.value.value, schema) : value
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) return value
  const below = rewritten(own(value, step), rest, schema)
  return below === value[step] ? value : { ...value, [step]: below }
}

/** The names that settings use for types: `core/v1/PodSpec`, `core/Quantity`. */
export function definitionOfKnownType(name: string): string | undefined {
  if (name === 'core/Quantity') return 'io.k8s.apimachinery.pkg.api.resource.Quantity'
  if (name === 'meta/v1/Duration') return 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration'
  const [group, version, kind, ...more] = name.split('/')
  if (group !== 'core' || version !== 'v1' || kind === undefined || more.length > 0) return undefined
  return `io.k8s.api.core.v1.${kind}`
}
