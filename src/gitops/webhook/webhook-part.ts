import type { KubeObject } from '../../kube/object.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { ApplicationKind } from '../application/application.ts'
import { ApplicationSetKind, REFRESH_ANNOTATION } from '../applicationset/application-set.ts'
import { webhookSecrets } from './receive.ts'
import { webhookHandler, type WebhookPorts } from './webhook-handler.ts'

/** Where forges send their webhooks, as Argo CD has it. */
export const WEBHOOK_PATH = '/api/webhook'

const SETTINGS_SECRET = 'argocd-secret'
const APPLICATION_REFRESH = 'argocd.argoproj.io/refresh'

/** Takes webhooks for the Applications and ApplicationSets of a cluster; senders prove themselves with the keys of `argocd-secret`. */
export function clusterWebhooks(
  { client, informers, log }: ControllerPorts,
  { namespace, check }: { readonly namespace: string } & Pick<WebhookPorts, 'check'>,
): ReturnType<typeof webhookHandler> {
  const apps = informers.shared({ collection: { resource: ApplicationKind } })
  const sets = informers.shared({ collection: { resource: ApplicationSetKind } })
  const secrets = informers.shared({
    collection: { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace },
    fieldSelector: `metadata.name=${SETTINGS_SECRET}`,
  })
  return webhookHandler({
    log,
    check,
    secrets: () => webhookSecrets(secrets.cache.get(`${namespace}/${SETTINGS_SECRET}`)?.['data']),
    applications: () => apps.cache.list(),
    applicationSets: () => sets.cache.list(),
    async refresh(object) {
      const refused = await annotate(object)
      if (refused !== undefined) throw new Error(refused)
    },
  })

  async function annotate({ kind, metadata }: KubeObject): Promise<string | undefined> {
    const isSet = kind === ApplicationSetKind.kind
    const annotations = isSet ? { [REFRESH_ANNOTATION]: 'true' } : { [APPLICATION_REFRESH]: 'normal' }
    const resource = isSet ? ApplicationSetKind : ApplicationKind
    const target = { resource, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
    const patched = await client.patch(target, { type: 'merge', body: { metadata: { annotations } } })
    // What is gone need not be refreshed.
    return patched.ok || patched.error.reason === 'NotFound' ? undefined : patched.error.message
  }
}
