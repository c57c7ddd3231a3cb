import { isObject } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { FieldSpec } from './field-spec.ts'
import { demand, refuse, within } from './refusal.ts'
import { kustomizationShape } from './kustomization-shape.ts'
import { readShape } from './shape.ts'

/** A pattern for each part of an id; everything when empty. */
export interface TargetPattern {
  readonly group?: string
  readonly version?: string
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
  readonly labelSelector?: string
  readonly annotationSelector?: string
}

export interface PatchEntry {
  readonly path?: string
  readonly patch?: string
  readonly target?: TargetPattern
  readonly options?: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean }
}

export interface ImageEntry {
  readonly name?: string
  readonly newName?: string
  readonly newTag?: string
  readonly tagSuffix?: string
  readonly digest?: string
}

export interface LabelEntry {
  readonly pairs?: Readonly<Record<string, string>>
  readonly includeSelectors?: boolean
  readonly includeTemplates?: boolean
  readonly includeVolumeClaimTemplates?: boolean
  readonly fields?: readonly Partial<FieldSpec>[]
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly disableNameSuffixHash?: boolean
  readonly immutable?: boolean
}

export interface DataArguments {
  readonly name?: string
  readonly namespace?: string
  readonly behavior?: string
  readonly literals?: readonly string[]
  readonly files?: readonly string[]
  readonly envs?: readonly string[]
  readonly env?: string
  readonly type?: string
  readonly options?: GeneratorOptions
}

export interface VariableEntry {
  readonly name: string
  readonly objref: TargetPattern & { readonly apiVersion?: string }
  readonly fieldref?: { readonly fieldPath?: string }
}

export interface FieldOptions {
  readonly delimiter?: string
  readonly index?: number
  readonly encoding?: string
  readonly create?: boolean
}

export interface ReplacementEntry {
  readonly path?: string
  readonly source?: TargetPattern & { readonly fieldPath?: string; readonly options?: FieldOptions }
  readonly sourceValue?: string
  readonly targets?: readonly {
    readonly select?: TargetPattern
    readonly reject?: readonly TargetPattern[]
    readonly fieldPaths?: readonly string[]
    readonly options?: FieldOptions
  }[]
}

export interface SortOptions {
  readonly order?: string
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] }
}

export interface HelmGlobals {
  readonly chartHome?: string
  readonly configHome?: string
}

export interface HelmChartEntry {
  readonly name?: string
  readonly version?: string
  readonly repo?: string
  readonly releaseName?: string
  readonly namespace?: string
  readonly additionalValuesFiles?: readonly string[]
  readonly valuesFile?: string
  readonly valuesInline?: Readonly<Record<string, unknown>>
  readonly valuesMerge?: string
  readonly includeCRDs?: boolean
  readonly skipHooks?: boolean
  readonly apiVersions?: readonly string[]
  readonly kubeVersion?: string
  readonly nameTemplate?: string
  readonly skipTests?: boolean
  readonly debug?: boolean
  readonly devel?: boolean
}

/** A kustomization as the engine works with it: deprecated fields are folded into those that took their place. */
export interface Kustomization {
  readonly apiVersion: string
  readonly kind: string
  readonly openapi?: Readonly<Record<string, string>>
  readonly namePrefix?: string
  readonly nameSuffix?: string
  readonly namespace?: string
  readonly commonLabels?: Readonly<Record<string, string>>
  readonly labels?: readonly LabelEntry[]
  readonly commonAnnotations?: Readonly<Record<string, string>>
  readonly patchesStrategicMerge?: readonly string[]
  readonly patchesJson6902?: readonly PatchEntry[]
  readonly patches?: readonly PatchEntry[]
  readonly images?: readonly ImageEntry[]
  readonly replacements?: readonly ReplacementEntry[]
  readonly replicas?: readonly { readonly name?: string; readonly count?: number }[]
  readonly vars?: readonly VariableEntry[]
  readonly sortOptions?: SortOptions
  readonly resources?: readonly string[]
  readonly components?: readonly string[]
  readonly crds?: readonly string[]
  readonly configMapGenerator?: readonly DataArguments[]
  readonly secretGenerator?: readonly DataArguments[]
  readonly helmGlobals?: HelmGlobals
  readonly helmCharts?: readonly HelmChartEntry[]
  readonly generatorOptions?: GeneratorOptions
  readonly configurations?: readonly string[]
  readonly generators?: readonly string[]
  readonly transformers?: readonly string[]
  readonly validators?: readonly string[]
  readonly buildMetadata?: readonly string[]
}

const deprecated: readonly (readonly [field: string, instead: string, how: string])[] = [
  ['bases', 'resources', ''],
  ['commonLabels', 'labels', ''],
  ['imageTags', 'images', ''],
  ['patchesJson6902', 'patches', ''],
  ['patchesStrategicMerge', 'patches', ''],
  ['vars', 'replacements', '[EXPERIMENTAL] '],
]

/** A kustomization file's content, and what it should say otherwise. */
export interface KustomizationFile {
  readonly kustomization: Kustomization
  readonly warnings: readonly string[]
}

type Fields = Record<string, unknown>

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Reads a kustomization file. */
export function readKustomization(text: string, folder: string): KustomizationFile {
  const value = demand(parseYaml(text), 'invalid Kustomization')
  if (value !== null && !isObject(value)) refuse('invalid Kustomization: json: cannot unmarshal into Kustomization')
  const reading = { strict: true }
  const fields = within(
    'invalid Kustomization',
    // The shape is a record.
    () => (readShape(kustomizationShape, value ?? {}, 'Kustomization', reading) ?? {}) as Fields,
  )
  const warnings = deprecated
    .filter(([field]) => fields[field] !== undefined)
    .map(
      ([field, instead, how]) =>
        `# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${how}Run 'kustomize edit fix' to update your Kustomization automatically.`,
    )
  const isEmpty = Object.keys(fields).every((field) => field === 'apiVersion' || field === 'kind')
  if (isEmpty) refuse('kustomization.yaml is empty')
  return { kustomization: checked(modern(fields), folder), warnings }
}

/** Folds deprecated fields into those that took their place. */
function modern(fields: Fields): Fields {
  const { bases, imageTags, helmChartInflationGenerator, ...rest } = fields
  const kind = rest['kind'] === undefined || rest['kind'] === '' ? 'Kustomization' : rest['kind']
  const apiVersion =
    rest['apiVersion'] === undefined || rest['apiVersion'] === '' ? versionOf(kind) : rest['apiVersion']
  const oldCharts = listOf(helmChartInflationGenerator).filter(isObject)
  return {
    ...rest,
    kind,
    apiVersion,
    resources: [...listOf(rest['resources']), ...listOf(bases)],
    images: [...listOf(rest['images']), ...listOf(imageTags)],
    configMapGenerator: withEnvs(rest['configMapGenerator']),
    secretGenerator: withEnvs(rest['secretGenerator']),
    ...(oldCharts.length > 0 ? { helmCharts: [...listOf(rest['helmCharts']), ...oldCharts.map(chartOf)] } : {}),
    ...(rest['helmGlobals'] === undefined && oldCharts.length > 0 ? { helmGlobals: globalsOf(oldCharts) } : {}),
  }
}

const versionOf = (kind: unknown): string => `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`

const withEnvs = (list: unknown): readonly unknown[] =>
  listOf(list).map((entry) =>
    isObject(entry) && entry['env'] ? { ...entry, envs: [...listOf(entry['envs']), entry['env']], env: '' } : entry,
  )

function globalsOf(charts: readonly Readonly<Record<string, unknown>>[]): unknown {
  const globals: Record<string, unknown> = {}
  for (const { chartHome, configHome } of charts) {
    if (chartHome) globals['chartHome'] = chartHome
    if (configHome) globals['configHome'] = configHome
  }
  return globals
}

function chartOf(old: Readonly<Record<string, unknown>>): unknown {
  const made = {
    name: old['chartName'],
    version: old['chartVersion'],
    repo: old['chartRepoUrl'],
    valuesFile: old['values'],
    valuesInline: old['valuesLocal'],
    valuesMerge: old['valuesMerge'],
    releaseName: old['releaseName'],
    namespace: old['releaseNamespace'],
  }
  return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined))
}

function checked(fields: Fields, folder: string): Kustomization {
  const { kind, apiVersion } = fields
  const wrong: string[] = []
  if (kind !== 'Kustomization' && kind !== 'Component') wrong.push('kind should be Kustomization or Component')
  if (apiVersion !== versionOf(kind)) wrong.push(`apiVersion for ${String(kind)} should be ${versionOf(kind)}`)
  if (wrong.length > 0) refuse(`Failed to read kustomization file under ${folder}: ${wrong.join('; ')}`)
  // The shape was just checked, field by field.
  return fields as unknown as Kustomization
}
