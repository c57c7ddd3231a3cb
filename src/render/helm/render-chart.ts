import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import { compileGlob } from '../../lib/glob.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseVersion, versionText } from '../../lib/semver.ts'
import { isCompatible } from './version.ts'
import { type Chart, textOf } from './chart.ts'
import { coalesceValues, type CoalesceRun, copyTable, TypeMismatch } from './coalesce.ts'
import { type ChartNode, chartTree, processDependencies } from './dependencies.ts'
import { type DialectFacts, dialects, type HelmDialect } from './dialect.ts'
import { renderTemplates } from './engine.ts'
import type { Lookup } from './functions.ts'
import { type Hook, type Manifest, sortManifests, splitManifests, trimGo } from './manifests.ts'
import type { KubeVersion } from './objects.ts'
import { validateValues } from './schema.ts'
import type { Values } from './strvals.ts'

/** What a rendering is asked for; what is left out is as in `helm template`. */
export interface RenderChartOptions {
  readonly name?: string
  readonly namespace?: string
  /** What was given on top of the chart's own values. Not changed. */
  readonly values?: Values
  readonly dialect?: HelmDialect
  /** The version of the cluster, as `--kube-version` takes it. */
  readonly kubeVersion?: string
  /** API versions beyond those that every cluster has. */
  readonly apiVersions?: readonly string[]
  readonly isUpgrade?: boolean
  readonly skipSchema?: boolean
  readonly lookup?: Lookup
  /** Time, chance and keys for the template functions that need them. Give the same object again: compiled templates are kept by it. */
  readonly ports: SprigPorts
}

/** A definition of the chart's crds/ folder; it is no template. */
export interface CrdFile {
  readonly source: string
  readonly text: string
}

/** Everything that a chart rendered to. */
export interface ChartRendering {
  readonly manifests: readonly Manifest[]
  readonly hooks: readonly Hook[]
  readonly crds: readonly CrdFile[]
  readonly notes: string
  readonly warnings: readonly string[]
}

const RELEASE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LONGEST_NAME = 53
const NOTES = 'NOTES.txt'

function checkChart(chart: Chart, words: DialectFacts['words']): Problem | undefined {
  const { metadata } = chart
  if (metadata.type !== '' && metadata.type !== 'application') {
    return { code: 'chart-invalid', message: `${metadata.type} charts are not installable` }
  }
  const present = new Set(chart.dependencies.map((below) => below.metadata.name))
  const missing = (metadata.dependencies ?? []).map(({ name }) => name).filter((name) => !present.has(name))
  if (missing.length === 0) return undefined
  return {
    code: 'chart-dependency-missing',
    message: `${words.missingDependencies} while checking for chart dependencies. You may need to run \`helm dependency build\` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
  }
}

function checkName(name: string, words: DialectFacts['words']): Problem | undefined {
  if (RELEASE_NAME.test(name) && name.length <= LONGEST_NAME) return undefined
  return {
    code: 'release-name-invalid',
    message: `${words.badName}release name ${JSON.stringify(name)}: invalid release name, must match regex ${RELEASE_NAME.source} and the length must not be longer than ${LONGEST_NAME}`,
  }
}

/** Reads a cluster version as the dialect does. */
export function parseKubeVersion(text: string, dialect: HelmDialect): Result<KubeVersion> {
  const wrong = (because: string): Result<never> =>
    fail({ code: 'kube-version-invalid', message: `invalid kube version '${text}': ${because}` })
  if (dialects[dialect].keepsKubeVersion) {
    const [, numbers = ''] = /^\s*v?(\d+(?:\.\d+)*)/.exec(text) ?? []
    const [major, minor] = numbers.split('.')
    if (major === undefined || minor === undefined) return wrong(dialects[dialect].words.badKubeVersion(text))
    return succeed({ version: text.startsWith('v') ? text : `v${text}`, plain: `v${numbers}`, major, minor })
  }
  const version = parseVersion(text)
  if (!version.ok) return wrong(dialects[dialect].words.badKubeVersion(text))
  const plain = `v${versionText(version.value)}`
  return succeed({ version: plain, plain, major: String(version.value.major), minor: String(version.value.minor) })
}

function kubeVersionOf(options: RenderChartOptions, dialect: HelmDialect): Result<KubeVersion> {
  if (options.kubeVersion !== undefined && options.kubeVersion !== '')
    return parseKubeVersion(options.kubeVersion, dialect)
  const { kubeMajor: major, kubeMinor: minor } = dialects[dialect]
  const version = `v${major}.${minor}.0`
  return succeed({ version, plain: version, major, minor })
}

function checkKubeVersion(chart: Chart, { version, plain }: KubeVersion): Problem | undefined {
  const constraint = chart.metadata.kubeVersion
  if (constraint === '' || isCompatible(constraint, plain)) return undefined
  return {
    code: 'kube-version-unsupported',
    message: `chart requires kubeVersion: ${constraint} which is incompatible with Kubernetes ${version}`,
  }
}

interface Prepared {
  readonly root: ChartNode
  readonly values: Values
}

/** Decides which charts take part and what their values are. */
function prepare(chart: Chart, given: Values, run: CoalesceRun): Result<Prepared> {
  const root = chartTree(chart)
  try {
    processDependencies(root, given, run)
    return succeed({ root, values: coalesceValues(root, given, run) })
  } catch (cause) {
    if (cause instanceof TypeMismatch) return fail({ code: 'values-invalid', message: cause.message })
    throw cause
  }
}

/** Renders a chart as `helm template` does. Pure: the same arguments give the same manifests. */
export function renderChart(chart: Chart, options: RenderChartOptions): Result<ChartRendering> {
  const dialect = options.dialect ?? 3
  const name = options.name ?? 'release-name'
  const { words } = dialects[dialect]
  const wrong = checkChart(chart, words) ?? checkName(name, words)
  if (wrong) return fail(wrong)
  const kubeVersion = kubeVersionOf(options, dialect)
  if (!kubeVersion.ok) return kubeVersion
  const warnings = chart.metadata.deprecated ? ['This chart is deprecated', ...chart.warnings] : [...chart.warnings]
  const run: CoalesceRun = { merge: false, dialect, warn: (message) => void warnings.push(message) }
  const prepared = prepare(chart, copyTable(options.values ?? {}), run)
  if (!prepared.ok) return prepared
  const { root, values } = prepared.value
  if (options.skipSchema !== true) {
    const problem = validateValues(root, values, dialect)
    if (problem) return fail(problem)
  }
  const unsupported = checkKubeVersion(chart, kubeVersion.value)
  if (unsupported) return fail(unsupported)
  const printed = renderTemplates({
    root,
    values,
    release: { name, namespace: options.namespace ?? 'default', isUpgrade: options.isUpgrade ?? false },
    capabilities: {
      kubeVersion: kubeVersion.value,
      apiVersions: [...dialects[dialect].apiVersions, ...(options.apiVersions ?? [])],
    },
    dialect,
    ports: options.ports,
    ...(options.lookup ? { lookup: options.lookup } : {}),
  })
  if (!printed.ok) return printed
  const files = new Map([...printed.value].filter(([source]) => !source.endsWith(NOTES)))
  const sorted = sortManifests(files, dialect)
  if (!sorted.ok) return sorted
  warnings.push(...sorted.value.warnings)
  const notes = printed.value.get(`${root.name}/templates/${NOTES}`) ?? ''
  return succeed({ ...sorted.value, crds: crdsOf(root), notes, warnings: [...new Set(warnings)] })
}

function crdsOf(node: ChartNode): readonly CrdFile[] {
  const own = node.chart.files
    .filter(({ name }) => name.startsWith('crds/') && /\.(?:ya?ml|json)$/i.test(name))
    .map(({ name, data }) => ({ source: `${node.fullPath}/${name}`, text: textOf(data) }))
  return [...own, ...node.dependencies.flatMap(crdsOf)]
}

/** Which parts of a rendering are printed. */
export interface PrintOptions {
  readonly includeCrds?: boolean
  readonly noHooks?: boolean
  readonly skipTests?: boolean
  /** Globs over paths below the chart; only what they match is printed. */
  readonly showOnly?: readonly string[]
}

const block = (source: string, text: string): string => `---\n# Source: ${source}\n${text}\n`

/** The text of a rendering, byte for byte as `helm template` prints it. */
export function printChart(rendering: ChartRendering, options: PrintOptions = {}): Result<string> {
  const crds = options.includeCrds ? rendering.crds : []
  const main = [...crds, ...rendering.manifests].map(({ source, text }) => block(source, text)).join('')
  const hooks = rendering.hooks.filter(({ events }) => !(options.skipTests && events.includes('test')))
  const after = options.noHooks ? '' : hooks.map(({ source, text }) => block(source, text)).join('')
  const all = `${trimGo(main)}\n${after}`
  return options.showOnly && options.showOnly.length > 0 ? pick(all, options.showOnly) : succeed(all)
}

function pick(all: string, showOnly: readonly string[]): Result<string> {
  const documents = splitManifests(all).map((text) => ({ text, path: /# Source: [^/\n]+\/(.+)/.exec(text)?.[1] }))
  let out = ''
  for (const glob of showOnly) {
    const compiled = compileGlob(glob, 'path')
    const found = documents.filter(({ path }) => path !== undefined && compiled.ok && compiled.value(path))
    if (found.length === 0)
      return fail({ code: 'template-not-found', message: `could not find template ${glob} in chart` })
    out += found.map(({ text }) => `---\n${text}\n`).join('')
  }
  return succeed(out)
}
