import type { KubeObject } from '../../kube/object.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { OpenCluster } from '../clusters/clusters.ts'
import { instanceName } from '../compare/tracking.ts'
import type { ManifestRequest, Manifests } from '../manifests/manifest-source.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import type { AppMemory, AppPorts, Refresh } from './app-ports.ts'
import { type Application, type ApplicationSource, sourcesOf } from './application.ts'

/** What to compare with, when not what the spec says. */
export interface Wanted {
  readonly sources?: readonly ApplicationSource[]
  readonly revisions?: readonly string[]
  /** Manifests that somebody sends along. */
  readonly local?: readonly string[]
  /** Sources that say the same as before need not be told of at once. */
  readonly mayWait?: boolean
  /** How much is looked at again. */
  readonly refresh?: Refresh
}

export interface RenderInput {
  readonly memory: AppMemory
  readonly wanted: Wanted
  readonly cluster: OpenCluster
}

/** The manifests of an Application: as they were, unless something asks for more. */
export async function renderTargets(
  app: Application,
  { memory, wanted, cluster }: RenderInput,
  { manifests, controllerNamespace }: Pick<AppPorts, 'manifests' | 'controllerNamespace'>,
  signal: AbortSignal,
): Promise<Result<Manifests>> {
  if (wanted.local && wanted.local.length > 0) {
    return localManifests(wanted.local, wanted.revisions ?? [])
  }
  const request = requestOf(app, wanted, controllerNamespace)
  const { refresh: asked = 'live' } = wanted
  const isSpec = wanted.sources === undefined && wanted.revisions === undefined
  const inputs = JSON.stringify(request)
  if (isSpec && asked === 'live' && memory.rendered?.inputs === inputs) {
    return succeed(memory.rendered.manifests)
  }
  const refresh = asked === 'hard' || asked === 'normal' ? asked : undefined
  const { kinds, version } = cluster.live
  const rendered = await manifests.manifests(
    {
      ...request,
      apiVersions: kinds.apiVersions,
      ...(version === undefined ? {} : { kubeVersion: version }),
      ...(refresh === undefined ? {} : { refresh }),
    },
    { signal },
  )
  if (!rendered.ok) return rendered
  if (isSpec) {
    memory.rendered = { inputs, manifests: rendered.value }
    memory.isFresh = true
  }
  return rendered
}

/** What the manifests of an Application depend on, by itself. */
export function requestOf(
  app: Application,
  { sources, revisions }: Wanted,
  controllerNamespace: string,
): ManifestRequest {
  const { name = '', namespace = '' } = app.metadata
  const generatePaths = annotationOf(app, 'argocd.argoproj.io/manifest-generate-paths')
  const isPinned = revisions?.some((revision) => revision !== '') ?? false
  return {
    app: {
      name,
      namespace,
      project: app.spec.project,
      instanceName: instanceName(app, controllerNamespace),
    },
    sources: sources ?? sourcesOf(app.spec),
    ...(revisions && isPinned ? { revisions } : {}),
    destinationNamespace: app.spec.destination.namespace ?? '',
    ...(generatePaths === undefined ? {} : { generatePaths }),
  }
}

function localManifests(texts: readonly string[], revisions: readonly string[]): Result<Manifests> {
  const manifests: KubeObject[] = []
  for (const [index, text] of texts.entries()) {
    try {
      manifests.push(JSON.parse(text) as KubeObject)
    } catch {
      return fail({
        code: 'local-manifest-invalid',
        at: `operation.sync.manifests[${index}]`,
        message: 'it is not JSON',
      })
    }
  }
  return succeed({ manifests, origins: [], revisions, sourceTypes: [], warnings: [], digest: texts.join('\n') })
}
