import type { Client, ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Informer } from '../../runtime/informer.ts'
import type { Informers } from '../../runtime/informers.ts'
import { cleanupKinds, exceptionKinds, globalContextKind, policyKinds } from '../catalog/policy-kinds.ts'
import type { PolicySource } from '../catalog/policy-source.ts'
import { KYVERNO_NAMESPACE } from '../settings/policy-settings.ts'

interface Place {
  readonly group: string
  readonly plural: string
  readonly version?: string
  readonly namespace?: string
}

/** What policies look at in any case; shared data of the cluster comes on top, as it is asked for. */
const places: readonly Place[] = [
  ...policyKinds,
  ...cleanupKinds,
  ...exceptionKinds,
  globalContextKind,
  { group: '', plural: 'namespaces' },
  { group: '', plural: 'configmaps', namespace: KYVERNO_NAMESPACE },
  { group: 'rbac.authorization.k8s.io', plural: 'rolebindings' },
  { group: 'rbac.authorization.k8s.io', plural: 'clusterrolebindings' },
  { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' },
]

interface InformedPorts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
}

/** A kind that is not served is looked for again so often. */
const ASK_EVERY_MS = 10_000

interface Watched {
  readonly informer: Informer
  /** What was last listed, by namespace, until something changes. */
  readonly lists: Map<string, readonly KubeObject[]>
}

const nothing: readonly KubeObject[] = []
const keyOfPlace = (group: string, plural: string, namespace: string | undefined): string =>
  `${group}/${plural}/${namespace ?? ''}`

/** A cluster elsewhere as policies see it, kept current by watching; resolves when everything has been read once. */
export async function informedSource(
  { client, informers, clock, log }: InformedPorts,
  signal: AbortSignal,
): Promise<PolicySource> {
  const discover = async (): Promise<readonly ResourceInfo[]> => {
    const found = await client.discover({ signal })
    // Without it no policy would be seen: judging by none is worse than not judging.
    if (!found.ok) throw new Error(`cannot find out what is served: ${found.error.message}`)
    return found.value
  }
  const watched = new Map<string, Watched>()
  const infos = await discover()
  for (const place of places) watch(place, infos)
  await Promise.all([...watched.values()].map(({ informer }) => informer.synced(signal)))
  const askedAt = new Map<string, number>()
  return {
    get(group, plural, { namespace, name }) {
      const found =
        watched.get(keyOfPlace(group, plural, undefined)) ?? watched.get(keyOfPlace(group, plural, namespace))
      return found?.informer.cache.get(`${namespace ?? ''}/${name}`)
    },
    list(group, plural, namespace) {
      const narrow = watched.get(keyOfPlace(group, plural, namespace))
      if (narrow) return listOf(narrow, '')
      const whole = watched.get(keyOfPlace(group, plural, undefined))
      if (whole) return listOf(whole, namespace ?? '')
      ask({ group, plural, ...(namespace === undefined ? {} : { namespace }) })
      return nothing
    },
  }

  function watch({ group, plural, version, namespace }: Place, known: readonly ResourceInfo[]): void {
    const versions = known.filter(
      (info) => info.group === group && info.plural === plural && info.subresource === undefined,
    )
    const info = versions.find((one) => one.version === version) ?? versions[0]
    if (!info) return
    const resource = { group, version: info.version, plural }
    const lists = new Map<string, readonly KubeObject[]>()
    const informer = informers.shared({ collection: { resource, ...(namespace === undefined ? {} : { namespace }) } })
    informer.listen(() => lists.clear())
    watched.set(keyOfPlace(group, plural, namespace), { informer, lists })
  }

  /** Begins to watch what was not looked at before. Its kind may be served only later, so it is asked again then. */
  function ask(place: Place): void {
    const key = keyOfPlace(place.group, place.plural, place.namespace)
    if (signal.aborted || clock.now() - (askedAt.get(key) ?? -Infinity) < ASK_EVERY_MS) return
    askedAt.set(key, clock.now())
    discover().then(
      (known) => {
        if (!watched.has(key)) watch(place, known)
      },
      (error: unknown) => {
        if (!signal.aborted) log.warn('a collection cannot be watched', { key, because: describeError(error) })
      },
    )
  }
}

function listOf({ informer, lists }: Watched, namespace: string): readonly KubeObject[] {
  const known = lists.get(namespace)
  if (known) return known
  const made = namespace === '' ? informer.cache.list() : informer.cache.list(namespace)
  lists.set(namespace, made)
  return made
}
