import { createHmac } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { type Fields, fieldsOf, objectsOf, textOf } from '../../lib/fields.ts'
import { isObject, own } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'

/** What a workload is made from. */
export interface Source {
  readonly kind: 'Secret' | 'ConfigMap'
  readonly name: string
}

/** What is to become of a workload. */
export type RestartPlan =
  | { readonly do: 'nothing'; readonly because: string }
  /** What its sources hold is noted, without touching its Pods. */
  | { readonly do: 'note'; readonly seen: string; readonly because: string }
  | { readonly do: 'restart'; readonly seen: string; readonly mark: string; readonly because: string }

/** The annotation by which a workload names Secrets and ConfigMaps, separated by commas. */
export const RESTART_ON_CHANGE = 'idp-blueprint.io/restart-on-change'
/** What the sources of a workload held when its Pods were last made, by source. */
export const SEEN = 'idp-blueprint.io/restart-seen'
/** The annotation of the Pods' template that makes new Pods. */
export const RESTARTED_FOR = 'idp-blueprint.io/restarted-for'

const RELOADER = 'reloader.stakater.com'
const KINDS = [
  ['Secret', 'secret'],
  ['ConfigMap', 'configmap'],
] as const

const annotation = ({ metadata }: KubeObject, name: string): string => metadata.annotations?.[name] ?? ''

/** Tells whether a workload asks to be restarted at all. */
export function asksForRestarts(workload: KubeObject): boolean {
  return Object.keys(workload.metadata.annotations ?? {}).some(
    (name) =>
      name === RESTART_ON_CHANGE ||
      name.endsWith(RELOADER + '/auto') ||
      name.endsWith(RELOADER + '/reload') ||
      name === `${RELOADER}/search`,
  )
}

/** The Secrets and ConfigMaps whose change restarts a workload, among those of its namespace. */
export function watchedSources(workload: KubeObject, objects: readonly KubeObject[]): readonly KubeObject[] {
  const used = usedSources(workload)
  const isUsed = ({ kind, metadata }: KubeObject): boolean =>
    used.some((one) => one.kind === kind && one.name === metadata.name)
  return objects.filter((object) => {
    if (annotation(object, `${RELOADER}/ignore`) === 'true') return false
    const lower = KINDS.find(([kind]) => kind === object.kind)?.[1] ?? ''
    const isAuto =
      annotation(workload, `${RELOADER}/auto`) === 'true' ||
      annotation(workload, `${lower}.${RELOADER}/auto`) === 'true'
    const isSearched =
      annotation(workload, `${RELOADER}/search`) === 'true' && annotation(object, `${RELOADER}/match`) === 'true'
    if ((isAuto || isSearched) && isUsed(object)) return true
    const named = [annotation(workload, RESTART_ON_CHANGE), annotation(workload, `${lower}.${RELOADER}/reload`)]
    return named.some((list) => names(list, object.metadata.name ?? ''))
  })
}

/** Whether a list of names or patterns has a name in it. */
function names(list: string, name: string): boolean {
  return list.split(',').some((word) => {
    const text = word.trim()
    if (text === '' || text === name) return text !== ''
    const pattern = compilePattern(`^(?:${text})$`)
    return pattern.ok && pattern.value.matcher(name).find()
  })
}

/** Everything that the Pods of a workload take from Secrets and ConfigMaps. */
export function usedSources(workload: KubeObject): readonly Source[] {
  const pod = fieldsOf(fieldsOf(fieldsOf(workload, 'spec'), 'template'), 'spec')
  const volumes = (objectsOf(pod, 'volumes') ?? []).flatMap((volume) => [
    ...namedSource('Secret', fieldsOf(volume, 'secret'), 'secretName'),
    ...namedSource('ConfigMap', fieldsOf(volume, 'configMap'), 'name'),
    ...(objectsOf(fieldsOf(volume, 'projected'), 'sources') ?? []).flatMap(ofFields('secret', 'configMap')),
  ])
  const containers = [...(objectsOf(pod, 'containers') ?? []), ...(objectsOf(pod, 'initContainers') ?? [])]
  const env = containers.flatMap((container) => [
    ...(objectsOf(container, 'envFrom') ?? []).flatMap(ofFields('secretRef', 'configMapRef')),
    ...(objectsOf(container, 'env') ?? []).flatMap((one) =>
      ofFields('secretKeyRef', 'configMapKeyRef')(fieldsOf(one, 'valueFrom')),
    ),
  ])
  return [...volumes, ...env]
}

const namedSource = (kind: Source['kind'], fields: Fields, key: string): readonly Source[] => {
  const name = textOf(fields, key)
  return name === '' ? [] : [{ kind, name }]
}

const ofFields =
  (secret: string, configMap: string) =>
  (fields: Fields): readonly Source[] => [
    ...namedSource('Secret', fieldsOf(fields, secret), 'name'),
    ...namedSource('ConfigMap', fieldsOf(fields, configMap), 'name'),
  ]

/**
 * Compares what the sources hold with what they held when it was last noted. A source that is new, or gone, restarts
 * nothing: Pods that waited for it begin by themselves.
 */
export function planRestart(workload: KubeObject, sources: readonly KubeObject[]): RestartPlan {
  if (workload.metadata.deletionTimestamp !== undefined) return { do: 'nothing', because: 'it is being deleted' }
  const before = readSeen(annotation(workload, SEEN))
  const now = new Map(before)
  const changed: string[] = []
  for (const source of sources) {
    const name = `${source.kind}/${source.metadata.name ?? ''}`
    const mark = contentMark(source)
    if (before.has(name) && before.get(name) !== mark) changed.push(name)
    now.set(name, mark)
  }
  const seen = JSON.stringify(Object.fromEntries([...now].toSorted(([a], [b]) => (a < b ? -1 : 1))))
  if (changed.length > 0) {
    const mark = `${changed[0] ?? ''}@${now.get(changed[0] ?? '') ?? ''}`
    return { do: 'restart', seen, mark, because: `${changed.join(', ')} changed` }
  }
  if (now.size === before.size) return { do: 'nothing', because: 'what it is made from is as it was' }
  return { do: 'note', seen, because: 'it is made from something that was not noted yet' }
}

function readSeen(text: string): ReadonlyMap<string, string> {
  try {
    const read: unknown = JSON.parse(text === '' ? '{}' : text)
    const entries = isObject(read) ? Object.entries(read) : []
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return new Map()
  }
}

/** Tells contents apart without telling what they are: whoever does not know the object's uid cannot try values out. */
function contentMark(source: KubeObject): string {
  const sorted = (key: string): unknown =>
    Object.entries(fieldsOf(source, key)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const content = JSON.stringify([sorted('data'), sorted('binaryData'), own(source, 'type') ?? ''])
  return createHmac('sha256', source.metadata.uid ?? '')
    .update(content)
    .digest('hex')
    .slice(0, 16)
}
