import { existsSync, readFileSync } from 'node:fs'
import { text as readStream } from 'node:stream/consumers'
import { basename, dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { SprigPorts } from '../../../lang/gotemplate/sprig/sprig.ts'
import type { FileTree } from '../../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { Chart } from '../../../render/helm/chart.ts'
import type { HelmDialect } from '../../../render/helm/dialect.ts'
import type { ValueSource } from '../../../render/helm/merge-values.ts'
import type { Io } from '../../command.ts'
import type { RemoteOptions } from './remote-chart.ts'

interface HelmOptions extends RemoteOptions {
  readonly values: readonly string[]
  readonly set: readonly string[]
  readonly setString: readonly string[]
  readonly setJson: readonly string[]
  readonly setFile: readonly string[]
  readonly setLiteral: readonly string[]
  readonly apiVersions: readonly string[]
  readonly showOnly: readonly string[]
  readonly namespace?: string
  readonly kubeVersion?: string
  readonly nameTemplate?: string
  readonly generateName?: boolean
  readonly includeCrds?: boolean
  readonly skipTests?: boolean
  readonly hooks: boolean
  readonly isUpgrade?: boolean
  readonly skipSchemaValidation?: boolean
  readonly validate?: boolean
  readonly postRenderer?: string
  readonly outputDir?: string
  readonly releaseName?: boolean
  readonly dialect: string
}

const one = (value: string, before: readonly string[]): readonly string[] => [...before, value]
const several = (value: string, before: readonly string[]): readonly string[] => [...before, ...value.split(',')]

/** `idp render helm`: what `helm template` prints, with its flags. */
export function defineHelm(parent: Command, io: Io): Command {
  return parent
    .command('helm')
    .description('print what a chart renders to, as helm template does')
    .argument('<NAME_OR_CHART>', 'the release name, or the chart when no name is given')
    .argument('[CHART]', 'a chart folder or a packed chart')
    .allowExcessArguments(true)
    .option('-f, --values <FILES>', 'values files; later ones win', several, [])
    .option('--set <ASSIGNMENTS>', 'values: a.b=1,c={x,y},d[0]=z', one, [])
    .option('--set-string <ASSIGNMENTS>', 'values that are all text', one, [])
    .option('--set-json <ASSIGNMENTS>', 'values as JSON', one, [])
    .option('--set-file <ASSIGNMENTS>', 'values from files: key=path', one, [])
    .option('--set-literal <ASSIGNMENT>', 'one value, taken as it stands', one, [])
    .option('-n, --namespace <NAME>', 'the namespace of the release')
    .option('-a, --api-versions <VERSIONS>', 'more API versions of the cluster', several, [])
    .option('--kube-version <VERSION>', 'the version of the cluster')
    .option('-s, --show-only <GLOB>', 'only what this template prints', one, [])
    .option('--include-crds', 'print the definitions of crds/ as well')
    .option('--skip-crds', 'accepted; definitions are printed only with --include-crds')
    .option('--no-hooks', 'leave hooks out')
    .option('--skip-tests', 'leave test hooks out')
    .option('--is-upgrade', 'set .Release.IsUpgrade instead of .Release.IsInstall')
    .option('-g, --generate-name', 'accepted; the name is release-name')
    .option('--name-template <TEMPLATE>', 'a template for the release name')
    .option('--skip-schema-validation', 'do not check values against values.schema.json')
    .option('--output-dir <DIR>', 'write files instead of printing')
    .option('--release-name', 'put the release name into the path of --output-dir')
    .option('--repo <URL>', 'the repository that CHART names a chart of')
    .option('--chart-version <CONSTRAINT>', 'the version of a chart that is fetched; helm calls it --version')
    .option('--username <NAME>', 'a user of the repository; the password is IDP_CHART_PASSWORD')
    .option('--plain-http', 'reach OCI registries without TLS')
    .option('--state <DIR>', 'the state directory, which holds the cache', '.idp')
    .option('--dialect <VERSION>', 'whose output: 3 (helm 3.17) or 4 (helm 4.1)', '3')
    .option('--validate', 'not supported: nothing is asked of a cluster')
    .option('--post-renderer <PROGRAM>', 'not supported: no programs are run')
    .addHelpText(
      'after',
      `
Examples:
  idp render helm my-release ./chart --values values.yaml --set image.tag=1.2.3
  idp render helm my-release nginx --repo https://charts.example.org --version 1.2.3
  idp render helm ./chart --generate-name --dialect 4`,
    )
    .action(async (first: string, second: string | undefined, options: HelmOptions, command: Command) => {
      const extra = command.args.slice(2)
      const done = await render(first, second, extra, options, io)
      if (!done.ok) {
        const [problem] = done.error
        const debug = problem && isAfterRendering(problem) ? '\n\nUse --debug flag to render out invalid YAML' : ''
        io.err(`Error: ${problem?.message ?? 'unknown'}${debug}\n`)
        io.exit(1)
        return
      }
      io.out(done.value)
    })
}

/** Problems of rendering, for which helm shows how to see more. */
const isAfterRendering = ({ code }: Problem): boolean =>
  (code.startsWith('template-') && code !== 'template-not-found') ||
  code === 'manifest-invalid' ||
  code === 'kube-version-unsupported'

function unsupported(options: HelmOptions): Problem | undefined {
  const refuse = (flag: string, because: string): Problem => ({
    code: 'flag-unsupported',
    message: `${flag} is not supported: ${because}`,
  })
  if (options.validate)
    return refuse('--validate', 'rendering never asks a cluster; use idp plan for what a cluster would say')
  if (options.postRenderer !== undefined)
    return refuse('--post-renderer', 'rendering never runs programs; pipe the output instead')
  if (options.dialect !== '3' && options.dialect !== '4') return refuse(`--dialect ${options.dialect}`, 'it is 3 or 4')
  return undefined
}

/** The machine's time, chance and keys for template functions. */
export async function templatePorts(): Promise<SprigPorts> {
  const [{ certificateMaker }, { systemClock }, { systemIds }] = await Promise.all([
    import('../../../lib/certificates.ts'),
    import('../../../lib/clock.ts'),
    import('../../../lib/ids.ts'),
  ])
  return { clock: systemClock, ids: systemIds, certificates: certificateMaker }
}

/** The release name and the chart of the arguments, by helm's rules. */
async function nameAndChart(
  first: string,
  second: string | undefined,
  extra: readonly string[],
  options: HelmOptions,
): Promise<Result<{ readonly name: string; readonly chart: string }>> {
  const usage = (message: string): Result<never> => fail({ code: 'arguments-invalid', message })
  if (extra.length > 0) return usage(`expected at most two arguments, unexpected arguments: ${extra.join(', ')}`)
  if (second !== undefined) {
    if (options.generateName) return usage('cannot set --generate-name and also specify a name')
    if (options.nameTemplate) return usage('cannot set --name-template and also specify a name')
    return succeed({ name: first, chart: second })
  }
  if (!options.nameTemplate) return succeed({ name: 'release-name', chart: first })
  const { renderName } = await import('../../../render/helm/release-name.ts')
  const name = renderName(options.nameTemplate, await templatePorts())
  return name.ok ? succeed({ name: name.value, chart: first }) : name
}

/** Loads a chart from the disk, or fetches it. */
async function openChart(chart: string, options: HelmOptions, dialect: HelmDialect, io: Io): Promise<Result<Chart>> {
  if (options.repo !== undefined || /^(?:oci|https?):\/\//.test(chart)) {
    const { remoteChart } = await import('./remote-chart.ts')
    return remoteChart(chart, options, dialect, io)
  }
  const [{ diskTree }, { loadChart }] = await Promise.all([
    import('../../../lib/disk-tree.ts'),
    import('../../../render/helm/load-chart.ts'),
  ])
  const tree = locate(chart, io.cwd, diskTree)
  return tree.ok ? loadChart(tree.value, basename(resolve(io.cwd, chart)), dialect) : tree
}

/** The tree that a chart's path lies in. Charts may link to each other anywhere on the user's own disk, as with helm. */
function locate(chart: string, cwd: string, open: (root: string, within: string) => FileTree): Result<FileTree> {
  const path = resolve(cwd, chart)
  if (!existsSync(path)) {
    return fail({ code: 'chart-not-found', message: `path ${JSON.stringify(chart)} not found` })
  }
  return succeed(open(dirname(path), '/'))
}

async function render(
  first: string,
  second: string | undefined,
  extra: readonly string[],
  options: HelmOptions,
  io: Io,
): Promise<Result<string>> {
  const refused = unsupported(options)
  if (refused) return fail(refused)
  const named = await nameAndChart(first, second, extra, options)
  if (!named.ok) return named
  const dialect: HelmDialect = options.dialect === '4' ? 4 : 3
  const [{ printChart, renderChart }, { mergeValues }] = await Promise.all([
    import('../../../render/helm/render-chart.ts'),
    import('../../../render/helm/merge-values.ts'),
  ])
  const sources = await valueSources(options, io)
  if (!sources.ok) return sources
  const values = mergeValues(sources.value, dialect, (path) => readLocal(path, io))
  if (!values.ok) return values
  const chart = await openChart(named.value.chart, options, dialect, io)
  if (!chart.ok) return chart
  const rendering = renderChart(chart.value, {
    name: named.value.name,
    namespace: options.namespace ?? io.env['HELM_NAMESPACE'] ?? 'default',
    values: values.value,
    dialect,
    ports: await templatePorts(),
    apiVersions: options.apiVersions,
    isUpgrade: options.isUpgrade ?? false,
    skipSchema: options.skipSchemaValidation ?? false,
    ...(options.kubeVersion === undefined ? {} : { kubeVersion: options.kubeVersion }),
  })
  if (!rendering.ok) return rendering
  for (const warning of rendering.value.warnings) io.err(`warning: ${warning}\n`)
  const printing = {
    includeCrds: options.includeCrds ?? false,
    noHooks: !options.hooks,
    skipTests: options.skipTests ?? false,
    showOnly: options.showOnly,
  }
  if (options.outputDir === undefined) return printChart(rendering.value, printing)
  const { writeChart } = await import('./write-chart.ts')
  const folder = options.releaseName ? resolve(options.outputDir, named.value.name) : options.outputDir
  return succeed(writeChart(rendering.value, printing, io.cwd, folder))
}

function readLocal(path: string, io: Io): Result<string> {
  try {
    return succeed(readFileSync(resolve(io.cwd, path), 'utf8'))
  } catch {
    return fail({ code: 'file-not-found', message: `open ${path}: no such file or directory` })
  }
}

/** The values flags in the order in which helm applies them. */
async function valueSources(options: HelmOptions, io: Io): Promise<Result<readonly ValueSource[]>> {
  const sources: ValueSource[] = []
  for (const file of options.values) {
    const text = file.trim() === '-' ? succeed(await readStream(io.stdin)) : readLocal(file, io)
    if (!text.ok) return text
    sources.push({ from: 'file', file, text: text.value })
  }
  const lines = [
    ['set-json', options.setJson],
    ['set', options.set],
    ['set-string', options.setString],
    ['set-file', options.setFile],
    ['set-literal', options.setLiteral],
  ] as const
  for (const [form, texts] of lines) sources.push(...texts.map((line) => ({ from: 'set', form, line }) as const))
  return succeed(sources)
}
