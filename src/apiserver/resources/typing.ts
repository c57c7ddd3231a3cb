import { checkBuiltin } from '../../kube/builtin/checks/index.ts'
import { applyBuiltinDefaults } from '../../kube/builtin/defaults.ts'
import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { isObject } from '../../lib/json.ts'
import type { Typing } from './resource.ts'

const anything: Schema = { type: 'object', preserveUnknownFields: true }

/** The type of a built-in kind; its schema is read when it is first used. */
export function builtinTyping(schemas: BuiltinSchemas, gvk: GroupVersionKind, namespaced: boolean): Typing {
  let known: Schema | undefined
  const schema = (): Schema => (known ??= schemas.schemaOf(gvk) ?? anything)
  return {
    get schema() {
      return schema()
    },
    decode(value) {
      const decoded = decodeBuiltin(value, schema())
      if (!decoded.ok) return { ok: false, message: decoded.error[0]?.message ?? 'it is malformed' }
      const { value: object, unknown } = decoded.value
      return { ok: true, object: applyBuiltinDefaults(withMetadataField(object), schema()), unknownFields: unknown }
    },
    complete: (object) => applyBuiltinDefaults(object, schema()),
    validate: (object, old, subresource) =>
      checkBuiltin({
        kind: gvk,
        namespaced,
        schema: schema(),
        object,
        ...(old ? { old } : {}),
        ...(subresource === undefined ? {} : { subresource }),
      }),
  }
}

/** A decoded value with the one field that all code counts on. */
function withMetadataField(value: unknown): KubeObject {
  if (!isObject(value)) throw new Error('a decoded body is not an object')
  // The decoder has checked identity and metadata against the schema.
  return (isObject(value['metadata']) ? value : { ...value, metadata: {} }) as unknown as KubeObject
}
