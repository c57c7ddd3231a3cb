import { type FieldSpec, mergeSpecs } from './field-spec.ts'
import { setImages } from './images.ts'
import type { Kustomization, LabelEntry } from './kustomization.ts'
import { setMarks } from './marks.ts'
import { extendNames } from './names.ts'
import { setNamespaces } from './namespaces.ts'
import { mergeFilesTransform, operationsTransform, type PatchTools, patchTransform, type Transform } from './patches.ts'
import { within } from './refusal.ts'
import { loadReplacements, replaceFields } from './replacements.ts'
import { setReplicas } from './replicas.ts'
import type { Resources } from './resources.ts'
import { fullSpec, type TransformerConfig } from './transformer-config.ts'

/** A change and the built-in plugin that stands for it. */
export type BuiltinStep = readonly [kind: string, run: Transform]

/** What the fields of a kustomization do to its resources, in the order in which kustomize does it. */
export function builtinSteps(
  kustomization: Kustomization,
  config: TransformerConfig,
  tools: PatchTools,
): readonly BuiltinStep[] {
  return [
    ...patchSteps(kustomization, tools),
    ...nameSteps(kustomization, config),
    ...labelSteps(kustomization, config).map((run): BuiltinStep => ['LabelTransformer', run]),
    ...annotationSteps(kustomization, config),
    ...(kustomization.patchesJson6902 ?? []).map(({ target, path = '', patch = '' }): BuiltinStep => [
      'PatchJson6902Transformer',
      operationsTransform(target, path, patch, tools.folder),
    ]),
    ...valueSteps(kustomization, config, tools),
  ]
}

function patchSteps(
  { patchesStrategicMerge: files = [], patches = [] }: Kustomization,
  tools: PatchTools,
): readonly BuiltinStep[] {
  const merge: readonly BuiltinStep[] =
    files.length > 0 ? [['PatchStrategicMergeTransformer', mergeFilesTransform(files, '', tools)]] : []
  return [...merge, ...patches.map((entry): BuiltinStep => ['PatchTransformer', patchTransform(entry, tools)])]
}

function nameSteps(
  { namespace = '', namePrefix = '', nameSuffix = '' }: Kustomization,
  config: TransformerConfig,
): readonly BuiltinStep[] {
  const steps: BuiltinStep[] = []
  if (namespace !== '') {
    const setting = { namespace, specs: config.namespace, unsetOnly: false, subjects: 'defaultOnly' }
    steps.push(['NamespaceTransformer', (resources) => setNamespaces(resources, setting)])
  }
  if (namePrefix !== '') {
    steps.push(['PrefixTransformer', (resources) => extendNames(resources, 'prefix', namePrefix, config.namePrefix)])
  }
  if (nameSuffix !== '') {
    steps.push(['SuffixTransformer', (resources) => extendNames(resources, 'suffix', nameSuffix, config.nameSuffix)])
  }
  return steps
}

function annotationSteps({ commonAnnotations = {} }: Kustomization, config: TransformerConfig): readonly BuiltinStep[] {
  if (Object.keys(commonAnnotations).length === 0) return []
  return [['AnnotationsTransformer', (resources) => setMarks(resources, commonAnnotations, config.commonAnnotations)]]
}

function valueSteps(
  { replicas = [], images = [], replacements = [] }: Kustomization,
  config: TransformerConfig,
  { folder }: PatchTools,
): readonly BuiltinStep[] {
  const steps: BuiltinStep[] = [
    ...replicas.map(({ name = '', count = 0 }): BuiltinStep => [
      'ReplicaCountTransformer',
      (resources) => setReplicas(resources, name, count, config.replicas),
    ]),
    ...images.map((image): BuiltinStep => [
      'ImageTagTransformer',
      (resources) => setImages(resources, image, config.images),
    ]),
  ]
  if (replacements.length > 0) {
    const loaded = loadReplacements(replacements, folder)
    steps.push(['ReplacementTransformer', (resources) => replaceFields(resources, loaded)])
  }
  return steps
}

function labelSteps(kustomization: Kustomization, config: TransformerConfig): readonly Transform[] {
  const { labels = [], commonLabels = {} } = kustomization
  if (labels.length === 0 && Object.keys(commonLabels).length === 0) return []
  return [
    ...labels.map((entry): Transform => {
      const specs = within('failed to merge labels', () => labelSpecs(entry, config))
      return (resources) => setMarks(resources, entry.pairs ?? {}, specs)
    }),
    (resources: Resources): void => setMarks(resources, commonLabels, config.commonLabels),
  ]
}

function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  let specs = mergeSpecs((entry.fields ?? []).map(fullSpec), config.labels)
  if (entry.includeSelectors) return mergeSpecs(specs, config.commonLabels)
  if (entry.includeTemplates) specs = mergeSpecs(specs, config.templateLabels)
  if (entry.includeVolumeClaimTemplates) specs = mergeSpecs(specs, config.volumeClaimTemplateLabels)
  return mergeSpecs([...specs], [fullSpec({ path: 'metadata/labels', create: true })])
}
