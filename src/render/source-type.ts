import type { FileTree } from '../lib/file-tree.ts'

/** What makes manifests of a folder. */
export type SourceType = 'helm' | 'kustomize' | 'directory'

/** Tells what a folder is by the files in it, as Argo CD does: a chart first, then a kustomization, else plain manifests. */
export function detectSourceType(tree: FileTree, folder: string): SourceType {
  const names = new Set(tree.list(folder) ?? [])
  if (names.has('Chart.yaml')) return 'helm'
  return ['kustomization.yaml', 'kustomization.yml', 'Kustomization'].some((name) => names.has(name))
    ? 'kustomize'
    : 'directory'
}
