import { readData } from '../../../lib/data-file.ts'
import { mergeTable } from '../../../policy/families.ts'
import { builtinSchemas } from '../../../kube/schema/builtin.ts'
import type { GroupVersionKind } from '../../../kube/gvk.ts'
import { apiVersionOf } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { readStructural } from '../../../kube/schema/structural.ts'
import type { Schema } from '../../../kube/schema/schema.ts'
import { cleanupKinds, exceptionKinds, policyKinds } from '../../../policy/catalog/policy-kinds.ts'
import { guessPlural } from '../../../policy/cel/plural.ts'
import { at, fieldsOf, listOf, textOf } from '../../../policy/classic/read.ts'

/** What is known of kinds without a cluster: those of Kubernetes, and those of the given definitions. */
export interface Kinds {
  readonly isNamespaced: (apiVersion: string, kind: string) => boolean | undefined
  readonly pluralOf: (object: { readonly apiVersion: string; readonly kind: string }) => string
  readonly schemaOf: (kind: GroupVersionKind) => Schema | undefined
}

interface Defined {
  readonly plural: string
  readonly isNamespaced: boolean
  readonly schema: Schema | undefined
}

/** The kinds of Kubernetes and of CustomResourceDefinitions. */
export function kindsWith(definitions: readonly KubeObject[]): Kinds {
  const defined = new Map<string, Defined>()
  for (const definition of definitions) for (const [name, entry] of entriesOf(definition)) defined.set(name, entry)
  for (const { group, version, kind, plural, isNamespaced } of [...policyKinds, ...cleanupKinds, ...exceptionKinds]) {
    for (const other of new Set([version, 'v1', 'v1beta1', 'v1alpha1', 'v2', 'v2beta1'])) {
      defined.set(`${apiVersionOf({ group, version: other })} ${kind}`, { plural, isNamespaced, schema: undefined })
    }
  }
  const builtin = builtinSchemas(readData)
  for (const { group, version, kind, plural, namespaced, subresource } of builtin.resources()) {
    const name = `${apiVersionOf({ group, version })} ${kind}`
    if (subresource === undefined && !defined.has(name))
      defined.set(name, { plural, isNamespaced: namespaced, schema: undefined })
  }
  return {
    isNamespaced: (apiVersion, kind) =>
      defined.get(`${apiVersion} ${kind}`)?.isNamespaced ?? mergeTable().isNamespaced(apiVersion, kind),
    pluralOf: ({ apiVersion, kind }) => defined.get(`${apiVersion} ${kind}`)?.plural ?? guessPlural(kind),
    schemaOf: (kind) => defined.get(`${apiVersionOf(kind)} ${kind.kind}`)?.schema ?? builtin.schemaOf(kind),
  }
}

function entriesOf(definition: KubeObject): readonly (readonly [string, Defined])[] {
  const spec = fieldsOf(definition['spec'])
  const names = fieldsOf(spec['names'])
  return listOf(spec['versions']).map((item) => {
    const version = fieldsOf(item)
    const schema = at(version, 'schema', 'openAPIV3Schema')
    return [
      `${textOf(spec['group'])}/${textOf(version['name'])} ${textOf(names['kind'])}`,
      {
        plural: textOf(names['plural']),
        isNamespaced: spec['scope'] !== 'Cluster',
        schema: schema === undefined ? undefined : readStructural(schema),
      },
    ] as const
  })
}
