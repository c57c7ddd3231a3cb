import { isObject } from '../../lib/json.ts'
import { type Controller, retryAfter, type TurnContext } from '../../runtime/controller.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import type { Informer } from '../../runtime/informer.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import { ApplicationKind } from '../application/application.ts'
import { fieldsOf, textOf } from '../fields.ts'
import { AppProjectKind, parseAppProject, PROJECT_FINALIZER } from '../project/app-project.ts'
import { defaultProject } from '../project/virtual-project.ts'
import { validateProject } from '../project/validate-project.ts'

/** What a project that is being deleted waits for. */
export type ProjectPlan =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'wait'; readonly because: string }
  | { readonly do: 'let-go'; readonly finalizers: readonly string[]; readonly because: string }

/** Keeps a project that is being deleted, and has the finalizer, until no Application uses it. */
export function planProject(
  metadata: { readonly deletionTimestamp?: string; readonly finalizers?: readonly string[] },
  users: readonly string[],
): ProjectPlan {
  const { finalizers = [], deletionTimestamp } = metadata
  if (deletionTimestamp === undefined || !finalizers.includes(PROJECT_FINALIZER)) {
    return { do: 'nothing', because: 'it is not being deleted, or nothing keeps it' }
  }
  if (users.length > 0) {
    const more = users.length > 3 ? ` and ${users.length - 3} more` : ''
    return { do: 'wait', because: `Applications use it: ${users.slice(0, 3).join(', ')}${more}` }
  }
  const kept = finalizers.filter((name) => name !== PROJECT_FINALIZER)
  return { do: 'let-go', finalizers: kept, because: 'no Application uses it' }
}

/** Keeps projects while they are used, makes the default one, and tells what is wrong with them. */
export function projectKeeper(ports: ControllerPorts, namespace: string): Controller {
  const { client, informers } = ports
  const events = ports.events('argocd-application-controller')
  const projects = informers.shared({ collection: { resource: AppProjectKind, namespace } })
  const applications: Informer = informers.own({
    collection: { resource: ApplicationKind },
    indexes: { project: (object) => [textOf(fieldsOf(object, 'spec'), 'project') || 'default'] },
  })
  const place = { resource: AppProjectKind, namespace }

  const makeDefault = async (): Promise<Turn> => {
    const made = await client.create(place, defaultProject(namespace))
    if (made.ok || made.error.reason === 'AlreadyExists' || made.error.reason === 'NotFound') return done
    return retryAfter(made.error)
  }
  return {
    name: 'project',
    watches: [
      { informer: withDefault(projects, namespace) },
      {
        informer: applications,
        keys: (object) => [`${namespace}/${textOf(fieldsOf(object, 'spec'), 'project') || 'default'}`],
      },
    ],
    async reconcile(key, { log }: TurnContext) {
      const object = projects.cache.get(key)
      if (!object) return key === `${namespace}/default` ? makeDefault() : done
      const name = object.metadata.name ?? ''
      const plan = planProject(object.metadata, applications.cache.by('project', name).map(keyOf))
      if (plan.do === 'let-go') {
        log.info('letting a project go', { because: plan.because })
        const body = { metadata: { finalizers: plan.finalizers } }
        const patched = await client.patch({ ...place, name }, { type: 'merge', body })
        return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
      }
      if (plan.do === 'wait') events.note(object, { type: 'Warning', reason: 'ProjectInUse', message: plan.because })
      else if (isObject(object['spec'])) {
        const project = parseAppProject(object)
        for (const { at = '', message } of validateProject(project)) {
          events.note(object, { type: 'Warning', reason: 'InvalidProject', message: `${at}: ${message}` })
        }
        for (const field of project.unsupported) {
          events.note(object, { type: 'Warning', reason: 'Unsupported', message: `${field} is not supported` })
        }
      }
      return done
    },
  }
}

type Listened = Pick<Informer, 'listen' | 'synced'>

/** The projects as they are listened to, with a first word about the default one, which may not be there. */
function withDefault(projects: Informer, namespace: string): Listened {
  return {
    synced: (signal) => projects.synced(signal),
    listen(listener) {
      const { apiVersion, kind, metadata } = defaultProject(namespace) as Parameters<typeof keyOf>[0] // an AppProject
      listener({ type: 'added', key: `${namespace}/default`, object: { apiVersion, kind, metadata } })
      return projects.listen(listener)
    },
  }
}
