import { parseYaml } from '../../lib/yaml.ts'
import * as defaults from './default-specs.ts'
import type { NameReference } from './default-specs.ts'
import { type FieldSpec, mergeSpecs } from './field-spec.ts'
import { fieldSpecShape } from './kustomization-shape.ts'
import { demand, within } from './refusal.ts'
import { type Gvk, sameGvk } from './resource-id.ts'
import { readShape, type Shape } from './shape.ts'

/** Which fields each built-in transformer touches. */
export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[]
  readonly nameSuffix: readonly FieldSpec[]
  readonly namespace: readonly FieldSpec[]
  readonly commonLabels: readonly FieldSpec[]
  readonly labels: readonly FieldSpec[]
  readonly templateLabels: readonly FieldSpec[]
  readonly volumeClaimTemplateLabels: readonly FieldSpec[]
  readonly commonAnnotations: readonly FieldSpec[]
  readonly varReference: readonly FieldSpec[]
  readonly images: readonly FieldSpec[]
  readonly replicas: readonly FieldSpec[]
  readonly nameReference: readonly NameReference[]
}

type SpecLists = Readonly<Record<SpecList, readonly FieldSpec[]>>
type SpecList = Exclude<keyof TransformerConfig, 'nameReference'>

const specLists: readonly SpecList[] = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'labels',
  'templateLabels',
  'volumeClaimTemplateLabels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
]

function eachList(make: (name: SpecList) => readonly FieldSpec[]): SpecLists {
  // Every name of the list gets one.
  return Object.fromEntries(specLists.map((name) => [name, make(name)])) as unknown as SpecLists
}

/** A configuration that touches nothing. */
export const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  volumeClaimTemplateLabels: [],
  commonAnnotations: [],
  varReference: [],
  images: [],
  replicas: [],
  nameReference: [],
}

/** What is touched without any configuration. */
export const defaultConfig: TransformerConfig = {
  ...emptyConfig,
  namePrefix: defaults.names,
  nameSuffix: defaults.names,
  namespace: defaults.namespaces,
  commonLabels: defaults.commonLabels,
  templateLabels: defaults.templateLabels,
  volumeClaimTemplateLabels: defaults.claimTemplateLabels,
  commonAnnotations: defaults.commonAnnotations,
  varReference: defaults.variableReferences,
  images: defaults.images,
  replicas: defaults.replicas,
  nameReference: defaults.nameReferences,
}

const specsShape = { list: fieldSpecShape } as const satisfies Shape
const configShape: Shape = {
  record: {
    ...Object.fromEntries(specLists.map((name) => [name, specsShape])),
    nameReference: { list: { record: { group: 'text', version: 'text', kind: 'text', fieldSpecs: specsShape } } },
  },
}

/** Completes a field spec as it is written in a file. */
export const fullSpec = (spec: Partial<FieldSpec>): FieldSpec => ({
  group: spec.group ?? '',
  version: spec.version ?? '',
  kind: spec.kind ?? '',
  path: spec.path ?? '',
  create: spec.create ?? false,
})

interface ConfigFile extends Partial<Record<SpecList, readonly Partial<FieldSpec>[]>> {
  readonly nameReference?: readonly (Partial<Gvk> & { readonly fieldSpecs?: readonly Partial<FieldSpec>[] })[]
}

/** Reads a file of the `configurations` field. */
export function readConfig(text: string): TransformerConfig {
  const value = demand(parseYaml(text))
  // The shape is checked here.
  const file = (readShape(configShape, value, 'TransformerConfig', { strict: true, coerce: true }) ?? {}) as ConfigFile
  const lists = eachList((name) => (file[name] ?? []).map(fullSpec).toSorted(byKind))
  const nameReference = (file.nameReference ?? []).map(({ group = '', version = '', kind = '', fieldSpecs = [] }) => ({
    group,
    version,
    kind,
    fields: fieldSpecs.map(fullSpec),
  }))
  return { ...lists, nameReference: nameReference.toSorted(byKind) }
}

/** Adds one configuration to another. */
export function mergeConfig(config: TransformerConfig, incoming: TransformerConfig): TransformerConfig {
  if (config === incoming || incoming === emptyConfig) return config
  if (incoming === defaultConfig) {
    // Almost every merge is this one, and it always comes to the same.
    if (config === settledDefaults) return config
    if (config === emptyConfig) return (settledDefaults ??= merged(config, incoming))
  }
  if (incoming === settledDefaults && config === emptyConfig) return incoming
  return merged(config, incoming)
}

let settledDefaults: TransformerConfig | undefined

/** Even into an empty one every spec is added by itself: one for all kinds is dropped behind one for a single kind. */
function merged(config: TransformerConfig, incoming: TransformerConfig): TransformerConfig {
  const lists = eachList((name) =>
    within(`failed to merge ${name} fieldSpec`, () => mergeSpecs(config[name], incoming[name]).toSorted(byKind)),
  )
  return { ...lists, nameReference: mergeReferences(config.nameReference, incoming.nameReference) }
}

function mergeReferences(
  references: readonly NameReference[],
  incoming: readonly NameReference[],
): readonly NameReference[] {
  if (references === incoming) return references
  const merged = [...references]
  for (const one of incoming) {
    const index = merged.findIndex((other) => sameGvk(other, one))
    const known = merged[index]
    if (!known) merged.push(one)
    else if (known !== one) {
      merged[index] = {
        ...known,
        fields: within('failed to merge NameReference fieldSpec', () => mergeSpecs(known.fields, one.fields)),
      }
    }
  }
  return merged.toSorted(byKind)
}

const first =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'

/** Kinds that the old order of output puts first. */
export const orderFirst: readonly string[] = first.split(' ')
/** Kinds that it puts last. */
export const orderLast: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** How far in front or behind each kind goes; the others are at 0. */
export const kindRanks = (firstKinds: readonly string[], lastKinds: readonly string[]): ReadonlyMap<string, number> =>
  new Map([
    ...firstKinds.map((kind, index) => [kind, index - firstKinds.length] as const),
    ...lastKinds.map((kind, index) => [kind, index + 1] as const),
  ])

const usualRanks = kindRanks(orderFirst, orderLast)

/** The text by which kinds of one rank are sorted. */
export const sortText = ({ group, version, kind }: Gvk): string => `${group || '~G'}_${version || '~V'}_${kind || '~K'}`

function byKind(a: Gvk, b: Gvk): number {
  const ranks = (usualRanks.get(a.kind) ?? 0) - (usualRanks.get(b.kind) ?? 0)
  if (ranks !== 0) return ranks
  const left = sortText(a)
  const right = sortText(b)
  return left < right ? -1 : left > right ? 1 : 0
}
