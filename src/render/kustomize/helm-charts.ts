import { emitYaml, parseYaml } from '../../lib/yaml.ts'
import { isObject } from '../../lib/json.ts'
import type { FileTree } from '../../lib/file-tree.ts'
import type { Result } from '../../lib/result.ts'
import { type Folder } from './files.ts'
import { cleanPath } from '../../lib/file-tree.ts'
import type { HelmChartEntry, HelmGlobals } from './kustomization.ts'
import type { Merge } from './patches.ts'
import { readManifests } from './read-manifests.ts'
import { demand, refuse } from './refusal.ts'
import { type Manifest, Resource, type Scopes } from './resource.ts'

/** What a chart is rendered with. Values are files' contents, later ones win. */
export interface ChartRequest {
  readonly tree: FileTree
  /** The chart's folder in the tree; undefined when it has to be pulled from `repo`. */
  readonly path: string | undefined
  readonly chart: HelmChartEntry
  readonly values: readonly string[]
}

/** Renders a chart to manifests; injected, because charts are another renderer's matter. */
export type RenderHelm = (request: ChartRequest) => Result<string>

/** The resources that a chart makes. */
export function inflateChart(
  entry: HelmChartEntry & HelmGlobals,
  folder: Folder,
  { helm, merge, scopes }: { readonly helm: RenderHelm | undefined; readonly merge: Merge; readonly scopes: Scopes },
): readonly Resource[] {
  if (!entry.name) refuse('chart name cannot be empty')
  if (!helm) {
    return refuse('must specify --enable-helm')
  }
  const merging = entry.valuesMerge || 'override'
  if (!['merge', 'override', 'replace'].includes(merging)) {
    refuse('valuesMerge must be one of [merge override replace]')
  }
  const home = chartHome(entry, folder)
  const path = folder.tree.list(`${home}/${entry.name}`) ? `${home}/${entry.name}` : undefined
  if (path === undefined && !entry.repo) {
    refuse(`no repo specified for pull, no chart found at '/${home}/${entry.name}'`)
  }
  const values = [
    chartValues(entry, merging, path, folder, merge),
    ...(entry.additionalValuesFiles ?? []).map((file) => folder.readText(file)),
  ]
  const made = demand(helm({ tree: folder.tree, path, chart: entry, values }))
  return readManifests(made).map((manifest) => new Resource(manifest, scopes))
}

function chartHome(
  { chartHome: home = '', version, repo, name }: HelmChartEntry & HelmGlobals,
  folder: Folder,
): string {
  const path =
    cleanPath(home.startsWith('/') ? '' : folder.path, home || 'charts') ?? refuse(`'${home}' leads out of the tree`)
  return version && repo ? `${path}/${name ?? ''}-${version}` : path
}

function chartValues(
  { valuesFile, valuesInline }: HelmChartEntry,
  merging: string,
  path: string | undefined,
  folder: Folder,
  merge: Merge,
): string {
  const read = (): string => {
    if (valuesFile) return folder.readText(valuesFile)
    const own = path === undefined ? undefined : folder.tree.read(`${path}/values.yaml`)
    return own ? new TextDecoder().decode(own) : ''
  }
  if (!valuesInline || Object.keys(valuesInline).length === 0) return read()
  if (merging === 'replace') return emitYaml(valuesInline)
  const value = demand(parseYaml(read(), { dialect: 'kyaml' }))
  const file: Manifest = isObject(value) ? value : {}
  return emitYaml(merging === 'override' ? merge(file, valuesInline) : merge(valuesInline, file))
}
