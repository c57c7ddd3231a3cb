import type { KubeObject } from '../../kube/object.ts'
import { type Container, podSpecOf } from '../../kube/pod.ts'
import { own } from '../../lib/json.ts'
import { claimNamesOf } from '../volumes/pod-claims.ts'
import { isClaimBound } from '../volumes/volumes.ts'

/** An object that a Pod takes values from. */
export interface Need {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  /** The keys that have to be in it. */
  readonly keys: readonly string[]
  readonly isOptional: boolean
}

/** Reads the objects that Pods need. */
export interface NeedSources {
  readonly find: (
    kind: Need['kind'] | 'PersistentVolumeClaim',
    namespace: string,
    name: string,
  ) => KubeObject | undefined
}

interface Reference {
  readonly name?: string
  readonly optional?: boolean
}

interface KeyReference extends Reference {
  readonly key: string
}

interface RawItems extends Reference {
  readonly secretName?: string
  readonly items?: readonly { readonly key: string }[]
}

interface RawVolume {
  readonly name: string
  readonly configMap?: RawItems
  readonly secret?: RawItems
  readonly projected?: { readonly sources?: readonly { readonly configMap?: RawItems; readonly secret?: RawItems }[] }
}

interface RawContainer {
  readonly env?: readonly {
    readonly valueFrom?: { readonly configMapKeyRef?: KeyReference; readonly secretKeyRef?: KeyReference }
  }[]
  readonly envFrom?: readonly { readonly configMapRef?: Reference; readonly secretRef?: Reference }[]
}

const need = (kind: Need['kind'], { name = '', optional = false }: Reference, keys: readonly string[] = []): Need => ({
  kind,
  name,
  keys,
  isOptional: optional,
})

const keysOf = ({ items = [] }: RawItems): readonly string[] => items.map(({ key }) => key)

/** What the environment of a container is made from, in the order in which it is read. */
export function environmentNeeds(container: Container): readonly Need[] {
  // The types are the API server's, which has checked them.
  const { env = [], envFrom = [] } = container as unknown as RawContainer
  return [
    ...envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...(configMapRef ? [need('ConfigMap', configMapRef)] : []),
      ...(secretRef ? [need('Secret', secretRef)] : []),
    ]),
    ...env.flatMap(({ valueFrom: { configMapKeyRef, secretKeyRef } = {} }) => [
      ...(configMapKeyRef ? [need('ConfigMap', configMapKeyRef, [configMapKeyRef.key])] : []),
      ...(secretKeyRef ? [need('Secret', secretKeyRef, [secretKeyRef.key])] : []),
    ]),
  ]
}

/** What a volume is filled with. */
function volumeNeeds({ name, configMap, secret, projected }: RawVolume): readonly Need[] {
  // Every Pod is given this one; it comes a moment after its namespace, and nothing that is simulated reads it.
  const sources = name.startsWith('kube-api-access-') ? [] : (projected?.sources ?? [])
  return [
    ...(configMap ? [need('ConfigMap', configMap, keysOf(configMap))] : []),
    ...(secret ? [need('Secret', { ...secret, name: secret.secretName ?? '' }, keysOf(secret))] : []),
    ...sources.flatMap((source) => [
      ...(source.configMap ? [need('ConfigMap', source.configMap, keysOf(source.configMap))] : []),
      ...(source.secret ? [need('Secret', source.secret, keysOf(source.secret))] : []),
    ]),
  ]
}

const volumesOf = (pod: KubeObject): readonly RawVolume[] => podSpecOf(pod).volumes ?? []

const containersOf = (pod: KubeObject): readonly Container[] => {
  const { initContainers = [], containers = [] } = podSpecOf(pod)
  return initContainers.length === 0 ? containers : [...initContainers, ...containers]
}

/** Under which objects a Pod is found by who watches them: `ConfigMap team/settings`. */
export function needKeysOf(pod: KubeObject): readonly string[] {
  const namespace = pod.metadata.namespace ?? ''
  const needs = [...containersOf(pod).flatMap(environmentNeeds), ...volumesOf(pod).flatMap(volumeNeeds)]
  return [
    ...new Set([
      ...needs.map(({ kind, name }) => needKey(kind, namespace, name)),
      ...claimNamesOf(pod).map((name) => needKey('PersistentVolumeClaim', namespace, name)),
    ]),
  ]
}

/** The key of an object that Pods may need. */
export const needKey = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`

function has(object: KubeObject, key: string): boolean {
  return [object['data'], object['binaryData']].some(
    (data) =>
      typeof data === 'object' && data !== null && own(data as Readonly<Record<string, unknown>>, key) !== undefined,
  )
}

/** Why a container cannot be made: what its environment asks for is not there. */
export function environmentObstacle(
  container: Container,
  namespace: string,
  { find }: NeedSources,
): string | undefined {
  for (const { kind, name, keys, isOptional } of environmentNeeds(container)) {
    if (isOptional) continue
    const found = find(kind, namespace, name)
    if (!found) return `${kind.toLowerCase()} ${JSON.stringify(name)} not found`
    const missing = keys.find((key) => !has(found, key))
    if (missing !== undefined) return `couldn't find key ${missing} in ${kind} ${namespace}/${name}`
  }
  return undefined
}

/** Why the volumes of a Pod cannot be set up, as an Event says it. */
export function volumeObstacle(pod: KubeObject, { find }: NeedSources): string | undefined {
  const { namespace = '' } = pod.metadata
  for (const name of claimNamesOf(pod)) {
    const claim = find('PersistentVolumeClaim', namespace, name)
    if (claim && isClaimBound(claim)) continue
    const because = claim
      ? 'PVC is not bound'
      : `failed to fetch PVC from API server: persistentvolumeclaims ${JSON.stringify(name)} not found`
    return `Unable to attach or mount volumes: error processing PVC ${namespace}/${name}: ${because}`
  }
  for (const volume of volumesOf(pod)) {
    for (const one of volumeNeeds(volume)) {
      const because = one.isOptional ? undefined : missingFrom(one, namespace, find)
      if (because !== undefined)
        return `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${because}`
    }
  }
  return undefined
}

function missingFrom({ kind, name, keys }: Need, namespace: string, find: NeedSources['find']): string | undefined {
  const found = find(kind, namespace, name)
  if (!found) return `${kind.toLowerCase()} ${JSON.stringify(name)} not found`
  const missing = keys.find((key) => !has(found, key))
  if (missing === undefined) return undefined
  return kind === 'ConfigMap'
    ? `configmap references non-existent config key: ${missing}`
    : `references non-existent secret key: ${missing}`
}
