import type { GroupVersionKind } from '../../kube/gvk.ts'
import { checkDnsSubdomain } from '../../kube/names.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import { applyDefaults } from '../../kube/schema/default.ts'
import { checkObjectMeta, checkObjectMetaUpdate } from '../../kube/schema/object-meta.ts'
import { customResourceSchema } from '../../kube/schema/publish.ts'
import { prune } from '../../kube/schema/prune.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import { validate, validateUpdate } from '../../kube/schema/validate.ts'
import { isObject } from '../../lib/json.ts'
import type { Decoded, Typing } from '../resources/resource.ts'
import { checkRules } from './rules.ts'

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** What a definition says about the type of one version. */
export interface CustomType {
  readonly source: unknown
  readonly gvk: GroupVersionKind
  readonly namespaced: boolean
}

/** The type of a custom resource from the schema of its definition, which is read when it is first used. */
export function customTyping({ source, gvk, namespaced }: CustomType, schemas: BuiltinSchemas): Typing {
  let known: Schema | undefined
  let whole: Schema | undefined
  const schema = (): Schema => (known ??= readStructural(source))
  const rules = { namespaced, checkName: checkDnsSubdomain }
  return {
    get schema() {
      return (whole ??= customResourceSchema(schema(), gvk, schemas.definition(OBJECT_META) ?? {}))
    },
    decode(value) {
      const withMeta = decodeMetadata(value, schemas)
      if (!withMeta.ok) return withMeta
      const pruned = prune(withMeta.object, schema())
      const object = applyDefaults(pruned.value, schema())
      return { ok: true, object, unknownFields: [...withMeta.unknownFields, ...pruned.unknown].toSorted() }
    },
    complete: (object) => applyDefaults(prune(object, schema()).value, schema()),
    validate(object, old) {
      const problems = [
        ...checkObjectMeta(object, rules),
        ...(old ? checkObjectMetaUpdate(object, old) : []),
        ...(old ? validateUpdate(object, old, schema()) : validate(object, schema())),
      ]
      // Rules may count on the shape that the schema promises.
      return problems.length > 0 ? problems : checkRules(object, old, schema())
    },
  }
}

/** Metadata has the same type in all kinds, whatever their definition says about it. */
function decodeMetadata(value: unknown, schemas: BuiltinSchemas): Decoded {
  if (!isObject(value)) return { ok: false, message: 'it is not an object' }
  const schema = schemas.definition(OBJECT_META) ?? {}
  const decoded = decodeBuiltin(value['metadata'] ?? {}, schema)
  if (!decoded.ok) return { ok: false, message: decoded.error[0]?.message ?? 'its metadata is malformed' }
  const metadata = decoded.value.value
  // Identity was checked before; the rest of the object is the schema's concern.
  const object = (metadata === value['metadata'] ? value : { ...value, metadata }) as unknown as KubeObject
  return { ok: true, object, unknownFields: decoded.value.unknown.map((path) => `metadata.${path}`) }
}
