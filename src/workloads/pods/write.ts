import type { Target } from '../../kube/client.ts'
import { apiVersionOf, type Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerReference } from '../../kube/owner.ts'
import type { ApiResult, Status } from '../../kube/status.ts'
import { isEqual } from '../../lib/json.ts'
import type { Informer } from '../../runtime/informer.ts'
import { type Claims } from './claim.ts'
import { Pod } from './kinds.ts'
import type { WorkloadPorts } from './ports.ts'

/** The object as the client names it. */
export function targetOf(kind: Kind, { metadata }: KubeObject): Target {
  return {
    resource: kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
  }
}

/** Where a status goes, and the cache that must have seen it before the next turn. */
export interface StatusPlace {
  readonly client: WorkloadPorts['client']
  readonly kind: Kind
  readonly informer: Informer
  readonly signal: AbortSignal
}

/** Writes the status where it has changed; answers the refusal, if there was one. */
export async function writeStatus(
  { client, kind, informer, signal }: StatusPlace,
  object: KubeObject,
  status: object,
): Promise<Status | undefined> {
  if (isEqual(object['status'] ?? {}, status)) return undefined
  const next = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, status }
  const written = await client.update({ ...targetOf(kind, object), subresource: 'status' }, next)
  if (written.ok) await informer.caughtUp(written.value, signal)
  return written.ok || written.error.reason === 'NotFound' ? undefined : written.error
}

/** Takes over and lets go; answers what was written, so that the cache can be waited for, and the first refusal. */
export async function writeClaims(
  { client }: Pick<WorkloadPorts, 'client'>,
  owner: KubeObject,
  kinds: { readonly owner: Kind; readonly owned: Kind },
  claims: Claims,
): Promise<{ readonly written: readonly KubeObject[]; readonly refused?: Status }> {
  const reference = controllerReference(owner, kinds.owner)
  const answers: ApiResult<KubeObject>[] = []
  for (const object of claims.adopt) {
    const { uid, ownerReferences = [] } = object.metadata
    const body = { metadata: { uid: uid ?? '', ownerReferences: [...ownerReferences, reference].map(plain) } }
    answers.push(await client.patch(targetOf(kinds.owned, object), { type: 'merge', body }))
  }
  for (const object of claims.release) {
    const { uid, ownerReferences = [] } = object.metadata
    const kept = ownerReferences.filter((one) => one.uid !== owner.metadata.uid)
    const body = { metadata: { uid: uid ?? '', ownerReferences: kept.map(plain) } }
    answers.push(await client.patch(targetOf(kinds.owned, object), { type: 'merge', body }))
  }
  const refused = answers.flatMap((answer) => (answer.ok || answer.error.reason === 'NotFound' ? [] : [answer.error]))
  return {
    written: answers.flatMap((answer) => (answer.ok ? [answer.value] : [])),
    ...(refused[0] ? { refused: refused[0] } : {}),
  }
}

const plain = ({
  apiVersion,
  kind,
  name,
  uid,
  controller,
  blockOwnerDeletion,
}: ReturnType<typeof controllerReference>) => ({
  apiVersion,
  kind,
  name,
  uid,
  ...(controller === undefined ? {} : { controller }),
  ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
})

/** What writing Pods led to. */
export interface Written {
  readonly objects: readonly KubeObject[]
  readonly refused?: Status
}

/** Creates Pods, a few first and then more at once, until one is refused: a quota is not hammered. */
export async function createPods(
  ports: WorkloadPorts,
  owner: KubeObject,
  pods: readonly KubeObject[],
): Promise<Written> {
  const objects: KubeObject[] = []
  let refused: Status | undefined
  for (let at = 0, size = 1; at < pods.length && !refused; at += size, size *= 2) {
    const batch = pods.slice(at, at + size)
    const answers = await Promise.all(batch.map((pod) => createPod(ports, owner, pod)))
    for (const answer of answers) {
      if (answer.ok) objects.push(answer.value)
      else refused ??= answer.error
    }
  }
  return { objects, ...(refused ? { refused } : {}) }
}

/** Creates one Pod, and tells about it where it shows. */
export async function createPod(
  { client, events }: WorkloadPorts,
  owner: KubeObject,
  pod: KubeObject,
): Promise<ApiResult<KubeObject>> {
  const collection = { resource: Pod, namespace: owner.metadata.namespace ?? '' }
  const answer = await client.create(collection, pod)
  if (answer.ok) {
    events.note(owner, {
      type: 'Normal',
      reason: 'SuccessfulCreate',
      message: `Created pod: ${answer.value.metadata.name ?? ''}`,
    })
  } else if (answer.error.reason !== 'AlreadyExists' && !isEnding(answer.error)) {
    events.note(owner, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${answer.error.message}` })
  }
  return answer
}

/** The namespace is going: nothing can be created in it, and nobody needs to be told. */
const isEnding = (status: Status): boolean =>
  status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false

/** Deletes Pods, each only if it is still the one that was meant. */
export async function deletePods(
  { client, events }: WorkloadPorts,
  owner: KubeObject,
  pods: readonly KubeObject[],
): Promise<Written> {
  const objects: KubeObject[] = []
  let refused: Status | undefined
  const answers = await Promise.all(
    pods.map((pod) => {
      const { uid } = pod.metadata
      return client.delete(targetOf(Pod, pod), uid === undefined ? {} : { preconditions: { uid } })
    }),
  )
  for (const [at, answer] of answers.entries()) {
    const name = pods[at]?.metadata.name ?? ''
    if (answer.ok) {
      if (answer.value.kind !== 'Status') objects.push(answer.value as KubeObject) // a Pod that was deleted answers itself
      events.note(owner, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
    } else if (answer.error.reason !== 'NotFound' && answer.error.reason !== 'Conflict') {
      refused ??= answer.error
      events.note(owner, {
        type: 'Warning',
        reason: 'FailedDelete',
        message: `Error deleting: ${answer.error.message}`,
      })
    }
  }
  return { objects, ...(refused ? { refused } : {}) }
}

/** Waits until a cache has seen the writes, so that the next turn counts them. */
export async function seenBy(informer: Informer, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  let newest: KubeObject | undefined
  for (const object of objects)
    if (!newest || Number(object.metadata.resourceVersion) > Number(newest.metadata.resourceVersion)) newest = object
  if (newest) await informer.caughtUp(newest, signal)
}
