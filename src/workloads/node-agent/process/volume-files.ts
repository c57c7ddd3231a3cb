import type { KubeObject } from '../../../kube/object.ts'
import { podSpecOf } from '../../../kube/pod.ts'
import { dataOf, type FindSource } from './environment.ts'
import { fieldValue, type PodFacts, resourceValue } from './field-value.ts'

/** A file in a volume; its path has no way out. */
export interface VolumeFile {
  readonly path: string
  readonly content: Buffer | string
  readonly mode: number
}

/** What a volume is, on the machine that the Pod runs on. */
export type VolumeContent =
  | { readonly is: 'files'; readonly files: readonly VolumeFile[]; readonly tokens: readonly TokenFile[] }
  | { readonly is: 'scratch' }
  | { readonly is: 'claim'; readonly claim: string }
  | { readonly is: 'host'; readonly path: string }
  | { readonly is: 'unsupported'; readonly source: string }

/** A token of the Pod's ServiceAccount that a volume is to hold. */
export interface TokenFile {
  readonly path: string
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
}

interface Item {
  readonly key?: string
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath?: string }
  readonly resourceFieldRef?: {
    readonly containerName?: string
    readonly resource?: string
    readonly divisor?: string | number
  }
}

interface Source {
  readonly name?: string
  readonly secretName?: string
  readonly items?: readonly Item[]
  readonly defaultMode?: number
}

interface Projection {
  readonly configMap?: Source
  readonly secret?: Source
  readonly downwardAPI?: Source
  readonly serviceAccountToken?: {
    readonly path: string
    readonly audience?: string
    readonly expirationSeconds?: number
  }
}

interface VolumeSource extends Projection {
  readonly name: string
  readonly emptyDir?: object
  readonly hostPath?: { readonly path?: string }
  readonly persistentVolumeClaim?: { readonly claimName?: string }
  readonly projected?: { readonly sources?: readonly Projection[]; readonly defaultMode?: number }
}

const USUAL_MODE = 0o644

/** Works out what every volume of a Pod holds. */
export function volumesOf(facts: PodFacts, find: FindSource): ReadonlyMap<string, VolumeContent> {
  // The types are the API server's, which has checked them.
  const volumes = (podSpecOf(facts.pod).volumes ?? []) as readonly VolumeSource[]
  return new Map(volumes.map((volume) => [volume.name, contentOf(volume, facts, find)]))
}

function contentOf(volume: VolumeSource, facts: PodFacts, find: FindSource): VolumeContent {
  const { name, emptyDir, hostPath, persistentVolumeClaim, projected, ...source } = volume
  if (emptyDir) return { is: 'scratch' }
  if (persistentVolumeClaim) return { is: 'claim', claim: persistentVolumeClaim.claimName ?? '' }
  if (hostPath) return { is: 'host', path: hostPath.path ?? '/' }
  if (!projected && !source.configMap && !source.secret && !source.downwardAPI) {
    // Where nothing is said, a volume is scratch space.
    const [kind] = Object.keys(source)
    return kind === undefined ? { is: 'scratch' } : { is: 'unsupported', source: `${name} (${kind})` }
  }
  const mode = projected?.defaultMode ?? USUAL_MODE
  const parts = (projected?.sources ?? [source]).map((one) => filesOf(one, mode, facts, find))
  const tokens = (projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
    serviceAccountToken
      ? [
          {
            path: serviceAccountToken.path,
            audiences: serviceAccountToken.audience ? [serviceAccountToken.audience] : [],
            expirationSeconds: serviceAccountToken.expirationSeconds ?? 3_600,
          },
        ]
      : [],
  )
  return { is: 'files', files: parts.flat(), tokens }
}

function filesOf(
  { configMap, secret, downwardAPI }: Projection,
  mode: number,
  facts: PodFacts,
  find: FindSource,
): readonly VolumeFile[] {
  if (downwardAPI) {
    const { items = [], defaultMode = mode } = downwardAPI
    return items.map((item) => ({ path: item.path, content: downward(item, facts), mode: item.mode ?? defaultMode }))
  }
  const source = configMap ?? secret
  if (!source) return []
  const { items, defaultMode = mode } = source
  const object: KubeObject | undefined = configMap
    ? find('ConfigMap', configMap.name ?? '')
    : find('Secret', source.secretName ?? source.name ?? '')
  const data = dataOf(object)
  const wanted = items ?? [...data.keys()].map((key): Item => ({ key, path: key }))
  return wanted.flatMap((item) => {
    const content = data.get(item.key ?? '')
    return content === undefined ? [] : [{ path: item.path, content, mode: item.mode ?? defaultMode }]
  })
}

function downward({ fieldRef, resourceFieldRef }: Item, facts: PodFacts): string {
  if (fieldRef) return fieldValue(fieldRef.fieldPath ?? '', facts)
  const { initContainers = [], containers = [] } = podSpecOf(facts.pod)
  const container = [...containers, ...initContainers].find(({ name }) => name === resourceFieldRef?.containerName)
  if (!container || !resourceFieldRef) return ''
  return resourceValue(resourceFieldRef.resource ?? '', String(resourceFieldRef.divisor ?? '1'), container, facts)
}
