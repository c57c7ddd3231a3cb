import type { KubeObject } from '../../kube/object.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { fieldsOf, textOf } from '../fields.ts'
import {
  type ApplicationSet,
  type ApplicationsSync,
  parseApplicationSet,
  REFRESH_ANNOTATION,
} from './application-set.ts'
import { generate, type Generation } from './engine/generate.ts'
import { IN_CLUSTER } from './engine/generators/clusters.ts'
import type { ClusterFact } from './engine/need.ts'
import { requeueAfterMs } from './engine/requeue.ts'
import { clusterFact, withFacts } from './fetch-facts.ts'
import type { ApplicationSetPorts } from './ports.ts'
import { type ApplicationSetSettings, applicationSetSettings, isWatched, policyOf } from './settings.ts'

/** Everything that decides what happens to the Applications of an ApplicationSet. */
export interface Observed {
  readonly set: ApplicationSet
  readonly generation: Exclude<Generation, { readonly state: 'needs' }>
  /** The Applications that the ApplicationSet controls. */
  readonly owned: readonly KubeObject[]
  /** Every Application of its namespace by name, whoever controls it. */
  readonly inNamespace: { get(name: string): KubeObject | undefined }
  readonly projects: { has(name: string): boolean }
  /** Why a destination is none; undefined when it is one. */
  readonly destination: (destination: Readonly<Record<string, unknown>>) => string | undefined
  readonly settings: ApplicationSetSettings
  readonly policy: ApplicationsSync
  readonly requeueAfterMs: number | undefined
  readonly nowMs: number
}

/** What is there when an ApplicationSet is looked at, before its generators are asked. */
export interface Found {
  readonly set: ApplicationSet
  readonly owned: readonly KubeObject[]
  readonly settings: ApplicationSetSettings
  readonly policy: ApplicationsSync
}

/** The name of the ConfigMap that holds the controllers' parameters. */
export const PARAMETERS = 'argocd-cmd-params-cm'

/** The settings as they are now. */
export const settingsNow = ({ caches, namespace }: ApplicationSetPorts): ApplicationSetSettings =>
  applicationSetSettings(caches.configMaps.cache.get(`${namespace}/${PARAMETERS}`))

/** The ApplicationSet under a key, undefined when it is gone or not to be looked at; a malformed one is a problem. */
export function findApplicationSet(key: string, ports: ApplicationSetPorts): Result<Found> | undefined {
  const { caches, namespace } = ports
  const object = caches.applicationSets.cache.get(key)
  const settings = settingsNow(ports)
  if (!object) ports.answers.forget(key)
  if (!object || !isWatched(settings, object.metadata.namespace ?? '', namespace)) return undefined
  const set = parseApplicationSet(object)
  if (!set.ok) return set
  const owned = caches.applications.cache.by('owner', object.metadata.uid ?? '')
  return succeed({ set: set.value, owned, settings, policy: policyOf(settings, set.value.applicationsSync) })
}

/** Asks the generators, and gathers what judges their Applications. */
export async function observeApplicationSet(
  { set, owned, settings, policy }: Found,
  ports: ApplicationSetPorts,
  signal: AbortSignal,
): Promise<Observed> {
  const { caches, namespace, clock, client, git, http, replace } = ports
  // The default project is there even while nobody has written it down.
  const hasProject = (name: string): boolean =>
    name === 'default' || caches.projects.cache.get(`${namespace}/${name}`) !== undefined
  const clusters = (): readonly ClusterFact[] => caches.clusters.cache.list(namespace).map(clusterFact)
  const options = { replace, settings: settings.generators }
  const isFresh = set.metadata.annotations?.[REFRESH_ANNOTATION] !== undefined
  const afterMs = requeueAfterMs(set.generators, settings.generators)
  const answers = ports.answers.of({
    key: `${set.namespace}/${set.name}`,
    generation: set.metadata.generation ?? 0,
    nowMs: clock.now(),
    keepMs: isFresh ? undefined : afterMs,
  })
  const fetched = await withFacts(
    (facts) => {
      const generation = generate(set, facts, options)
      return generation.state === 'needs' ? generation : { done: generation }
    },
    {
      client,
      git,
      http,
      clusters,
      hasProject,
      newGitGlobbing: settings.newGitGlobbing,
      namespace,
      setNamespace: set.namespace,
      answers,
      fresh: isFresh,
    },
    signal,
  )
  return {
    set,
    generation: fetched.ok ? fetched.value : failedBy(fetched.error),
    owned,
    inNamespace: { get: (name) => caches.applications.cache.get(`${set.namespace}/${name}`) },
    projects: { has: hasProject },
    destination: destinationFault(clusters()),
    settings,
    policy,
    requeueAfterMs: afterMs,
    nowMs: clock.now(),
  }
}

const failedBy = (problems: readonly Problem[]): Observed['generation'] => ({
  state: 'failed',
  reason: 'ApplicationGenerationFromParamsError',
  problems: problems.length > 0 ? problems : fail({ code: 'appset-generator-failed', message: 'unknown' }).error,
})

/** Says why a destination names no cluster, in upstream's words; undefined when it names one. */
export function destinationFault(
  clusters: readonly ClusterFact[],
): (destination: Readonly<Record<string, unknown>>) => string | undefined {
  const all = [...clusters, IN_CLUSTER]
  const servers = new Set(all.map((cluster) => withoutSlash(cluster.server)))
  return (destination) => {
    const [server, name] = [textOf(destination, 'server'), textOf(destination, 'name')]
    if (server !== '' && name !== '') {
      return `application destination can't have both name and server defined: ${name} ${server}`
    }
    if (server !== '') {
      return servers.has(withoutSlash(server))
        ? undefined
        : `error getting cluster by server ${JSON.stringify(server)}: cluster ${JSON.stringify(server)} not found`
    }
    if (name === '') return 'destination server missing from app spec'
    const named = new Set(all.filter((cluster) => cluster.name === name).map((cluster) => cluster.server))
    if (named.size === 0) return `unable to find destination server: there are no clusters with this name: ${name}`
    return named.size > 1 ? `there are ${named.size} clusters with the same name: ${name}` : undefined
  }
}

const withoutSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url)

/** Problems in one line. */
export const problemText = (problems: readonly Problem[]): string => problems.map(explain).join('; ')

/** The repositories that an ApplicationSet's Git generators read; '' stands for one that is only known later. */
export function repositoriesOf(value: unknown, depth: number = 0): readonly string[] {
  if (depth > 12 || typeof value !== 'object' || value === null) return []
  const below = Object.entries(value).flatMap(([key, item]) => {
    if (key !== 'git') return repositoriesOf(item, depth + 1)
    const url = textOf(fieldsOf(value, 'git'), 'repoURL')
    return [url.includes('{{') ? '' : url]
  })
  return [...new Set(below)]
}
