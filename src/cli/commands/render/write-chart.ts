import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ChartRendering, PrintOptions } from '../../../render/helm/render-chart.ts'

/** Writes what a chart rendered to into files named after its templates, and answers what helm prints then. */
export function writeChart(rendering: ChartRendering, options: PrintOptions, cwd: string, folder: string): string {
  const hooks = options.noHooks ? [] : rendering.hooks
  const parts = [
    ...(options.includeCrds ? rendering.crds : []),
    ...rendering.manifests,
    ...hooks.filter(({ events }) => !(options.skipTests && events.includes('test'))),
  ]
  const written = new Set<string>()
  let log = ''
  for (const { source, text } of parts) {
    const path = resolve(cwd, folder, source)
    const content = `---\n# Source: ${source}\n${text}\n`
    mkdirSync(dirname(path), { recursive: true })
    if (written.has(source)) appendFileSync(path, content)
    else writeFileSync(path, content)
    written.add(source)
    log += `wrote ${folder}/${source}\n`
  }
  return `${log}\n`
}
