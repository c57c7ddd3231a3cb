import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { certificateMaker } from '../../src/lib/certificates.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { diskTree } from '../../src/lib/disk-tree.ts'
import { memoryTree } from '../../src/lib/file-tree.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { loadChart } from '../../src/render/helm/load-chart.ts'
import { printChart, renderChart } from '../../src/render/helm/render-chart.ts'
import { type Area, type Figure, percentile } from '../figure.ts'
import { largeChart } from './helm-chart.ts'
import { kustomizeFigures } from './render-kustomize.ts'

declare const IDP_ROOT: string

const environment = (): NodeJS.ProcessEnv => {
  const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env
  return env
}

/** The median of the whole time of a process, in milliseconds; undefined when it fails. */
function processMs(command: string, args: readonly string[], runs = 9): number | undefined {
  const took: number[] = []
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    const done = spawnSync(command, args, { env: environment(), maxBuffer: 1 << 28 })
    if (done.status !== 0) return undefined
    took.push(performance.now() - began)
  }
  return percentile(took, 0.5)
}

/** The median of a call in this process, in milliseconds. */
function callMs(work: () => unknown, runs = 60): number {
  for (let run = 0; run < 20; run++) work()
  const took = Array.from({ length: runs }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  })
  return percentile(took, 0.5)
}

function helmFigures(report: (figure: Figure) => void): void {
  const files = largeChart()
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-render-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const helm = (['3', '4'] as const).flatMap((version) => {
      const path = join(IDP_ROOT, '.cache', 'oracles', `helm-${version}`, 'helm', 'helm')
      const ms = existsSync(path) ? processMs(path, ['template', folder]) : undefined
      return ms === undefined ? [] : [[`helm ${version} process`, ms] as const]
    })
    const peers = Object.fromEntries(helm)
    const ports = { clock: systemClock, ids: systemIds, certificates: certificateMaker }
    const print = (tree: ReturnType<typeof memoryTree>): string => {
      const chart = loadChart(tree, '')
      const rendering = chart.ok ? renderChart(chart.value, { ports }) : chart
      const text = rendering.ok ? printChart(rendering.value) : rendering
      if (!text.ok) throw new Error(text.error[0]?.message)
      return text.value
    }
    const tree = memoryTree(files)
    const documents = print(tree).split('\n---\n').length
    report({ name: 'helm chart: documents printed', value: documents, unit: 'documents' })
    report({
      name: 'helm chart: load and render, warm in process',
      value: callMs(() => print(tree)),
      unit: 'ms',
      peers,
    })
    const chart = loadChart(tree, '')
    if (chart.ok)
      report({
        name: 'helm chart: render alone, warm',
        value: callMs(() => renderChart(chart.value, { ports })),
        unit: 'ms',
        peers,
      })
    report({ name: 'helm chart: from disk, warm', value: callMs(() => print(diskTree(folder)), 20), unit: 'ms', peers })
    const idp = join(IDP_ROOT, 'dist', 'idp.js')
    const cold = processMs(process.execPath, [idp, 'render', 'helm', folder])
    if (cold !== undefined) {
      report({
        name: 'helm chart: idp render helm, whole process',
        value: cold,
        unit: 'ms',
        peers,
        budget: 'faster than helm',
      })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Rendering: helm charts here, kustomizations below them. */
export const render: Area = {
  name: 'render',
  run(report) {
    helmFigures(report)
    kustomizeFigures(report)
    return Promise.resolve()
  },
}
