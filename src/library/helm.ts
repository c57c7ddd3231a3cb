/** `helm template` over a tree of files, in process. */
export { loadChart } from '../render/helm/load-chart.ts'
export { type ChartRendering, renderChart, type RenderChartOptions } from '../render/helm/render-chart.ts'
export { type FileTree, memoryTree } from '../lib/file-tree.ts'
export { diskTree } from '../lib/disk-tree.ts'
export type { Problem, Result } from '../lib/result.ts'
