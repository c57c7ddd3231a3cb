import { isObject } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { FieldSpec } from './field-spec.ts'
import { generateData } from './generate-data.ts'
import { contentHash } from './hash.ts'
import { inflateChart, type RenderHelm } from './helm-charts.ts'
import { setImages } from './images.ts'
import type {
  DataArguments,
  HelmChartEntry,
  HelmGlobals,
  ImageEntry,
  PatchEntry,
  ReplacementEntry,
  TargetPattern,
} from './kustomization.ts'
import {
  chartShape,
  configMapShape,
  fieldSpecShape,
  imageShape,
  patchShape,
  replacementShape,
  replicaShape,
  secretShape,
  targetFields,
} from './kustomization-shape.ts'
import { setMarks } from './marks.ts'
import { extendNames } from './names.ts'
import { checkSubjectMode, setNamespaces } from './namespaces.ts'
import { mergeFilesTransform, operationsTransform, type PatchTools, patchTransform, type Transform } from './patches.ts'
import { demand, refuse, within } from './refusal.ts'
import { loadReplacements, replaceFields } from './replacements.ts'
import { setReplicas } from './replicas.ts'
import { type Manifest, Resource, withMetadata } from './resource.ts'
import { idText } from './resource-id.ts'
import type { Resources } from './resources.ts'
import { readShape, type Shape } from './shape.ts'
import { fullSpec } from './transformer-config.ts'
import { addValue, checkValueTargets, type ValueTarget } from './value-add.ts'

/** What the plugins of one kustomization work with. */
export interface PluginTools extends PatchTools {
  readonly helm: RenderHelm | undefined
}

type Config = Readonly<Record<string, unknown>>

const metadata = { record: { name: 'text', namespace: 'text' } } as const satisfies Shape
const marksMap = { map: 'text' } as const satisfies Shape
const specs = { list: fieldSpecShape } as const satisfies Shape
const textList = { list: 'text' } as const satisfies Shape

/** Reads a plugin's own configuration as it is typed; a field that it does not know is ignored, as upstream does. */
function read<T>(config: Config, fields: Readonly<Record<string, Shape>>): T {
  // The shape is checked field by field.
  return readShape({ record: fields }, config, String(config['kind']), { strict: false, coerce: true }) as T
}

const specsOf = (list: readonly Partial<FieldSpec>[] | undefined): readonly FieldSpec[] => (list ?? []).map(fullSpec)

/** Puts the hash of its content, as it will be in the end, behind the name of everything that asks for it. */
export function addHashes(resources: Resources, settle: (manifest: Manifest) => Manifest = (same) => same): void {
  for (const resource of resources.list) {
    if (!resource.needsHash || resource.isGone) continue
    const name = `${resource.name}-${contentHash(settle(resource.manifest))}`
    resource.rememberId()
    resource.manifest = withMetadata(resource.manifest, 'name', name)
  }
}

type MakeTransform = (config: Config, tools: PluginTools) => Transform

interface Named {
  readonly metadata?: { readonly name?: string; readonly namespace?: string }
}

interface Specs {
  readonly fieldSpecs?: readonly Partial<FieldSpec>[]
}

function affix(where: 'prefix' | 'suffix'): MakeTransform {
  return (config) => {
    const { fieldSpecs, [where]: text = '' } = read<Specs & { readonly prefix?: string; readonly suffix?: string }>(
      config,
      {
        prefix: 'text',
        suffix: 'text',
        fieldSpecs: specs,
      },
    )
    if (!fieldSpecs) refuse('fieldSpecs is not expected to be nil')
    return (resources) => extendNames(resources, where, text, specsOf(fieldSpecs))
  }
}

function marks(field: 'labels' | 'annotations'): MakeTransform {
  return (config) => {
    const { fieldSpecs, ...both } = read<
      Specs & {
        readonly labels?: Readonly<Record<string, string>>
        readonly annotations?: Readonly<Record<string, string>>
      }
    >(config, { labels: marksMap, annotations: marksMap, fieldSpecs: specs })
    return (resources) => setMarks(resources, both[field] ?? {}, specsOf(fieldSpecs))
  }
}

const prefix = affix('prefix')
const suffix = affix('suffix')

const transformers: Readonly<Record<string, MakeTransform>> = {
  AnnotationsTransformer: marks('annotations'),
  LabelTransformer: marks('labels'),
  PrefixTransformer: prefix,
  SuffixTransformer: suffix,
  PrefixSuffixTransformer(config, tools) {
    const [first, second] = [prefix(config, tools), suffix(config, tools)]
    return (resources) => {
      first(resources)
      second(resources)
    }
  },
  HashTransformer: () => addHashes,
  ImageTagTransformer(config) {
    const { imageTag = {}, fieldSpecs } = read<Specs & { readonly imageTag?: ImageEntry }>(config, {
      imageTag: imageShape,
      fieldSpecs: specs,
    })
    return (resources) => setImages(resources, imageTag, specsOf(fieldSpecs))
  },
  NamespaceTransformer(config) {
    const options = read<Named & Specs & { readonly unsetOnly?: boolean; readonly setRoleBindingSubjects?: string }>(
      config,
      { metadata, fieldSpecs: specs, unsetOnly: 'flag', setRoleBindingSubjects: 'text' },
    )
    const subjects = checkSubjectMode(options.setRoleBindingSubjects)
    return (resources) =>
      setNamespaces(resources, {
        namespace: options.metadata?.namespace ?? '',
        specs: specsOf(options.fieldSpecs),
        unsetOnly: options.unsetOnly ?? false,
        subjects,
      })
  },
  PatchJson6902Transformer(config, { folder }) {
    const { target, path, jsonOp } = read<{
      readonly target?: TargetPattern
      readonly path?: string
      readonly jsonOp?: string
    }>(config, { target: { record: targetFields }, path: 'text', jsonOp: 'text' })
    return operationsTransform(target, path ?? '', jsonOp ?? '', folder)
  },
  PatchStrategicMergeTransformer(config, tools) {
    const { paths, patches } = read<{ readonly paths?: readonly string[]; readonly patches?: string }>(config, {
      paths: textList,
      patches: 'text',
    })
    return mergeFilesTransform(paths ?? [], patches ?? '', tools)
  },
  PatchTransformer: (config, tools) => patchTransform(read<PatchEntry>(config, patchShape.record), tools),
  ReplacementTransformer(config, { folder }) {
    const { replacements } = read<{ readonly replacements?: readonly ReplacementEntry[] }>(config, {
      replacements: { list: replacementShape },
    })
    const loaded = loadReplacements(replacements ?? [], folder)
    return (resources) => replaceFields(resources, loaded)
  },
  ReplicaCountTransformer(config) {
    const { replica, fieldSpecs } = read<
      Specs & { readonly replica?: { readonly name?: string; readonly count?: number } }
    >(config, { replica: replicaShape, fieldSpecs: specs })
    return (resources) => setReplicas(resources, replica?.name ?? '', replica?.count ?? 0, specsOf(fieldSpecs))
  },
  ValueAddTransformer(config, { folder }) {
    const targetShape: Shape = {
      record: { selector: { record: targetFields }, fieldPath: 'text', filePathPosition: 'integer' },
    }
    interface ValueAdd {
      readonly value?: string
      readonly targets?: readonly ValueTarget[]
      readonly targetFilePath?: string
    }
    const fields = { value: 'text', targets: { list: targetShape }, targetFilePath: 'text' } as const
    const { value = '', targets = [], targetFilePath } = read<ValueAdd>(config, fields)
    const more = targetFilePath
      ? (read<ValueAdd>(readYamlMap(folder.readText(targetFilePath)), fields).targets ?? [])
      : []
    const all = [...targets, ...more]
    checkValueTargets(all)
    return (resources) => addValue(resources, value.trim() || folder.base, all)
  },
}

type Generate = () => readonly Resource[]
type MakeGenerator = (config: Config, tools: PluginTools) => Generate

function dataGenerator(kind: 'ConfigMap' | 'Secret', fields: Readonly<Record<string, Shape>>): MakeGenerator {
  return (config, { folder, scopes }) => {
    const args = read<DataArguments & Named>(config, { ...fields, metadata })
    const name = args.name || args.metadata?.name
    const namespace = args.namespace || args.metadata?.namespace
    const full: DataArguments = { ...args, ...(name ? { name } : {}), ...(namespace ? { namespace } : {}) }
    return () => [generateData(kind, full, folder, scopes)]
  }
}

const generators: Readonly<Record<string, MakeGenerator>> = {
  ConfigMapGenerator: dataGenerator('ConfigMap', configMapShape.record),
  SecretGenerator: dataGenerator('Secret', secretShape.record),
  HelmChartInflationGenerator(config, tools) {
    const entry = read<HelmChartEntry & HelmGlobals>(config, chartShape.record)
    return () => inflateChart(entry, tools.folder, tools)
  },
  IAMPolicyGenerator(config, { scopes }) {
    const name = { name: 'text', namespace: 'text', projectId: 'text' } as const
    const { cloud, kubernetesService, serviceAccount } = read<{
      readonly cloud?: string
      readonly kubernetesService?: { readonly name?: string; readonly namespace?: string }
      readonly serviceAccount?: { readonly name?: string; readonly projectId?: string }
    }>(config, { cloud: 'text', kubernetesService: { record: name }, serviceAccount: { record: name } })
    if (cloud !== 'gke') refuse(`cloud provider ${cloud ?? ''} not supported yet`)
    const account = `${serviceAccount?.name ?? ''}@${serviceAccount?.projectId ?? ''}.iam.gserviceaccount.com`
    const manifest: Manifest = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        annotations: { 'iam.gke.io/gcp-service-account': account },
        name: kubernetesService?.name ?? '',
        ...(kubernetesService?.namespace ? { namespace: kubernetesService.namespace } : {}),
      },
    }
    return () => [new Resource(manifest, scopes)]
  },
}

function pluginOf<T>(table: Readonly<Record<string, T>>, resource: Resource): T {
  const { group, version, kind } = resource.id
  if (group === '' && version === 'builtin') {
    const plugin = Object.hasOwn(table, kind) ? table[kind] : undefined
    if (plugin) return plugin
    const isOther = Object.hasOwn(transformers, kind) || Object.hasOwn(generators, kind)
    if (isOther) refuse(`plugin ${idText(resource.id)} not a ${table === generators ? 'generator' : 'transformer'}`)
    refuse(`unable to load builtin ${kind}.builtin.[noGrp]`)
  }
  return refuse(
    `external plugins disabled; unable to load external plugin '${kind}': programs and containers are not run`,
  )
}

/** The transformer that a configuration describes. */
export function makeTransformer(resource: Resource, tools: PluginTools): Transform {
  const make = pluginOf(transformers, resource)
  return within(`plugin ${idText(resource.id)} fails configuration`, () => make(resource.manifest, tools))
}

/** The generator that a configuration describes. */
export function makeGenerator(resource: Resource, tools: PluginTools): Generate {
  return within('failed to load generator', () => {
    const make = pluginOf(generators, resource)
    return within(`plugin ${idText(resource.id)} fails configuration`, () => make(resource.manifest, tools))
  })
}

function readYamlMap(text: string): Config {
  const value = demand(parseYaml(text))
  return isObject(value) ? value : {}
}
