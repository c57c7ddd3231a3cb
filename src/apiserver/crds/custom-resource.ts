import { customColumns } from '../../kube/builtin/columns/index.ts'
import { customResourceStrategy } from '../../kube/builtin/strategy.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import type { Verb } from '../request.ts'
import { textAt } from '../resources/fields.ts'
import type { ResourceStorage, ServedResource, Subresource, Typing } from '../resources/resource.ts'
import { strategyWith } from '../resources/strategies.ts'
import { prefixOf } from '../storage/keys.ts'
import { customTyping } from './custom-typing.ts'
import { type Definition, type DefinitionVersion, readDefinition, readNames } from './definition.ts'

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** The resources that a definition makes, one for each served version; none before its names are accepted. */
export function customResources(object: KubeObject, schemas: BuiltinSchemas): readonly ServedResource[] {
  const definition = readDefinition(object)
  if (!definition.isEstablished) return []
  const status = object['status'] as { readonly acceptedNames?: unknown } | undefined
  const named = { ...definition, names: readNames(status?.acceptedNames) }
  const stored = definition.versions.find(({ storage }) => storage)
  if (!stored) return []
  return definition.versions
    .filter(({ served }) => served)
    .map((version) => servedVersion({ definition: named, version, stored }, schemas))
}

interface VersionOf {
  readonly definition: Definition
  readonly version: DefinitionVersion
  readonly stored: DefinitionVersion
}

function servedVersion({ definition, version, stored }: VersionOf, schemas: BuiltinSchemas): ServedResource {
  const { group, names, scope } = definition
  const gvk = { group, version: version.name, kind: names.kind }
  const typing = customTyping({ source: version.schema, gvk, namespaced: scope === 'Namespaced' }, schemas)
  const warning = version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`
  return {
    group,
    version: version.name,
    plural: names.plural,
    kind: names.kind,
    listKind: names.listKind,
    singular: names.singular,
    namespaced: scope === 'Namespaced',
    shortNames: names.shortNames,
    categories: names.categories,
    // Nothing new comes in while the definition waits for the last object to go.
    verbs: definition.isTerminating ? VERBS.filter((verb) => verb !== 'create') : VERBS,
    subresources: subresourcesOf(definition, version),
    storage: storageOf(definition, version, { stored, typing }),
    typing,
    strategy: strategyWith(customResourceStrategy(version.hasStatus), {
      createOnUpdate: false,
      unconditionalUpdate: false,
    }),
    columns: customColumns(version.columns),
    fields: new Map(version.selectableFields.map((path) => [path.slice(1), textAt(...path.slice(1).split('.'))])),
    definedBy: definition.name,
    definedAt: definition.state,
    ...(version.deprecated ? { deprecation: warning } : {}),
  }
}

function subresourcesOf({ group, names }: Definition, version: DefinitionVersion): ReadonlyMap<string, Subresource> {
  const found = new Map<string, Subresource>()
  const verbs: readonly Verb[] = ['get', 'patch', 'update']
  if (version.hasStatus) found.set('status', { name: 'status', group, version: version.name, kind: names.kind, verbs })
  const { scale } = version
  if (scale) {
    found.set('scale', {
      name: 'scale',
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs,
      scale: {
        specReplicas: scale.specReplicasPath,
        statusReplicas: scale.statusReplicasPath,
        ...(scale.labelSelectorPath === undefined ? {} : { labelSelector: scale.labelSelectorPath }),
      },
    })
  }
  return found
}

/** Versions differ in their apiVersion alone (conversion None), and each fills in its own defaults when it is read. */
function storageOf(
  { group, names }: Definition,
  version: DefinitionVersion,
  { stored, typing }: { readonly stored: DefinitionVersion; readonly typing: Typing },
): ResourceStorage {
  const served = `${group}/${version.name}`
  const kept = `${group}/${stored.name}`
  const known = new WeakMap<KubeObject, KubeObject>()
  return {
    prefix: prefixOf(group, names.plural),
    toServed(object) {
      const before = known.get(object)
      if (before) return before
      const renamed = object.apiVersion === served ? object : { ...object, apiVersion: served }
      const made = typing.complete(renamed)
      known.set(object, made)
      return made
    },
    toKept: (object) => (object.apiVersion === kept ? object : { ...object, apiVersion: kept }),
  }
}
