import type { KubeObject } from '../../kube/object.ts'
import type { FileTree } from '../../lib/file-tree.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { renderSource, type SourceInput } from '../../render/application/render-source.ts'
import type { PlatformSettings } from '../../render/settings/read-settings.ts'
import { settingValues, substituteSettings } from '../../render/settings/substitute-settings.ts'
import type { Phase, PhaseObject } from './phase.ts'

/** Where the phases lie in a platform repository. */
export const PHASES_FOLDER = 'IT'

const phaseFolder = /^(\d{1,3})-[a-z0-9-]+\/$/

/** What rendering takes from outside. */
export type RenderPorts = Pick<SourceInput, 'ports' | 'kustomize'>

/** Renders every phase of a repository, in order, with the settings put in. All that is wrong is said at once. */
export function readPhases(
  tree: FileTree,
  settings: PlatformSettings,
  { ports, kustomize }: RenderPorts,
): Result<readonly Phase[]> {
  const folders = (tree.list(PHASES_FOLDER) ?? [])
    .filter((name) => phaseFolder.test(name))
    .toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b))
  if (folders.length === 0) {
    return fail({
      code: 'bootstrap-no-phases',
      at: PHASES_FOLDER,
      message: 'there is no phase: a folder such as IT/1-foundation',
      cure: 'run it in a platform repository, or make one with idp init',
    })
  }
  const values = settingValues(settings)
  const problems: Problem[] = []
  const phases: Phase[] = []
  for (const folder of folders) {
    const name = folder.slice(0, -1)
    const path = `${PHASES_FOLDER}/${name}`
    const rendered = renderSource({
      source: { path, ...(hasKustomization(tree, path) ? {} : { directory: { recurse: true } }) },
      tree,
      refs: new Map(),
      environment: { appName: name, appNamespace: '', projectName: '', revision: settings.repository.revision },
      namespace: 'default',
      ports,
      kustomize,
    })
    if (!rendered.ok) {
      problems.push(...rendered.error.map((one) => ({ ...one, at: [path, one.at].filter(Boolean).join(': ') })))
      continue
    }
    const objects: PhaseObject[] = []
    for (const { object, origin } of rendered.value.objects) {
      // A kustomization names its files as seen from itself.
      const whole = origin.file.startsWith(`${path}/`) ? origin.file : `${path}/${origin.file}`
      const file = origin.line === undefined ? whole : `${whole}:${origin.line}`
      const filled = substituteSettings(object, values, file)
      if (!filled.ok) problems.push(...filled.error)
      else if (!isManifest(filled.value.object)) {
        problems.push({ code: 'bootstrap-no-manifest', at: file, message: 'is no manifest: it has no kind or no name' })
      } else objects.push({ object: filled.value.object, file })
    }
    phases.push({ name, objects })
  }
  return problems.length === 0 ? succeed(phases) : { ok: false, error: problems }
}

function hasKustomization(tree: FileTree, path: string): boolean {
  const names = tree.list(path) ?? []
  return ['kustomization.yaml', 'kustomization.yml', 'Kustomization'].some((name) => names.includes(name))
}

function isManifest(object: object): object is KubeObject {
  const { apiVersion, kind, metadata } = object as Partial<KubeObject>
  return typeof apiVersion === 'string' && typeof kind === 'string' && isObject(metadata) && 'name' in metadata
}
