import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import type { Clock } from '../../lib/clock.ts'
import { controllerOf } from '../../kube/owner.ts'
import { type Controller, ownerKeys, type TurnContext, type Watch } from '../../runtime/controller.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import type { CacheChange, Informer } from '../../runtime/informer.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import type { GitFiles } from '../../sources/git/git-files.ts'
import { normalGitUrl } from '../../sources/git/git-url.ts'
import { ApplicationKind } from '../application/application.ts'
import { fieldsOf, textOf } from '../fields.ts'
import { AppProjectKind } from '../project/app-project.ts'
import { addFinalizer, applyDeletion, applyPlan, FINALIZER, reportFailure } from './apply.ts'
import { ApplicationSetKind } from './application-set.ts'
import { planDeletion } from './deletion.ts'
import { templateReplacer } from './engine/renderer.ts'
import { type Found, findApplicationSet, observeApplicationSet, problemText, repositoriesOf } from './observe.ts'
import { planApplicationSet } from './plan.ts'
import type { ApplicationSetPorts } from './ports.ts'
import { ServiceAnswers } from './service-answers.ts'
import { type ServiceHttp, undiciServiceHttp } from '../../runtime/service-http.ts'

/** What the controller is made with besides a cluster. */
export interface ApplicationSetOptions {
  readonly git: GitFiles
  readonly http?: ServiceHttp
  /** Where Argo CD's own objects live; `argocd` when not given. */
  readonly namespace?: string
}

const SECRETS = { group: '', version: 'v1', plural: 'secrets' }
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }

/** Makes the Applications of every ApplicationSet what its generators and its template say. */
export function applicationSetController(ports: ControllerPorts, options: ApplicationSetOptions): Controller {
  const own = portsOf(ports, options)
  return {
    name: 'applicationset',
    watches: watchesOf(own),
    concurrency: 4,
    reconcile: (key, context) => reconcile(key, own, context),
  }
}

function portsOf(
  { client, clock, ids, events, informers }: ControllerPorts,
  options: ApplicationSetOptions,
): ApplicationSetPorts {
  const { git, http = undiciServiceHttp, namespace = 'argocd' } = options
  return {
    client,
    clock,
    git,
    http,
    namespace,
    replace: templateReplacer({ clock, ids, certificates: certificateMaker }),
    answers: new ServiceAnswers(),
    events: events('applicationset-controller'),
    caches: {
      applicationSets: informers.shared({ collection: { resource: ApplicationSetKind } }),
      applications: informers.own({
        collection: { resource: ApplicationKind },
        indexes: { owner: (application) => [controllerOf(application)?.uid ?? ''] },
      }),
      projects: informers.shared({ collection: { resource: AppProjectKind, namespace } }),
      clusters: informers.shared({
        collection: { resource: SECRETS, namespace },
        labelSelector: 'argocd.argoproj.io/secret-type=cluster',
      }),
      configMaps: informers.shared({ collection: { resource: CONFIG_MAPS, namespace } }),
    },
  }
}

async function reconcile(key: string, ports: ApplicationSetPorts, context: TurnContext): Promise<Turn> {
  const found = findApplicationSet(key, ports)
  if (!found) return done
  if (!found.ok) return malformed(key, problemText(found.error), ports)
  const { set, owned, policy } = found.value
  if (set.metadata.deletionTimestamp !== undefined) {
    return applyDeletion(planDeletion(set, owned, policy), set, ports, context)
  }
  if (needsFinalizer(found.value)) return addFinalizer(set, ports)
  const seen = await observeApplicationSet(found.value, ports, context.signal)
  const plan = planApplicationSet(seen)
  context.log.debug('planned an application set', { because: plan.because, actions: plan.actions.length })
  return applyPlan(plan, set, ports, context)
}

/** Deleting in reverse, and letting Applications go on, both have to come before the garbage collector. */
function needsFinalizer({ set, policy, settings }: Found): boolean {
  const isReverse = set.strategy.deletesInReverse && settings.progressiveSyncs
  const isNeeded = isReverse || policy === 'create-only' || policy === 'create-update'
  return isNeeded && !(set.metadata.finalizers ?? []).includes(FINALIZER)
}

const LOOK_AGAIN_MS = 180_000

async function malformed(key: string, message: string, ports: ApplicationSetPorts): Promise<Turn> {
  const object = ports.caches.applicationSets.cache.get(key)
  if (!object) return done
  const { name = '', namespace = '' } = object.metadata
  const strategy = { isRolling: false, steps: [], deletesInReverse: false }
  await reportFailure({ object, name, namespace, strategy }, 'ErrorOccurred', message, ports)
  return again(LOOK_AGAIN_MS, message)
}

function watchesOf(ports: ApplicationSetPorts): readonly Watch[] {
  const { applicationSets, applications, projects, clusters, configMaps } = ports.caches
  const all = (): readonly string[] => applicationSets.cache.list().map(keyOf)
  return [
    { informer: applicationSets, keys: (object, change) => (isOwnStatus(change) ? [] : [keyOf(object)]) },
    { informer: gathered(applications, ports.clock), keys: ownerKeys('ApplicationSet', 'argoproj.io') },
    { informer: projects, keys: (_, change) => (change.type === 'changed' ? [] : all()) },
    { informer: clusters, keys: all },
    { informer: configMaps, keys: (object) => (object.metadata.name === 'argocd-cmd-params-cm' ? all() : []) },
    { informer: gitChanges(ports), keys: (object) => [keyOf(object)] },
  ]
}

/** Nothing has changed but the status, which only we write. */
function isOwnStatus({ type, object, previous }: CacheChange): boolean {
  if (type !== 'changed' || !previous) return false
  const { metadata } = object
  const before = previous.metadata
  return (
    metadata.generation === before.generation &&
    metadata.deletionTimestamp === before.deletionTimestamp &&
    isEqual(metadata.annotations, before.annotations) &&
    isEqual(metadata.finalizers, before.finalizers) &&
    isEqual(object['spec'], previous['spec'])
  )
}

type Listened = Pick<Informer, 'listen' | 'synced'>

/** Applications report their health all the time: what only tells of that is passed on at most once a second for an owner. */
const GATHER_MS = 1_000

function gathered(informer: Informer, clock: Clock): Listened {
  return {
    synced: (signal) => informer.synced(signal),
    listen(listener) {
      const waiting = new Map<string, () => void>()
      const leave = informer.listen((change) => {
        const news = newsOf(change)
        if (news === 'none') return
        if (news === 'now') {
          listener(change)
          return
        }
        const owner = controllerOf(change.object)?.uid ?? ''
        if (waiting.has(owner)) return
        const pass = (): void => {
          waiting.delete(owner)
          listener(change)
        }
        waiting.set(owner, clock.after(GATHER_MS, pass))
      })
      return () => {
        leave()
        for (const cancel of waiting.values()) cancel()
      }
    },
  }
}

/** Whether a change of an Application concerns its ApplicationSet, and how urgently. */
function newsOf({ type, object, previous }: CacheChange): 'now' | 'soon' | 'none' {
  if (type === 'removed') return 'now'
  if (!previous) return 'soon'
  const { metadata } = object
  const before = previous.metadata
  const isTouched =
    !isEqual(object['spec'], previous['spec']) ||
    !isEqual(metadata.labels, before.labels) ||
    !isEqual(metadata.annotations, before.annotations) ||
    !isEqual(metadata.finalizers, before.finalizers) ||
    !isEqual(metadata.ownerReferences, before.ownerReferences) ||
    metadata.deletionTimestamp !== before.deletionTimestamp
  if (isTouched) return 'now'
  return isEqual(summaryOf(object), summaryOf(previous)) ? 'none' : 'soon'
}

function summaryOf(application: KubeObject): unknown {
  const status = fieldsOf(application, 'status')
  const operation = fieldsOf(status, 'operationState')
  return [
    textOf(fieldsOf(status, 'health'), 'status'),
    fieldsOf(status, 'sync'),
    textOf(operation, 'phase'),
    textOf(operation, 'startedAt'),
  ]
}

/** A repository that has moved is news about every ApplicationSet that reads it. */
function gitChanges({ git, caches }: ApplicationSetPorts): Listened {
  return {
    synced: () => Promise.resolve(),
    listen(listener) {
      return git.onChange(({ repoURL }) => {
        const moved = normalGitUrl(repoURL)
        for (const object of caches.applicationSets.cache.list()) {
          const urls = repositoriesOf(fieldsOf(object, 'spec')['generators'])
          const isRead = urls.some((url) => url === '' || url === repoURL || normalGitUrl(url) === moved)
          if (isRead) listener({ type: 'changed', key: keyOf(object), object })
        }
      })
    },
  }
}
