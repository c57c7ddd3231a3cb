import { mergePatch } from '../../kube/patch/merge-patch.ts'
import type { FileTree } from '../../lib/file-tree.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { ApplicationSource } from '../../render/application/source.ts'

/**
 * A source with what `.argocd-source.yaml` and `.argocd-source-<app>.yaml` beside its manifests say about it. They may change
 * how manifests are made, not where they come from.
 */
export function withOverrideFiles(
  tree: FileTree,
  folder: string,
  source: ApplicationSource,
  appName: string,
): Result<ApplicationSource> {
  let merged: unknown = source
  for (const name of ['.argocd-source.yaml', `.argocd-source-${appName}.yaml`]) {
    if (name.includes('/')) continue
    const path = folder === '' ? name : `${folder}/${name}`
    const data = tree.read(path)
    if (!data) continue
    const patch = parseYaml(new TextDecoder().decode(data), { file: path })
    if (!patch.ok) return patch
    if (patch.value === null) continue
    if (!isObject(patch.value)) {
      return fail({ code: 'manifest-invalid', at: path, message: `${path} must hold fields of a source` })
    }
    merged = mergePatch(merged, patch.value)
  }
  if (merged === source || !isObject(merged)) return succeed(source)
  const { repoURL, path, targetRevision, chart, ref } = source
  const kept = Object.entries({ repoURL, path, targetRevision, chart, ref }).filter(([, value]) => value !== undefined)
  const others = Object.entries(merged).filter(([key]) => !PLACES.includes(key))
  return succeed(Object.fromEntries([...others, ...kept]))
}

const PLACES: readonly string[] = ['repoURL', 'path', 'targetRevision', 'chart', 'ref']
