import { join } from 'node:path'
import { type PlatformChoices, platformFiles } from '../../src/bootstrap/init/platform-template.ts'
import type { Phase } from '../../src/bootstrap/phases/phase.ts'
import { readPhases } from '../../src/bootstrap/phases/read-phases.ts'
import { parseApplicationSet } from '../../src/gitops/applicationset/application-set.ts'
import { generate } from '../../src/gitops/applicationset/engine/generate.ts'
import { templateReplacer } from '../../src/gitops/applicationset/engine/renderer.ts'
import { untilAnswered } from '../../src/gitops/applicationset/fetch-facts.ts'
import { recordedFacts } from '../../src/gitops/applicationset/recorded-facts.ts'
import { asManifests } from '../../src/gitops/manifests/rendered.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { certificateMaker } from '../../src/lib/certificates.ts'
import { movableClock } from '../../src/lib/clock.ts'
import { readData } from '../../src/lib/data-file.ts'
import { diskTree } from '../../src/lib/disk-tree.ts'
import { type FileTree, memoryTree } from '../../src/lib/file-tree.ts'
import { seededIds } from '../../src/lib/ids.ts'
import type { Result } from '../../src/lib/result.ts'
import { renderSource } from '../../src/render/application/render-source.ts'
import { settingsOf } from '../../src/render/application/settings-references.ts'
import type { ApplicationSource } from '../../src/render/application/source.ts'
import { kindTable } from '../../src/render/kustomize/build-kustomization.ts'
import { type PlatformSettings, readSettings } from '../../src/render/settings/read-settings.ts'

/** An Application of a platform and everything that it deploys. */
export interface RenderedApplication {
  readonly application: KubeObject
  readonly name: string
  readonly project: string
  readonly path: string
  readonly namespace: string
  readonly objects: readonly KubeObject[]
}

/** All that a platform repository says, as the engines understand it. */
export interface RenderedPlatform {
  readonly files: ReadonlyMap<string, string>
  readonly tree: FileTree
  readonly settings: PlatformSettings
  readonly phases: readonly Phase[]
  readonly applications: readonly RenderedApplication[]
  /** Of phases and Applications, without those that only generate. */
  readonly objects: readonly KubeObject[]
}

const table = kindTable(readData)
const ports = { clock: movableClock(), ids: seededIds(), certificates: certificateMaker }
const blueprint = diskTree(join(import.meta.dirname, '..', '..', 'blueprint'))

/** The value of what must be good. */
export function good<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, undefined, 2))
  return result.value
}

/** Renders a platform made from the blueprint, with some files different. */
export async function renderPlatform(
  changes: Readonly<Record<string, string>> = {},
  choices: PlatformChoices = {},
): Promise<RenderedPlatform> {
  const decoder = new TextDecoder()
  const made = [...good(platformFiles(blueprint, choices))].map(
    ([path, data]) => [path, typeof data === 'string' ? data : decoder.decode(data)] as const,
  )
  const files = new Map([...made, ...Object.entries(changes)])
  const tree = memoryTree(Object.fromEntries(files))
  const settings = good(readSettings(files.get('idp.yaml') ?? ''))
  const phases = good(readPhases(tree, settings, { ports, kustomize: { table } }))
  const objects = phases.flatMap((phase) => phase.objects.map(({ object }) => object))
  const { url = '', revision } = settings.repository
  const answer = recordedFacts({ repositories: { [url]: { [revision]: { files: Object.fromEntries(files) } } } })
  const applications = objects.filter(({ kind }) => kind === 'Application').map((one) => rendered(tree, one))
  for (const object of objects.filter(({ kind }) => kind === 'ApplicationSet')) {
    const set = good(parseApplicationSet(object))
    const replace = templateReplacer(ports)
    const generation = good(
      await untilAnswered(
        (facts) => {
          const known = generate(set, facts, { replace })
          return known.state === 'needs' ? known : { done: known }
        },
        async (need) => answer(need),
      ),
    )
    if (generation.state === 'failed') throw new Error(JSON.stringify(generation.problems))
    for (const { application } of generation.applications) {
      // What the engine made of a template is an Application.
      const whole = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', ...application } as unknown as KubeObject
      applications.push(rendered(tree, whole))
    }
  }
  const all = [...objects, ...applications.flatMap((application) => application.objects)]
  return { files, tree, settings, phases, applications, objects: all }
}

interface Spec {
  readonly project: string
  readonly source: ApplicationSource
  readonly destination: { readonly namespace: string }
}

function rendered(tree: FileTree, application: KubeObject): RenderedApplication {
  const name = application.metadata.name ?? ''
  // The definition of Applications is checked where they are created.
  const { project, source, destination } = application['spec'] as Spec
  const result = renderSource({
    source,
    tree,
    refs: new Map(),
    environment: { appName: name, appNamespace: destination.namespace, projectName: project, revision: '0' },
    namespace: destination.namespace,
    ports,
    kustomize: { table },
    settings: settingsOf(tree),
  })
  const { manifests } = good(asManifests(good(result)))
  const objects = manifests.map((object) => placed(object, destination.namespace))
  return { application, name, project, path: source.path ?? '', namespace: destination.namespace, objects }
}

/** Kinds of the blueprint that live in no namespace. */
const CLUSTER_WIDE = new Set([
  'Namespace',
  'ClusterPolicy',
  'ValidatingPolicy',
  'ClusterRole',
  'ClusterRoleBinding',
  'PriorityClass',
  'ClusterIssuer',
  'GatewayClass',
  'ClusterSecretStore',
])

/** Tells objects of namespaces from others, for the kinds that a blueprint has. */
export const isNamespaced = ({ kind }: Pick<KubeObject, 'kind'>): boolean => !CLUSTER_WIDE.has(kind)

/** What says no namespace goes where its Application goes. */
function placed(object: KubeObject, namespace: string): KubeObject {
  if (!isNamespaced(object) || object.metadata.namespace) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}
