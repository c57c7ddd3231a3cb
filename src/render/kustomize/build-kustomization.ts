import type { FileTree } from '../../lib/file-tree.ts'
import type { Result } from '../../lib/result.ts'
import { isObject, own } from '../../lib/json.ts'
import { emitYaml } from '../../lib/yaml.ts'
import { Accumulator } from './accumulator.ts'
import { Folder, type Remote } from './files.ts'
import { cleanPath } from '../../lib/file-tree.ts'
import type { RenderHelm } from './helm-charts.ts'
import { setMarks } from './marks.ts'
import { type MergeTable, readMergeTable } from './merge/table.ts'
import { originText, transformationsText } from './origins.ts'
import { addHashes } from './plugins.ts'
import { attemptBuild, refuse } from './refusal.ts'
import {
  type Manifest,
  type Origin,
  ORIGIN_ANNOTATION,
  type Resource,
  TRANSFORMATIONS_ANNOTATION,
  withMetadata,
} from './resource.ts'
import { sortResources } from './sort.ts'
import { type Build, Target } from './target.ts'
import { fullSpec } from './transformer-config.ts'
import { resolveVariables } from './variables.ts'

/** How a kustomization is built. */
export interface KustomizeOptions {
  /** The packed table of kinds that came with the package. */
  readonly table: MergeTable
  /** Whether files must lie at or below the folder of the kustomization that names them. */
  readonly loadRestrictor?: 'rootOnly' | 'none'
  /** The order of output where the kustomization does not say; `none` keeps the order of the resources. */
  readonly reorder?: 'none' | 'legacy'
  readonly addManagedByLabel?: boolean
  /** Renders charts; without it they are refused. */
  readonly helm?: RenderHelm
  /** Where remote bases come from; without it they are refused. */
  readonly remote?: Remote
  /** What whoever builds will still make of a manifest: names with hashes go by that. */
  readonly settle?: (manifest: Manifest) => Manifest
}

/** A manifest of a build, and where it came from. */
export interface BuiltManifest {
  readonly manifest: Manifest
  readonly origin: Origin | undefined
  /** What changed it on the way. */
  readonly transformations: readonly Origin[]
}

/** What a build answers. */
export interface KustomizeBuild {
  readonly manifests: readonly BuiltManifest[]
  /** The manifests as kustomize prints them. */
  readonly text: string
  /** Every file that was read, sorted. */
  readonly reads: readonly string[]
  readonly warnings: readonly string[]
}

const VERSION = 'v5.6.0'

/** The packed table of kinds: pass the data reader of the package. */
export function kindTable(readData: (name: string) => Uint8Array): MergeTable {
  return readMergeTable(new TextDecoder().decode(readData('kustomize/merge-table')))
}

/** Builds the kustomization in a folder of a tree, as `kustomize build` does. */
export function buildKustomization(tree: FileTree, path: string, options: KustomizeOptions): Result<KustomizeBuild> {
  const reads = new Set<string>()
  const traced: FileTree = {
    read(file) {
      const content = tree.read(file)
      if (content) reads.add(file)
      return content
    },
    list: (folder) => tree.list(folder),
  }
  return attemptBuild(() => {
    const root = cleanPath('', path) ?? refuse(`'${path}' leads out of the tree`)
    if (!tree.list(root)) refuse(`must build at directory: not a valid directory: '/${root}'`)
    const access = { restricted: options.loadRestrictor !== 'none', remote: options.remote }
    const folder = new Folder(traced, root, access)
    const build: Build = { table: options.table, hasDefinitions: false, helm: options.helm, targets: 0, warnings: [] }
    const { resources, metadata } = run(folder, build, options)
    const manifests = resources.map((resource) => finished(resource, metadata))
    return {
      manifests,
      text: manifests.map(({ manifest }) => emitYaml(manifest)).join('---\n'),
      reads: [...reads].toSorted(),
      warnings: build.warnings,
    }
  })
}

interface Run {
  readonly resources: readonly Resource[]
  readonly metadata: readonly string[]
}

function run(folder: Folder, build: Build, options: KustomizeOptions): Run {
  const target = new Target(folder, build, {})
  target.useDefinitions()
  const all = target.accumulate(new Accumulator())
  const { resources } = all
  addHashes(resources, options.settle)
  all.fixNames()
  const unused = resolveVariables(resources, all.variables, all.config.varReference)
  if (unused.length > 0) build.warnings.push(`well-defined vars that were never replaced: ${unused.join(',')}`)
  resources.list = resources.list.filter((resource) => !resource.isGone && !isLocal(resource))
  const { sortOptions, buildMetadata = [] } = target.kustomization
  if (sortOptions) sortResources(resources, sortOptions)
  else if (options.reorder !== 'none') sortResources(resources, { order: 'legacy' })
  if (options.addManagedByLabel || buildMetadata.includes('managedByLabel')) {
    const specs = [fullSpec({ path: 'metadata/labels', create: true })]
    setMarks(resources, { 'app.kubernetes.io/managed-by': `kustomize-${VERSION}` }, specs)
  }
  return { resources: resources.list, metadata: buildMetadata }
}

function isLocal({ annotations }: Resource): boolean {
  const local = annotations && own(annotations, 'config.kubernetes.io/local-config')
  return local !== undefined && local !== 'false' && local !== false
}

function finished(resource: Resource, metadata: readonly string[]): BuiltManifest {
  const { origin, transformations } = resource
  let manifest = resource.withoutBuildAnnotations()
  const shown: Record<string, string> = {}
  if (metadata.includes('originAnnotations') && origin) shown[ORIGIN_ANNOTATION] = originText(origin)
  if (metadata.includes('transformerAnnotations') && transformations.length > 0) {
    shown[TRANSFORMATIONS_ANNOTATION] = transformationsText(transformations)
  }
  if (Object.keys(shown).length > 0) {
    const before = own(manifest, 'metadata')
    const annotations = isObject(before) ? own(before, 'annotations') : undefined
    manifest = withMetadata(manifest, 'annotations', { ...(isObject(annotations) ? annotations : {}), ...shown })
  }
  return { manifest, origin, transformations }
}
