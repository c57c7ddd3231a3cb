import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { isObject } from '../../lib/json.ts'
import { readData } from '../../lib/data-file.ts'
import type { Typing } from './resource.ts'

const anything: Schema = { type: 'object', preserveUnknownFields: true }

/** The type of a built-in kind; its schema is read when it is first used. */
export function typingOf(gvk: GroupVersionKind): Typing {
  let schema: Schema | undefined
  return {
    get schema() {
      return (schema ??= builtinSchemas(readData).schemaOf(gvk) ?? anything)
    },
    decode(value) {
      if (!isObject(value)) return { ok: false, message: 'it is not an object' }
      const metadata = isObject(value['metadata']) ? value['metadata'] : {}
      return { ok: true, object: { ...value, metadata } as unknown as KubeObject, unknownFields: [] }
    },
    complete: (object) => object,
    validate: () => [],
  }
}
