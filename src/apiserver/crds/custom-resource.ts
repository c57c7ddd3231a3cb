import { customColumns } from '../../kube/builtin/columns/index.ts'
import { customResourceStrategy } from '../../kube/builtin/strategy.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import { succeed } from '../../lib/result.ts'
import type { Verb } from '../request.ts'
import { textAt } from '../resources/fields.ts'
import type { FormConverter, ResourceStorage, ServedResource, Subresource, Typing } from '../resources/resource.ts'
import { strategyWith } from '../resources/strategies.ts'
import { prefixOf } from '../storage/keys.ts'
import { type ConversionPorts, webhookConverter } from './conversion.ts'
import { customTyping } from './custom-typing.ts'
import { type Definition, type DefinitionVersion, readDefinition, readNames } from './definition.ts'

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** What resources of definitions need besides their definition. */
export interface Surroundings {
  readonly schemas: BuiltinSchemas
  readonly ports: ConversionPorts
}

/** The resources that a definition makes, one for each served version; none before its names are accepted. */
export function customResources(object: KubeObject, { schemas, ports }: Surroundings): readonly ServedResource[] {
  const definition = readDefinition(object)
  if (!definition.isEstablished) return []
  const status = object['status'] as { readonly acceptedNames?: unknown } | undefined
  const named = { ...definition, names: readNames(status?.acceptedNames) }
  const stored = definition.versions.find(({ storage }) => storage)
  if (!stored) return []
  return definition.versions
    .filter(({ served }) => served)
    .map((version) => servedVersion({ definition: named, version, stored }, { schemas, ports }))
}

interface VersionOf {
  readonly definition: Definition
  readonly version: DefinitionVersion
  readonly stored: DefinitionVersion
}

function servedVersion(made: VersionOf, { schemas, ports }: Surroundings): ServedResource {
  const { definition, version } = made
  const { group, names, scope } = definition
  const typing = typingOf(definition, version, schemas)
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
    storage: storageOf(made, typing, converterOf(made, typing, { schemas, ports })),
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

function typingOf({ group, names, scope }: Definition, version: DefinitionVersion, schemas: BuiltinSchemas): Typing {
  const gvk = { group, version: version.name, kind: names.kind }
  return customTyping({ source: version.schema, gvk, namespaced: scope === 'Namespaced' }, schemas)
}

/** Asks the webhook of a definition that has one; what it answers is completed in the version it is in. */
function converterOf(
  { definition, version, stored }: VersionOf,
  typing: Typing,
  { schemas, ports }: Surroundings,
): FormConverter | undefined {
  const { conversionWebhook: webhook, group, names } = definition
  if (!webhook) return undefined
  const ask = webhookConverter({ webhook, kind: names.kind }, ports)
  const keptTyping = stored === version ? typing : typingOf(definition, stored, schemas)
  const forms = {
    served: { apiVersion: `${group}/${version.name}`, typing },
    kept: { apiVersion: `${group}/${stored.name}`, typing: keptTyping },
  }
  return {
    isForeign: (object) => object.apiVersion !== forms.served.apiVersion,
    async convert(objects, to) {
      const { apiVersion, typing: form } = forms[to]
      const converted = await ask(objects, apiVersion)
      if (!converted.ok) return converted
      return succeed(converted.value.map((object, at) => (object === objects[at] ? object : form.complete(object))))
    },
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

/** Versions differ in their apiVersion alone unless a webhook converts, and each fills in its own defaults when it is read. */
function storageOf(
  { definition: { group, names }, version, stored }: VersionOf,
  typing: Typing,
  converter: FormConverter | undefined,
): ResourceStorage {
  const served = `${group}/${version.name}`
  const kept = `${group}/${stored.name}`
  const known = new WeakMap<KubeObject, KubeObject>()
  return {
    prefix: prefixOf(group, names.plural),
    ...(converter ? { converter } : {}),
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
