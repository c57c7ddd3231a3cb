import type { KubeObject } from '../../kube/object.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { explain } from '../../lib/result.ts'
import { isAffectedByPullRequest, isApplicationAffected, isApplicationSetAffected } from './affected.ts'
import type { WebhookEvent } from './push-event.ts'
import { receiveWebhook, type WebhookRequest, type WebhookSecrets } from './receive.ts'

/** What is answered to a sender. */
export interface WebhookAnswer {
  readonly status: number
  readonly body: string
}

/** What a webhook sets in motion. */
export interface WebhookPorts {
  readonly secrets: () => WebhookSecrets
  readonly applications: () => readonly KubeObject[]
  readonly applicationSets: () => readonly KubeObject[]
  /** Asks a repository for its refs at once, so that whoever is refreshed sees what was pushed. */
  readonly check: (repoURL: string) => Promise<void>
  /** Asks for a refresh of an object by the annotation of its kind. */
  readonly refresh: (object: KubeObject) => Promise<void>
  readonly log: Log
}

/** The largest body that is taken, as upstream's webhook.maxPayloadSizeMB. */
export const MOST_WEBHOOK_BYTES: number = 50 * 1024 * 1024

/** Which objects a webhook is about, and whose repositories are to be asked. */
export function planWebhook(
  event: WebhookEvent,
  { applications, applicationSets }: Pick<WebhookPorts, 'applications' | 'applicationSets'>,
): { readonly check: readonly string[]; readonly refresh: readonly KubeObject[] } {
  switch (event.is) {
    case 'nothing':
      return { check: [], refresh: [] }
    case 'pull-request':
      return { check: [], refresh: applicationSets().filter((set) => isAffectedByPullRequest(set, event.pullRequest)) }
    case 'push': {
      const { push } = event
      return {
        check: push.repositoryUrls,
        refresh: [
          ...applicationSets().filter((set) => isApplicationSetAffected(set, push)),
          ...applications().filter((app) => isApplicationAffected(app, push)),
        ],
      }
    }
  }
}

/**
 * Takes webhooks: answers as soon as it knows who sent it and what it says, then asks the repository and refreshes whatever
 * may have changed. `settled` resolves once everything that was taken is done.
 */
export function webhookHandler(ports: WebhookPorts): {
  handle(request: WebhookRequest): WebhookAnswer
  settled(): Promise<void>
} {
  const working = new Set<Promise<void>>()
  const work = async (event: WebhookEvent): Promise<void> => {
    const plan = planWebhook(event, ports)
    await Promise.all(plan.check.map((url) => ports.check(url)))
    for (const object of plan.refresh) {
      try {
        await ports.refresh(object)
      } catch (error) {
        const { namespace, name } = object.metadata
        ports.log.warn('cannot refresh after a webhook', {
          kind: object.kind,
          namespace,
          name,
          because: describeError(error),
        })
      }
    }
    if (plan.refresh.length > 0) ports.log.info('refreshing after a webhook', { objects: plan.refresh.length })
  }
  return {
    handle(request) {
      if (request.body.length > MOST_WEBHOOK_BYTES) return { status: 413, body: 'the body is too large' }
      const event = receiveWebhook(request, ports.secrets())
      if (!event.ok) {
        ports.log.info('a webhook was refused', { because: event.error.map(explain).join('; ') })
        const [{ message } = { message: '' }] = event.error
        return { status: request.method === 'POST' ? 400 : 405, body: message }
      }
      const done = work(event.value)
        .catch((error: unknown) => ports.log.error('a webhook could not be worked on', error))
        .finally(() => working.delete(done))
      working.add(done)
      return { status: 200, body: '' }
    },
    async settled() {
      while (working.size > 0) await Promise.all(working)
    },
  }
}
