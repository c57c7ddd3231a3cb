import { join } from 'node:path'
import type { UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import { type ControllerPart, type ControllerPorts, controllersOf } from '../runtime/controller-part.ts'
import { reachServices } from '../runtime/reach-services.ts'
import { serviceHttp } from '../runtime/service-http.ts'
import { applications, USUAL_NAMESPACE } from './application/applications.ts'
import { applicationSetController } from './applicationset/controller.ts'
import { clusterSources, servedWorkingFolder } from './manifests/cluster-sources.ts'
import { gitOpsMetrics } from './metrics-part.ts'
import { notificationsController } from './notifications/controller.ts'
import { projectKeeper } from './project-keeper/project-keeper.ts'
import { REPOSITORY_URL, repositoryServer } from './repository-server.ts'
import { clusterWebhooks, WEBHOOK_PATH } from './webhook/webhook-part.ts'
import { remoteUrls } from './working-folder.ts'

/** What GitOps is made with, before there is a cluster to talk to. */
export interface GitOpsParts {
  readonly stateFolder: string
  readonly workingFolder: string
  /** Where git is looked for. */
  readonly path: string
  /** A way to the cluster in somebody's name, where that can be had. */
  readonly clientAs?: (user: UserInfo) => Client
  /** Whether Applications may name repositories on this machine's disk; they may, where nobody else's Applications are served. */
  readonly mayReadDisk?: boolean
}

type Webhooks = ReturnType<typeof clusterWebhooks>

/** What GitOps brings: controllers, and what takes webhooks once they run. */
export interface GitOps {
  readonly controllers: (ports: ControllerPorts) => ControllerPart
  readonly receivers: readonly { readonly path: string; readonly open: boolean; readonly receive: Webhooks['handle'] }[]
}

/** GitOps as a capability: Applications kept as Git says, on this cluster and on others. */
export function makeGitOps({ stateFolder, workingFolder, path, clientAs, mayReadDisk = true }: GitOpsParts): GitOps {
  let webhooks: Webhooks | undefined
  const receive: Webhooks['handle'] = (request) =>
    webhooks?.handle(request) ?? { status: 503, body: 'the controllers are not at work yet' }
  return {
    receivers: [{ path: WEBHOOK_PATH, open: true, receive }],
    controllers(ports) {
      const sources = clusterSources({
        ports,
        namespace: USUAL_NAMESPACE,
        folder: join(stateFolder, 'sources'),
        path,
        servedFrom: servedWorkingFolder(workingFolder, [...remoteUrls(workingFolder), REPOSITORY_URL]),
        mayReadDisk,
      })
      webhooks = clusterWebhooks(ports, { namespace: USUAL_NAMESPACE, check: (url) => sources.git.check(url) })
      const apps = applications({
        ...ports,
        manifests: sources.manifests,
        namespace: USUAL_NAMESPACE,
        watchSeconds: 0,
        events: ports.events('argocd-application-controller'),
        ...(clientAs ? { actAs: ({ entry }, user) => (entry.access ? undefined : clientAs(accountOf(user))) } : {}),
      })
      const sets = controllersOf<ControllerPorts>((given) => [
        applicationSetController(given, { git: sources.git, namespace: USUAL_NAMESPACE }),
        projectKeeper(given, USUAL_NAMESPACE),
        notificationsController(given, {
          namespace: USUAL_NAMESPACE,
          http: serviceHttp({ reach: reachServices(given.informers) }),
        }),
      ])(ports)
      const measured = gitOpsMetrics(ports, USUAL_NAMESPACE)
      const served = repositoryServer(ports, { stateFolder, workingFolder, path })
      return {
        pending: () => [...apps.pending(), ...sets.pending()],
        async run(signal) {
          await sources.synced(signal).catch(() => {})
          if (signal.aborted) return
          await Promise.all([
            sources.run(signal),
            apps.run(signal),
            sets.run(signal),
            measured.run(signal),
            served.run(signal),
          ])
        },
      }
    },
  }
}

/** A ServiceAccount as the API knows it: with the groups that all of them are in. */
function accountOf(username: string): UserInfo {
  const [, , namespace = ''] = username.split(':')
  return {
    username,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}
