import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import { cleanPath, type FileTree } from '../../lib/file-tree.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import { renderDirectory } from '../directory/render-directory.ts'
import type { Chart } from '../helm/chart.ts'
import { loadChart } from '../helm/load-chart.ts'
import { originOf } from '../helm/manifests.ts'
import { mergeValues } from '../helm/merge-values.ts'
import { type ChartRendering, renderChart } from '../helm/render-chart.ts'
import { buildKustomization, type KustomizeOptions } from '../kustomize/build-kustomization.ts'
import type { Origin } from '../kustomize/resource.ts'
import { detectSourceType, type SourceType } from '../source-type.ts'
import type { Substitution } from '../settings/substitute-settings.ts'
import { readParameterFile, valueSources } from './helm-values.ts'
import { withOverrides } from './kustomize-overrides.ts'
import { type SettingsOf, withSettings } from './settings-references.ts'
import { type ApplicationSource, type BuildEnvironment, buildVariables } from './source.ts'

/** Everything that one source is rendered from. */
export interface SourceInput {
  readonly source: ApplicationSource
  readonly tree: FileTree
  /** The trees of the other sources, by the ref they are called by. */
  readonly refs: ReadonlyMap<string, FileTree>
  /** The chart of a source that names one in a repository. */
  readonly chart?: Chart
  readonly environment: BuildEnvironment
  /** The name of a chart's release where the source names none; left out, the application's. */
  readonly releaseName?: string
  /** Where the application goes: the namespace of a chart's release. */
  readonly namespace: string
  readonly ports: SprigPorts
  readonly kustomize: KustomizeOptions
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  /** The settings of the source's repository: left out, nothing refers to any. */
  readonly settings?: SettingsOf
}

/** An object of a source, and where it was written. */
export interface RenderedObject {
  readonly object: Readonly<Record<string, unknown>>
  readonly origin: ObjectOrigin
}

/** Where an object was written, and which of its fields were filled with settings. */
export interface ObjectOrigin {
  readonly file: string
  readonly line?: number
  readonly settings?: readonly Substitution[]
}

export interface RenderedSource {
  readonly type: SourceType
  readonly objects: readonly RenderedObject[]
  readonly warnings: readonly string[]
}

/**
 * Renders one source of an Application, as Argo CD's repository server does: all of it, or a problem. References to the settings of
 * its repository are replaced.
 */
export function renderSource(input: SourceInput): Result<RenderedSource> {
  const rendered = renderAsWritten(input)
  if (!rendered.ok || !input.settings) return rendered
  const objects: RenderedObject[] = []
  for (const { object, origin } of rendered.value.objects) {
    const { file, line } = origin
    const place = line === undefined ? file : `${file}:${line}`
    const replaced = withSettings(object, input.settings, place)
    if (!replaced.ok) return replaced
    const { substitutions } = replaced.value
    objects.push({
      object: replaced.value.object,
      origin: substitutions.length === 0 ? origin : { ...origin, settings: substitutions },
    })
  }
  return succeed({ ...rendered.value, objects })
}

function renderAsWritten(input: SourceInput): Result<RenderedSource> {
  const { source, tree } = input
  const folder = cleanPath('', source.path ?? '')
  if (folder === undefined)
    return fail({
      code: 'source-path-outside',
      at: 'path',
      message: `the path ${source.path ?? ''} leaves the repository`,
    })
  if (source.plugin !== undefined) {
    return fail({
      code: 'source-unsupported',
      at: 'plugin',
      message: 'config management plugins are programs and are not run here',
      cure: 'commit what the plugin makes, or use the upstream Argo CD for this application',
    })
  }
  const type = typeOf(source, tree, folder, input.chart)
  switch (type) {
    case 'helm':
      return renderHelm(input, folder)
    case 'kustomize':
      return renderKustomize(input, folder)
    case 'directory': {
      const rendered = renderDirectory(tree, folder, source.directory ?? {})
      return rendered.ok ? succeed({ type, objects: rendered.value, warnings: [] }) : rendered
    }
  }
}

/** What the source says it is, before what its files look like. */
function typeOf(source: ApplicationSource, tree: FileTree, folder: string, chart: Chart | undefined): SourceType {
  if (chart || source.chart !== undefined || isSet(source.helm)) return 'helm'
  if (isSet(source.kustomize)) return 'kustomize'
  return isSet(source.directory) ? 'directory' : detectSourceType(tree, folder)
}

const isSet = (part: object | undefined): boolean => part !== undefined && Object.keys(part).length > 0

function renderKustomize(
  { source, tree, environment, kustomize, settings }: SourceInput,
  folder: string,
): Result<RenderedSource> {
  const overridden = isSet(source.kustomize)
    ? withOverrides(tree, folder, source.kustomize ?? {}, buildVariables(environment, source))
    : succeed(tree)
  if (!overridden.ok) return overridden
  const settle: KustomizeOptions['settle'] = (manifest) => {
    const settled = withSettings(manifest, settings, folder)
    // What is wrong with its references is told of the manifest, once it is built.
    return settled.ok ? settled.value.object : manifest
  }
  const built = buildKustomization(overridden.value, folder, { ...kustomize, settle })
  if (!built.ok) return built
  const objects = built.value.manifests.map(({ manifest, origin }) => ({
    object: manifest,
    origin: { file: writtenIn(origin, folder) },
  }))
  return succeed({ type: 'kustomize', objects, warnings: built.value.warnings })
}

/** The file of a resource from the root of the repository: its own, or the one that generates it. */
function writtenIn(origin: Origin | undefined, folder: string): string {
  const path = origin?.path || origin?.configuredIn
  if (!path) return folder
  return origin?.repo ? `${origin.repo}//${path}` : (cleanPath(folder, path) ?? path)
}

function renderHelm(input: SourceInput, folder: string): Result<RenderedSource> {
  const { source, tree, refs, environment } = input
  const helm = source.helm ?? {}
  const chart = input.chart ? succeed(input.chart) : loadChart(tree, folder)
  if (!chart.ok) return chart
  const files = { tree, folder, refs }
  const sources = valueSources(helm, files, buildVariables(environment, source))
  if (!sources.ok) return sources
  const merged = mergeValues(sources.value, 3, readParameterFile(files))
  if (!merged.ok) return merged
  // Before the chart sees them, so that a number is a number in its templates.
  const values = withSettings(merged.value, input.settings, `values of ${folder || 'the chart'}`)
  if (!values.ok) return values
  const defaults = withSettings(chart.value.values, input.settings, `${folder ? `${folder}/` : ''}values.yaml`)
  if (!defaults.ok) return defaults
  const kubeVersion = helm.kubeVersion || input.kubeVersion
  const rendering = renderChart(
    { ...chart.value, values: defaults.value.object },
    {
      name: helm.releaseName || (input.releaseName ?? environment.appName),
      namespace: helm.namespace || input.namespace,
      values: values.value.object,
      ports: input.ports,
      apiVersions: helm.apiVersions && helm.apiVersions.length > 0 ? helm.apiVersions : (input.apiVersions ?? []),
      skipSchema: helm.skipSchemaValidation === true,
      ...(kubeVersion === undefined ? {} : { kubeVersion }),
    },
  )
  if (!rendering.ok) return rendering
  const objects = objectsOf(rendering.value, { hasCrds: helm.skipCrds !== true, hasTests: helm.skipTests !== true })
  return objects.ok ? succeed({ type: 'helm', objects: objects.value, warnings: rendering.value.warnings }) : objects
}

/** Definitions first, then manifests, then hooks: which hooks run when is for the sync to decide. */
function objectsOf(
  rendering: ChartRendering,
  { hasCrds, hasTests }: { readonly hasCrds: boolean; readonly hasTests: boolean },
): Result<readonly RenderedObject[]> {
  const objects: RenderedObject[] = []
  for (const { source, text } of hasCrds ? rendering.crds : []) {
    const read = parseYamlDocuments(text, { file: source })
    if (!read.ok) return read
    for (const { value, line } of read.value)
      if (isObject(value)) objects.push({ object: value, origin: { file: source, line } })
  }
  const isTest = ({ events }: { readonly events: readonly string[] }): boolean =>
    events.some((event) => event.startsWith('test'))
  for (const manifest of [...rendering.manifests, ...rendering.hooks.filter((hook) => hasTests || !isTest(hook))]) {
    if (isObject(manifest.value)) objects.push({ object: manifest.value, origin: originOf(manifest) })
  }
  return succeed(objects)
}
