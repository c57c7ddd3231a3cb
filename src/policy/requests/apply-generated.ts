import type { Client, ResourceInfo, Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import type { GeneratedResource, PolicyIdentity } from '../engine/rule-response.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { downstreamLabels, type DownstreamIndex, SOURCE_LABEL, type Trigger } from './downstream.ts'

export interface GeneratePorts {
  readonly client: Client
  readonly served: ServedKinds
  readonly downstream: DownstreamIndex
}

export interface GenerateFor {
  readonly policy: PolicyIdentity
  readonly rule: string
  readonly trigger: Trigger
}

/** What became of one object that should be there. */
export type Generated =
  | { readonly did: 'create' | 'update' | 'nothing'; readonly object: KubeObject; readonly info: ResourceInfo }
  | { readonly did: 'fail'; readonly because: string }

/** Fields that belong to one object and are not copied. */
const ownMetadata = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
])

/** Makes an object that a policy wants to be there, or brings it up to date where it follows its policy. */
export async function applyGenerated(
  generated: GeneratedResource,
  about: GenerateFor,
  ports: GeneratePorts,
  signal: AbortSignal,
): Promise<Generated> {
  const { resource, source, synchronize, useServerSideApply } = generated
  const { client, served, downstream } = ports
  const info = await served.find(resource.apiVersion, resource.kind)
  if (!info) return { did: 'fail', because: `the cluster does not serve ${resource.kind} in ${resource.apiVersion}` }
  const place = info.namespaced ? { namespace: resource.metadata.namespace || 'default' } : {}
  const target: Target = { resource: info, ...place, name: resource.metadata.name ?? '' }
  if (
    source &&
    source.name === target.name &&
    (source.namespace ?? '') === (target.namespace ?? '') &&
    source.kind === resource.kind
  ) {
    return { did: 'nothing', object: resource, info }
  }
  const sourceUid = source ? await tagSource(source, info, client, signal) : undefined
  const wanted = wantedObject(generated, about, target, sourceUid)
  const found = await client.get(target, { signal })
  if (!found.ok && found.error.reason !== 'NotFound') return { did: 'fail', because: found.error.message }
  const collection = { resource: info, ...place }
  const put = async (did: 'create' | 'update'): Promise<Generated> => {
    const answer = useServerSideApply
      ? await client.patch(target, { type: 'apply', body: wanted }, { fieldManager: 'generate', force: true, signal })
      : did === 'create'
        ? await client.create(collection, wanted, { signal })
        : await client.update(target, replacing(wanted, found.ok ? found.value : wanted), { signal })
    if (!answer.ok && answer.error.reason === 'AlreadyExists') return { did: 'nothing', object: wanted, info }
    if (!answer.ok) return { did: 'fail', because: answer.error.message }
    downstream.note(info)
    return { did, object: answer.value, info }
  }
  if (!found.ok) return put('create')
  if (!synchronize || covers(found.value, wanted)) return { did: 'nothing', object: found.value, info }
  return put('update')
}

function wantedObject(
  { resource, source }: GeneratedResource,
  { policy, rule, trigger }: GenerateFor,
  target: Target,
  sourceUid: string | undefined,
): KubeObject {
  const kept = Object.fromEntries(Object.entries(resource.metadata).filter(([key]) => !ownMetadata.has(key)))
  const isElsewhere = source !== undefined && (source.namespace ?? '') !== (target.namespace ?? '')
  if (isElsewhere) delete kept['ownerReferences']
  const { [SOURCE_LABEL]: _tag, ...labels } = textMap(resource.metadata.labels)
  const { status: _status, ...rest } = resource
  return {
    ...rest,
    metadata: {
      ...kept,
      name: target.name,
      ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
      ...(resource.metadata.annotations ? { annotations: textMap(resource.metadata.annotations) } : {}),
      labels: { ...labels, ...downstreamLabels(policy, rule, trigger, source, sourceUid) },
    },
  }
}

/** Labels whose values are numbers, as variables can make them, as the texts that labels are. */
const textMap = (labels: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(labels ?? {}).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )

/** The wanted object in place of the one that is there. */
function replacing(wanted: KubeObject, there: KubeObject): KubeObject {
  const { resourceVersion, uid } = there.metadata
  return {
    ...wanted,
    metadata: { ...wanted.metadata, ...(resourceVersion ? { resourceVersion } : {}), ...(uid ? { uid } : {}) },
  }
}

/** Tells whether an object says all that is wanted, and no other data, labels aside. */
function covers(there: KubeObject, wanted: KubeObject): boolean {
  const isSame = Object.entries(wanted).every(([key, value]) => key === 'metadata' || includes(there[key], value))
  const data = ['data', 'stringData', 'binaryData', 'rules', 'subjects'].every(
    (key) => wanted[key] === undefined || there[key] === undefined || isEqual(there[key], wanted[key]),
  )
  return isSame && data && includes(there.metadata, wanted.metadata)
}

/** Tells whether a value holds another one: objects may have more, lists may not. */
function includes(there: unknown, wanted: unknown, depth = 0): boolean {
  if (depth > 100) return false
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, at) => includes(there[at], item, depth + 1))
    )
  }
  if (!isObject(wanted)) return isEqual(there, wanted)
  return isObject(there) && Object.entries(wanted).every(([key, item]) => includes(there[key], item, depth + 1))
}

/** Marks a source, so that its changes are noticed; answers who it is. */
async function tagSource(
  source: NonNullable<GeneratedResource['source']>,
  info: ResourceInfo,
  client: Client,
  signal: AbortSignal,
): Promise<string | undefined> {
  const place = source.namespace ? { namespace: source.namespace } : {}
  const target: Target = { resource: info, ...place, name: source.name }
  const found = await client.get(target, { signal })
  if (!found.ok) return undefined
  if (found.value.metadata.labels?.[SOURCE_LABEL] === undefined) {
    await client.patch(target, { type: 'merge', body: { metadata: { labels: { [SOURCE_LABEL]: '' } } } }, { signal })
  }
  return found.value.metadata.uid
}
