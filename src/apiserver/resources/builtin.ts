import type { BuiltinResource, BuiltinSchemas } from '../../kube/schema/builtin.ts'
import type { Verb } from '../request.ts'
import { prefixOf } from '../storage/keys.ts'
import { columnsOf } from '../../kube/builtin/columns/index.ts'
import { conversionOf, keptIn } from './conversions.ts'
import { selectableFields } from './fields.ts'
import type { ResourceStorage, ServedResource, Subresource } from './resource.ts'
import { builtinStrategy } from '../../kube/builtin/kinds.ts'
import { strategyWith } from './strategies.ts'
import { builtinTraits } from './traits.ts'
import { builtinTyping } from './typing.ts'

/** Groups that are served by default; the others of the table are alpha or of no use without what is behind them. */
const served: ReadonlySet<string> = new Set([
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
])

const order = [...served]

/** Kinds of which nothing is kept: a create is a question, and its answer is the object. */
const questions =
  /^(?:Token|SelfSubject|Subject|LocalSubject|SelfSubjectRules)(?:AccessReview|RulesReview|Review)$|^Binding$|^ComponentStatus$/

/** Every built-in resource, in the order in which discovery lists its group. */
export function builtinResources(schemas: BuiltinSchemas): readonly ServedResource[] {
  const table = schemas.resources().filter(({ group, version }) => served.has(group) && /^v\d+$/.test(version))
  const below = new Map<string, BuiltinResource[]>()
  for (const entry of table) {
    if (entry.subresource === undefined) continue
    const id = `${entry.group}/${entry.version}/${entry.plural}`
    below.set(id, [...(below.get(id) ?? []), entry])
  }
  return table
    .filter(({ subresource }) => subresource === undefined)
    .toSorted((a, b) => order.indexOf(a.group) - order.indexOf(b.group))
    .map((entry) => servedFrom(schemas, entry, below.get(`${entry.group}/${entry.version}/${entry.plural}`) ?? []))
}

function servedFrom(
  schemas: BuiltinSchemas,
  entry: BuiltinResource,
  below: readonly BuiltinResource[],
): ServedResource {
  const subresources = new Map(below.map((one) => [one.subresource ?? '', subresourceFrom(one)]))
  const { group, version, kind } = entry
  const typing = builtinTyping(schemas, { group, version, kind }, entry.namespaced)
  return {
    group,
    version,
    plural: entry.plural,
    kind,
    listKind: `${kind}List`,
    singular: entry.singular,
    namespaced: entry.namespaced,
    shortNames: entry.shortNames,
    categories: entry.categories,
    verbs: entry.verbs as readonly Verb[], // The table holds verbs of the API.
    subresources,
    storage: questions.test(kind) ? undefined : storageOf(entry),
    typing,
    strategy: strategyWith(builtinStrategy(entry, subresources.has('status')), builtinTraits(entry)),
    columns: columnsOf({ group, kind }),
    fields: selectableFields({ group, kind }),
  }
}

function subresourceFrom({ subresource = '', speaks, verbs }: BuiltinResource): Subresource {
  return {
    name: subresource,
    kind: speaks.kind,
    group: speaks.group,
    version: speaks.version,
    verbs: verbs as readonly Verb[], // The table holds verbs of the API.
    ...(subresource === 'scale'
      ? {
          scale: {
            specReplicas: '.spec.replicas',
            statusReplicas: '.status.replicas',
            labelSelector: '.status.selector',
          },
        }
      : {}),
  }
}

function storageOf({ group, version, plural, kind }: BuiltinResource): ResourceStorage {
  return { prefix: prefixOf(keptIn.get(`${group}/${kind}`) ?? group, plural), ...conversionOf(group, version, kind) }
}
