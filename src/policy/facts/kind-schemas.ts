import { apiVersionOf, type GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import { readData } from '../../lib/data-file.ts'
import { isObject } from '../../lib/json.ts'
import type { PolicySource } from '../catalog/policy-source.ts'

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

/** The schemas of kinds: those of Kubernetes, and those of the definitions that are there at the moment. */
export function kindSchemas(source: PolicySource): (kind: GroupVersionKind) => Schema | undefined {
  const builtin = builtinSchemas(readData)
  let seen: readonly KubeObject[] | undefined
  let defined: ReadonlyMap<string, unknown> = new Map()
  const read = new Map<string, Schema>()
  return (kind) => {
    const definitions = source.list('apiextensions.k8s.io', 'customresourcedefinitions')
    if (definitions !== seen) {
      seen = definitions
      defined = new Map(definitions.flatMap(versionsOf))
      read.clear()
    }
    const key = `${apiVersionOf(kind)} ${kind.kind}`
    const known = read.get(key)
    if (known) return known
    const schema = defined.get(key)
    if (schema === undefined) return builtin.schemaOf(kind)
    const made = readStructural(schema)
    read.set(key, made)
    return made
  }
}

/** The schemas of a definition by version and kind; a version that keeps unknown fields has none. */
function versionsOf(definition: KubeObject): readonly (readonly [string, unknown])[] {
  const { group, names, versions } = fieldsOf(definition['spec'])
  return (Array.isArray(versions) ? versions.filter(isObject) : []).flatMap((version) => {
    const schema = fieldsOf(version['schema'])['openAPIV3Schema']
    const key = `${String(group)}/${String(version['name'])} ${String(fieldsOf(names)['kind'])}`
    return schema === undefined ? [] : [[key, schema] as const]
  })
}
