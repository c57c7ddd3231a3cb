import type { KubeObject } from '../../kube/object.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { setOwn } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done, retry } from '../../runtime/work-queue.ts'
import { ApplicationKind } from '../application/application.ts'
import { fieldsOf, textOf } from '../fields.ts'
import { AppProjectKind } from '../project/app-project.ts'
import { type ServiceHttp, undiciServiceHttp } from '../../runtime/service-http.ts'
import { type NotificationsConfig, readNotifications } from './config.ts'
import { deliver } from './deliver.ts'
import { type Delivery, notificationFunctions, type NotificationPlan, planNotifications } from './plan.ts'
import { writeState } from './state.ts'
import { NOTIFIED } from './subscriptions.ts'

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }
const SECRETS = { group: '', version: 'v1', plural: 'secrets' }
const CONFIG = 'argocd-notifications-cm'
const SECRET = 'argocd-notifications-secret'

/** Tells of Applications as argocd-notifications-cm says, each thing once. */
export function notificationsController(
  ports: ControllerPorts,
  { namespace, http = undiciServiceHttp }: { readonly namespace: string; readonly http?: ServiceHttp },
): Controller {
  const { client, clock, ids, informers } = ports
  const events = ports.events('argocd-notifications-controller')
  const applications = informers.shared({ collection: { resource: ApplicationKind } })
  const projects = informers.shared({ collection: { resource: AppProjectKind, namespace } })
  const configMaps = informers.shared({ collection: { resource: CONFIG_MAPS, namespace } })
  const secrets = informers.own({
    collection: { resource: SECRETS, namespace },
    fieldSelector: `metadata.name=${SECRET}`,
  })
  const functions = notificationFunctions({ clock, ids, certificates: certificateMaker })
  const read = cachedConfig()
  /** What was told of each Application. */
  const told = new Map<string, string>()
  const configNow = (): NotificationsConfig | undefined =>
    read(configMaps.cache.get(`${namespace}/${CONFIG}`), secrets.cache.get(`${namespace}/${SECRET}`))
  const all = (): readonly string[] => applications.cache.list().map(keyOf)

  return {
    name: 'notifications',
    concurrency: 4,
    watches: [
      { informer: applications },
      { informer: configMaps, keys: (object) => (object.metadata.name === CONFIG ? all() : []) },
      { informer: secrets, keys: all },
    ],
    async reconcile(key, { log, signal }) {
      const application = applications.cache.get(key)
      const config = configNow()
      if (!application) told.delete(key)
      if (!application || !config || application.metadata.deletionTimestamp !== undefined) return done
      const project = projects.cache.get(
        `${namespace}/${textOf(fieldsOf(application, 'spec'), 'project') || 'default'}`,
      )
      const plan = planNotifications({ application, project, config, functions, nowMs: clock.now() })
      const trouble = plan.problems.map(explain)
      // The same trouble at every change of an Application is no news.
      if (told.get(key) !== trouble.join('\n')) {
        for (const message of trouble) {
          events.note(application, { type: 'Warning', reason: 'NotificationFailed', message })
        }
      }
      if (trouble.length > 0) told.set(key, trouble.join('\n'))
      else told.delete(key)
      const sent: Delivery[] = []
      let failure: string | undefined
      for (const delivery of plan.deliveries) {
        const result = await deliver(delivery.request, { http, clock }, signal)
        log.info('sending a notification', {
          trigger: delivery.trigger,
          service: delivery.destination.service,
          isDelivered: result.ok,
          because: delivery.because,
        })
        if (result.ok) sent.push(delivery)
        else {
          failure = result.error.map(explain).join('; ')
          events.note(application, { type: 'Warning', reason: 'NotificationFailed', message: failure })
        }
      }
      const patch = patchFor(application, plan, sent, clock.now())
      if (patch) {
        const { name = '', namespace: at = '' } = application.metadata
        const patched = await client.patch(
          { resource: ApplicationKind, namespace: at, name },
          { type: 'merge', body: patch },
        )
        if (patched.ok) await applications.caughtUp(patched.value, signal)
        else if (patched.error.reason !== 'NotFound') return retryAfter(patched.error)
      }
      return failure === undefined ? done : retry(failure)
    },
  }
}

/** The annotation with what was sent; undefined where nothing is new. */
function patchFor(
  application: KubeObject,
  { state }: NotificationPlan,
  sent: readonly Delivery[],
  nowMs: number,
): { readonly metadata: { readonly annotations: Record<string, string | null> } } | undefined {
  const seconds = Math.floor(nowMs / 1_000)
  const next = writeState(new Map([...state, ...sent.map(({ key }) => [key, seconds] as const)]))
  if (next === application.metadata.annotations?.[NOTIFIED]) return undefined
  return { metadata: { annotations: { [NOTIFIED]: next ?? null } } }
}

/** The configuration, read anew only when one of its objects has changed. */
function cachedConfig(): (
  configMap: KubeObject | undefined,
  secret: KubeObject | undefined,
) => NotificationsConfig | undefined {
  let known: { readonly from: string; readonly config: NotificationsConfig } | undefined
  return (configMap, secret) => {
    if (!configMap) return undefined
    const from = `${configMap.metadata.resourceVersion ?? ''} ${secret?.metadata.resourceVersion ?? ''}`
    if (known?.from !== from) {
      known = { from, config: readNotifications(fieldsOf(configMap, 'data'), secretTexts(secret)) }
    }
    return known.config
  }
}

function secretTexts(secret: KubeObject | undefined): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(fieldsOf(secret, 'data'))) {
    if (typeof value === 'string') setOwn(texts, key, Buffer.from(value, 'base64').toString('utf8'))
  }
  return texts
}
