import type { Client, Target } from '../../kube/client.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { lastAppliedAnnotation } from '../../kube/patch/last-applied.ts'
import { createThreeWayMergePatch } from '../../kube/patch/merge-patch.ts'
import { createThreeWayStrategicPatch } from '../../kube/patch/strategic-patch.ts'
import { clientSideApplyManager, upgradeManagedFields } from '../../kube/patch/upgrade-managed-fields.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import type { Status } from '../../kube/status.ts'
import type { Json } from '../../lib/json.ts'
import { own } from '../../lib/json.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import { isDefinition } from '../sync/order-tasks.ts'
import type { ApplyMode } from '../sync/sync-action.ts'

/** Under which name the controller writes. */
export const FIELD_MANAGER = 'argocd-controller'
/** All annotations of an object together may be so long. */
const LONGEST_ANNOTATIONS = 262_144

/** One object on its way into a cluster. */
export interface ApplyRequest {
  readonly target: Target
  readonly object: KubeObject
  /** The whole live object, when there is one. */
  readonly live: KubeObject | undefined
  readonly mode: ApplyMode
  readonly force: boolean
  readonly validate: boolean
  readonly migrates: boolean
  /** The managers whose client-side applies are taken over. */
  readonly migratesFrom?: string
  /** Only asks what would become of it. */
  readonly dryRun?: boolean
}

export interface ApplyPorts {
  readonly client: Client
  /** The type of a built-in kind; others merge as plain JSON. */
  readonly schemaOf: (object: KubeObject) => Schema | undefined
  readonly signal: AbortSignal
}

export type Applied =
  | { readonly ok: true; readonly object: KubeObject; readonly message: string }
  | { readonly ok: false; readonly message: string }

/** Brings an object into a cluster in the way that is asked for, and says what that came to. */
export async function applyObject(request: ApplyRequest, ports: ApplyPorts): Promise<Applied> {
  const { mode, object } = request
  if (mode === 'replace') return replace(request, ports)
  if (mode === 'server' || isTooLarge(object)) return serverSide(request, ports)
  return clientSide(request, ports)
}

const shown = ({ apiVersion, kind, metadata }: KubeObject): string => {
  const { group } = gvkOf({ apiVersion, kind })
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${metadata.name ?? ''}`
}

const applied = (object: KubeObject, what: string): Applied => ({
  ok: true,
  object,
  message: `${shown(object)} ${what}`,
})
const refused = (status: Status): Applied => ({ ok: false, message: status.message })

type Validation = 'Strict' | 'Ignore'
const dryRunOf = ({ dryRun }: ApplyRequest): { readonly dryRun?: true } => (dryRun ? { dryRun: true } : {})
const validationOf = ({ validate }: ApplyRequest): Validation => (validate ? 'Strict' : 'Ignore')

async function serverSide(request: ApplyRequest, { client, signal }: ApplyPorts): Promise<Applied> {
  const { target, object, live } = request
  if (live && request.migrates) {
    const problem = await migrate(request, live, { client, signal })
    if (problem !== undefined) return { ok: false, message: problem }
  }
  const answer = await client.patch(
    target,
    { type: 'apply', body: object },
    { fieldManager: FIELD_MANAGER, force: true, fieldValidation: validationOf(request), ...dryRunOf(request), signal },
  )
  if (answer.ok) return applied(answer.value, 'serverside-applied')
  return request.force && isStuck(answer.error) ? recreate(request, object, { client, signal }) : refused(answer.error)
}

/** What client-side applies had managed becomes ours, so that fields that Git no longer has can go. */
async function migrate(
  { target, migratesFrom = clientSideApplyManager }: ApplyRequest,
  live: KubeObject,
  { client, signal }: Pick<ApplyPorts, 'client' | 'signal'>,
): Promise<string | undefined> {
  const { managedFields, resourceVersion = '' } = live.metadata
  const isManaged = managedFields?.some(({ manager, operation }) => manager === migratesFrom && operation === 'Update')
  if (!managedFields || !isManaged) return undefined
  const upgraded = upgradeManagedFields(managedFields, { from: [migratesFrom], to: FIELD_MANAGER })
  if (!upgraded.ok) return `cannot take over what ${migratesFrom} manages: ${upgraded.error[0]?.message ?? ''}`
  const answer = await client.patch(
    target,
    {
      type: 'json',
      body: [
        { op: 'replace', path: '/metadata/managedFields', value: upgraded.value as unknown as Json }, // plain data
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      ],
    },
    { signal },
  )
  if (answer.ok || answer.error.reason === 'Conflict') return undefined
  return `cannot take over what ${migratesFrom} manages: ${answer.error.message}`
}

async function clientSide(request: ApplyRequest, ports: ApplyPorts): Promise<Applied> {
  const { target, object } = request
  const { client, signal } = ports
  const modified = withLastApplied(object)
  let { live } = request
  if (!live) {
    const { name: _named, ...collection } = target
    const created = await client.create(collection, modified, {
      fieldManager: FIELD_MANAGER,
      fieldValidation: validationOf(request),
      ...dryRunOf(request),
      signal,
    })
    if (created.ok) return applied(created.value, 'created')
    if (created.error.reason !== 'AlreadyExists') return refused(created.error)
    const found = await client.get(target, { signal })
    if (!found.ok) return refused(found.error)
    live = found.value
  }
  return patchLive(request, live, modified, ports)
}

async function patchLive(
  request: ApplyRequest,
  live: KubeObject,
  modified: KubeObject,
  { client, schemaOf, signal }: ApplyPorts,
): Promise<Applied> {
  const { target, object } = request
  const schema = schemaOf(object)
  const documents = { original: lastAppliedOf(live), modified, current: live }
  const patch = schema
    ? createThreeWayStrategicPatch({ ...documents, schema, overwrite: true })
    : createThreeWayMergePatch(documents)
  if (!patch.ok) return { ok: false, message: patch.error.map(({ message }) => message).join('; ') }
  if (Object.keys(patch.value).length === 0) return applied(live, 'unchanged')
  const answer = await client.patch(
    target,
    { type: schema ? 'strategic' : 'merge', body: patch.value as Json },
    { fieldManager: FIELD_MANAGER, fieldValidation: validationOf(request), ...dryRunOf(request), signal },
  )
  if (answer.ok) return applied(answer.value, 'configured')
  if (isStuck(answer.error) && (request.force || isBoundElsewhere(object, answer.error))) {
    return recreate(request, modified, { client, signal })
  }
  return refused(answer.error)
}

/** The object cannot become what it shall be; another one could. */
const isStuck = ({ reason }: Status): boolean => reason === 'Invalid' || reason === 'Conflict'

/** A binding cannot be pointed at another role, and stands for nothing else: it is made anew, as upstream does. */
function isBoundElsewhere({ kind, apiVersion }: KubeObject, status: Status): boolean {
  const isBinding = kind === 'RoleBinding' || kind === 'ClusterRoleBinding'
  return isBinding && apiVersion.startsWith('rbac.authorization.k8s.io/') && status.message.includes('roleRef')
}

async function replace(request: ApplyRequest, { client, signal }: ApplyPorts): Promise<Applied> {
  const { target, object, live, force } = request
  const options = { fieldManager: FIELD_MANAGER, fieldValidation: validationOf(request), ...dryRunOf(request), signal }
  const { name: _named, ...collection } = target
  if (!live) {
    const created = await client.create(collection, object, options)
    return created.ok ? applied(created.value, 'created') : refused(created.error)
  }
  // What lives in a namespace, or is of a kind, must not go with it.
  const isRoot = isDefinition(object) || object.kind === 'Namespace'
  if (force && !isRoot) return recreate(request, object, { client, signal })
  for (let attempt = 0; ; attempt++) {
    const current = await client.get(target, { signal })
    if (!current.ok) return refused(current.error)
    const { resourceVersion = '' } = current.value.metadata
    const updated = await client.update(
      target,
      { ...object, metadata: { ...object.metadata, resourceVersion } },
      options,
    )
    if (updated.ok) return applied(updated.value, isRoot ? 'updated' : 'replaced')
    if (updated.error.reason !== 'Conflict' || attempt >= 4) return refused(updated.error)
  }
}

async function recreate(
  { target, validate }: ApplyRequest,
  object: KubeObject,
  { client, signal }: Pick<ApplyPorts, 'client' | 'signal'>,
): Promise<Applied> {
  const deleted = await client.delete(target, { propagationPolicy: 'Background', gracePeriodSeconds: 0, signal })
  if (!deleted.ok && deleted.error.reason !== 'NotFound') return refused(deleted.error)
  const { name: _named, ...collection } = target
  const created = await client.create(collection, object, {
    fieldManager: FIELD_MANAGER,
    fieldValidation: validate ? 'Strict' : 'Ignore',
    signal,
  })
  return created.ok ? applied(created.value, 'replaced') : refused(created.error)
}

/** The object with the annotation by which the next apply knows what this one wanted. */
function withLastApplied(object: KubeObject): KubeObject {
  const bare = withoutAnnotation(object)
  const text = `${JSON.stringify(bare)}\n`
  const annotations = { ...bare.metadata.annotations, [lastAppliedAnnotation]: text }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function withoutAnnotation(object: KubeObject): KubeObject {
  const { annotations } = object.metadata
  if (!annotations || own(annotations, lastAppliedAnnotation) === undefined) return object
  const { [lastAppliedAnnotation]: _before, ...kept } = annotations
  return { ...object, metadata: { ...object.metadata, annotations: kept } }
}

/** The annotation would not fit: the API server keeps what was applied instead. */
function isTooLarge(object: KubeObject): boolean {
  let size = JSON.stringify(object).length
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) size += key.length + value.length
  return size > LONGEST_ANNOTATIONS
}

/** What was applied the last time; nothing, when nobody wrote that down. */
function lastAppliedOf(live: KubeObject): unknown {
  const text = annotationOf(live, lastAppliedAnnotation)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
