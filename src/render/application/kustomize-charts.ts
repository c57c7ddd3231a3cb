import { fail, type Result } from '../../lib/result.ts'
import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import type { Chart } from '../helm/chart.ts'
import { loadChart } from '../helm/load-chart.ts'
import { mergeValues, type ValueSource } from '../helm/merge-values.ts'
import { renderName } from '../helm/release-name.ts'
import { printChart, renderChart } from '../helm/render-chart.ts'
import type { ChartRequest, RenderHelm } from '../kustomize/helm-charts.ts'

/** Gets a chart that is not in the tree. */
export type PullChart = (chart: ChartRequest['chart']) => Result<Chart>

/** Renders the charts of a kustomization in process, as `helm template` would; without `pull`, charts must lie in the tree. */
export function chartRenderer(
  ports: SprigPorts,
  pull: PullChart = refusePull,
  cluster: ClusterVersions = {},
): RenderHelm {
  return (request) => render({ ...request, chart: { ...request.chart, ...cluster } }, ports, pull)
}

/** What charts see of a cluster; what is set counts instead of what the kustomization says. */
export interface ClusterVersions {
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
}

function refusePull(chart: ChartRequest['chart']): Result<never> {
  const at = `${chart.repo ?? ''}/${chart.name ?? ''}`
  return fail({ code: 'chart-not-found', message: `charts are not pulled here: put ${at} into the chart home first` })
}

function render({ tree, path, chart, values }: ChartRequest, ports: SprigPorts, pull: PullChart): Result<string> {
  const loaded = path === undefined ? pull(chart) : loadChart(tree, path)
  if (!loaded.ok) return loaded
  const sources = values.map((text, index): ValueSource => ({ from: 'file', file: `values ${index + 1}`, text }))
  const merged = mergeValues(sources)
  if (!merged.ok) return merged
  const name = nameOf(chart, ports)
  if (!name.ok) return name
  const rendering = renderChart(loaded.value, {
    name: name.value,
    namespace: chart.namespace || 'default',
    values: merged.value,
    ports,
    ...(chart.kubeVersion ? { kubeVersion: chart.kubeVersion } : {}),
    ...(chart.apiVersions ? { apiVersions: chart.apiVersions } : {}),
  })
  if (!rendering.ok) return rendering
  return printChart(rendering.value, {
    includeCrds: chart.includeCRDs ?? false,
    noHooks: chart.skipHooks ?? false,
    skipTests: chart.skipTests ?? false,
  })
}

function nameOf({ releaseName, nameTemplate }: ChartRequest['chart'], ports: SprigPorts): Result<string> {
  if (!nameTemplate) return { ok: true, value: releaseName || 'release-name' }
  if (releaseName) {
    return fail({ code: 'arguments-invalid', message: 'cannot set --name-template and also specify a name' })
  }
  return renderName(nameTemplate, ports)
}
