import type { Client, Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { failure, type Status } from '../../kube/status.ts'
import { isObject, type Json, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { namedIn } from '../trace/outcome.ts'
import type { Fired, ResolvedTrigger, Right } from '../sensor/trigger.ts'
import type { ObjectAction } from './action.ts'
import { FIRE_ID } from './object-action.ts'
import { refusedBy } from './refusal.ts'

const MANAGER = 'argo-events'
const MOST_CONFLICTS = 5
const DEEPEST = 200

/** Where an object is written, in whose name, and for which trigger. */
export interface Writing {
  readonly client: Client
  readonly trigger: ResolvedTrigger
  readonly fireId: string
  readonly signal: AbortSignal
}

const targetOf = ({ object, resource }: ObjectAction): Target => ({
  resource: { group: resource.group, version: resource.version, plural: resource.plural },
  name: object.metadata.name ?? '',
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
})

/** The right that a verb on a target needs. */
export function rightTo(
  verb: string,
  { resource, namespace, name }: Omit<Target, 'name'> & { readonly name?: string },
): Right {
  const what = { verb, group: resource.group, resource: resource.plural }
  return {
    ...what,
    ...(name === undefined || name === '' ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}

/** Creates, updates, patches or deletes the object; doing it twice for one firing changes nothing the second time. */
export async function writeObject(action: ObjectAction, writing: Writing): Promise<Result<Fired>> {
  switch (action.do) {
    case 'create':
      return created(action, writing)
    case 'update':
      return updated(action, writing)
    case 'patch':
      return patched(action, writing)
    case 'delete':
      return deleted(action, writing)
    default:
      return action.do satisfies never
  }
}

/** How an object is called in a sentence: `Workflow ci/build-x2k`. */
export const calledAs = ({ kind, metadata: { namespace, name = '' } }: KubeObject): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

function refused(status: Status, verb: string, target: Target, { trigger }: Writing): Result<never> {
  return fail(refusedBy(status, trigger, rightTo(verb, target)))
}

const done = (because: string, action: ObjectAction, object: KubeObject = action.object): Result<Fired> =>
  firedAt(`${because} ${calledAs(object)}`, { ...targetOf({ ...action, object }), kind: object.kind })

/** What came of writing an object, so that a trace can follow what becomes of it. */
export const firedAt = (because: string, object: Target & { readonly kind: string }): Result<Fired> =>
  succeed({ because, object, values: { object: namedIn(object) } })

/** Creates an object; one that the same firing created before is what was wanted. */
export async function created(action: ObjectAction, writing: Writing): Promise<Result<Fired>> {
  const { client, fireId, signal } = writing
  const { name, ...collection } = targetOf(action)
  const made = await client.create(collection, action.object, { fieldManager: MANAGER, signal })
  if (made.ok) return done('created', action, made.value)
  const target = { ...collection, name }
  if (made.error.reason !== 'AlreadyExists') return refused(made.error, 'create', target, writing)
  const there = await client.get(target, { signal })
  // Who may create but not get cannot see whose it is; a derived name says it.
  const isOurs = there.ok
    ? there.value.metadata.annotations?.[FIRE_ID] === fireId
    : there.error.reason === 'Forbidden' && action.object.metadata.generateName !== undefined
  if (isOurs) return done('had created', action)
  return refused(made.error, 'create', target, writing)
}

async function updated(action: ObjectAction, writing: Writing): Promise<Result<Fired>> {
  const { client, signal } = writing
  const target = targetOf(action)
  let last: Status = failure('Conflict', 'the object changed again and again')
  for (let turn = 0; turn < MOST_CONFLICTS; turn++) {
    const found = await client.get(target, { signal })
    if (!found.ok)
      return found.error.reason === 'NotFound' ? created(action, writing) : refused(found.error, 'get', target, writing)
    const merged = mergedOver(found.value, action.object, 0)
    const written = await client.update(target, withRevisionOf(found.value, merged), { fieldManager: MANAGER, signal })
    if (written.ok) return done('updated', action, written.value)
    if (written.error.reason !== 'Conflict') return refused(written.error, 'update', target, writing)
    last = written.error
  }
  return refused(last, 'update', target, writing)
}

const withRevisionOf = ({ metadata: { resourceVersion, uid } }: KubeObject, merged: unknown): unknown =>
  isObject(merged) && isObject(merged['metadata'])
    ? { ...merged, metadata: { ...merged['metadata'], resourceVersion, uid } }
    : merged

/** The next wins, maps are merged, lists replaced: as Argo Events merges before an update. */
export function mergedOver(old: unknown, next: unknown, depth: number): unknown {
  if (!isObject(old) || !isObject(next) || depth > DEEPEST) return next
  const merged: Record<string, unknown> = { ...old }
  for (const [key, value] of Object.entries(next)) {
    setOwn(merged, key, Object.hasOwn(old, key) ? mergedOver(old[key], value, depth + 1) : value)
  }
  return merged
}

async function patched(action: ObjectAction, writing: Writing): Promise<Result<Fired>> {
  const { client, signal } = writing
  const target = targetOf(action)
  const found = await client.get(target, { signal })
  if (!found.ok)
    return found.error.reason === 'NotFound' ? created(action, writing) : refused(found.error, 'get', target, writing)
  const body = action.object as unknown as Json // it was read from JSON or YAML
  const options = { fieldManager: MANAGER, signal }
  const written = await (action.patchType === 'apply'
    ? client.patch(target, { type: 'apply', body }, { ...options, force: true })
    : client.patch(target, { type: action.patchType, body }, options))
  return written.ok ? done('patched', action, written.value) : refused(written.error, 'patch', target, writing)
}

async function deleted(action: ObjectAction, writing: Writing): Promise<Result<Fired>> {
  const { client, signal } = writing
  const target = targetOf(action)
  const found = await client.get(target, { signal })
  if (!found.ok) {
    if (found.error.reason !== 'NotFound') return refused(found.error, 'get', target, writing)
    return succeed({ because: `there is no ${calledAs(action.object)} to delete` })
  }
  const gone = await client.delete(target, { signal, propagationPolicy: 'Background' })
  if (gone.ok || gone.error.reason === 'NotFound') return done('deleted', action)
  return refused(gone.error, 'delete', target, writing)
}
