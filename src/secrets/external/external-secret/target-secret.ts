import { Buffer } from 'node:buffer'
import { controllerOf, controllerReference } from '../../../kube/owner.ts'
import { parseApiVersion } from '../../../kube/gvk.ts'
import type { KubeObject, ObjectMeta, OwnerReference } from '../../../kube/object.ts'
import { fieldsOf, textMapOf } from '../../../lib/fields.ts'
import { bytesOf, stringOf } from '../../../lib/go-string.ts'
import { isEqual, isObject, setOwn } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import type { SecretData } from '../data/decode.ts'
import { DATA_HASH_ANNOTATION, ExternalSecretKind, MANAGED_LABEL, OWNER_LABEL } from '../kinds.ts'
import { type ExternalSecret, targetName } from '../spec/external-secret.ts'
import { dataHash, managerOf, ownerHash } from './hashes.ts'

/** What templates made. */
export interface Rendered {
  readonly data: SecretData
  readonly labels: SecretData
  readonly annotations: SecretData
}

/** Why a Secret cannot be as it should. */
export interface Objection {
  readonly message: string
  /** Trying again changes nothing. */
  readonly isFinal: boolean
  readonly details: string
}

/** The values in a Secret. */
export function dataOfSecret(secret: KubeObject | undefined): SecretData {
  const data = textMapOf(secret, 'data')
  return new Map([...data].map(([key, value]) => [key, stringOf(Buffer.from(value, 'base64'))]))
}

/** Tells whether a Secret holds what an ExternalSecret wrote. */
export function isIntact(secret: KubeObject | undefined): boolean {
  if (!secret || secret.metadata.labels?.[MANAGED_LABEL] !== 'true') return false
  return secret.metadata.annotations?.[DATA_HASH_ANNOTATION] === dataHash(dataOfSecret(secret))
}

/** Annotations that speak of the ExternalSecret alone, so that they are not handed on to its Secret. */
const NOT_HANDED_ON: readonly string[] = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'argocd.argoproj.io/tracking-id',
  'external-secrets.io/force-sync',
]

/**
 * The Secret as it should be: what is there, less what this ExternalSecret wrote before, with what it writes now. Keys,
 * labels and annotations of others stay where the creationPolicy says so. The very same object when nothing changes.
 */
export function targetSecret(
  external: ExternalSecret,
  existing: KubeObject | undefined,
  fetched: SecretData,
  rendered: Rendered,
): Result<KubeObject, Objection> {
  const { target } = external.parsed.spec
  const owners = ownersOf(external, existing)
  if (!owners.ok) return owners
  const isFixed = existing !== undefined && target.isImmutable
  const own = isFixed ? NOTHING_OWN : ownFields(existing, managerOf(external.metadata.name ?? ''))
  const before = dataOfSecret(existing)
  const data = isFixed ? before : dataFor(external, withoutKeys(before, own.data), fetched, rendered)
  const type = isFixed ? '' : (target.template?.type ?? '')
  const wanted: KubeObject = {
    ...(existing ?? { apiVersion: 'v1', kind: 'Secret' }),
    metadata: metadataFor(external, existing, { own, owners: owners.value, rendered, data, isFixed }),
    data: isFixed ? fieldsOf(existing, 'data') : encoded(data, fieldsOf(existing, 'data')),
    ...(target.isImmutable ? { immutable: true } : {}),
    ...(type === '' ? {} : { type }),
  }
  return succeed(existing && isEqual(existing, wanted) ? existing : wanted)
}

interface MetadataParts {
  readonly own: OwnFields
  readonly owners: readonly OwnerReference[]
  readonly rendered: Rendered
  readonly data: SecretData
  readonly isFixed: boolean
}

function metadataFor(
  external: ExternalSecret,
  existing: KubeObject | undefined,
  { own, owners, rendered, data, isFixed }: MetadataParts,
): ObjectMeta {
  const { target } = external.parsed.spec
  const { namespace = '', name = '' } = external.metadata
  const mine = (field: 'labels' | 'annotations'): SecretData =>
    isFixed ? new Map() : handedOn(external, field, rendered[field])
  const all = (field: 'labels' | 'annotations'): Map<string, string> =>
    new Map([...withoutKeys(textMapOf(existing?.metadata, field), own[field]), ...mine(field)])
  const labels = all('labels')
  labels.delete(OWNER_LABEL)
  if (target.creationPolicy === 'Owner') labels.set(OWNER_LABEL, ownerHash(namespace, name))
  labels.set(MANAGED_LABEL, 'true')
  const annotations = all('annotations').set(DATA_HASH_ANNOTATION, dataHash(data))
  const wanted = isFixed ? [] : (target.template?.finalizers ?? [])
  const finalizers = [...new Set([...(existing?.metadata.finalizers ?? []), ...wanted])]
  return {
    ...(existing?.metadata ?? { name: targetName(external), namespace }),
    labels: plain(labels),
    annotations: plain(annotations),
    ...(owners.length > 0 || existing?.metadata.ownerReferences ? { ownerReferences: owners } : {}),
    ...(finalizers.length > 0 ? { finalizers } : {}),
  }
}

/** Data of others first, then those that were fetched where the template lets them, then those that it made. */
function dataFor(external: ExternalSecret, others: SecretData, fetched: SecretData, rendered: Rendered): SecretData {
  const { creationPolicy, template } = external.parsed.spec.target
  const keepsOthers = creationPolicy === 'Merge' || creationPolicy === 'CreateOrMerge'
  const isBare = !template || (template.data.size === 0 && template.templateFrom.length === 0)
  const takesFetched = isBare || template.mergePolicy === 'Merge'
  return new Map([...(keepsOthers ? others : []), ...(takesFetched ? fetched : []), ...rendered.data])
}

/** Labels or annotations from the ExternalSecret itself, or from its template where it has one. */
function handedOn(external: ExternalSecret, field: 'labels' | 'annotations', rendered: SecretData): SecretData {
  if (external.parsed.spec.target.template) return rendered
  return withoutKeys(textMapOf(external.metadata, field), NOT_HANDED_ON)
}

function ownersOf(
  external: ExternalSecret,
  existing: KubeObject | undefined,
): Result<readonly OwnerReference[], Objection> {
  const before = existing?.metadata.ownerReferences ?? []
  const current = existing && controllerOf(existing)
  const isOfKind =
    current?.kind === ExternalSecretKind.kind && parseApiVersion(current.apiVersion).group === ExternalSecretKind.group
  const isOurs = isOfKind && current.name === external.metadata.name
  const isOwner = external.parsed.spec.target.creationPolicy === 'Owner'
  if (current && isOfKind && !isOurs) {
    return objection(
      'target is owned by another ExternalSecret',
      `secret is owned by another ExternalSecret: ${current.name}`,
    )
  }
  if (!isOwner) return succeed(isOurs ? before.filter((owner) => owner !== current) : before)
  if (current && !isOurs) {
    const details = `could not set controller reference on secret: ${current.kind} ${current.name} controls it`
    return objection('failed to take ownership of target secret', details)
  }
  const ours = controllerReference(external, ExternalSecretKind)
  if (!current) return succeed([...before, ours])
  return succeed(before.map((owner) => (owner === current && !isEqual(owner, ours) ? ours : owner)))
}

const objection = (message: string, details: string): { readonly ok: false; readonly error: Objection } => ({
  ok: false,
  error: { message, details, isFinal: true },
})

interface OwnFields {
  readonly data: readonly string[]
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
}

const NOTHING_OWN: OwnFields = { data: [], labels: [], annotations: [] }

/** The keys that a manager wrote, by managedFields. */
export function ownFields(object: KubeObject | undefined, manager: string): OwnFields {
  const sets = (object?.metadata.managedFields ?? [])
    .filter((entry) => entry.manager === manager)
    .map(({ fieldsV1 }) => fieldsV1)
  const keys = (...path: readonly string[]): readonly string[] =>
    sets.flatMap((set) => {
      const found = path.reduce<unknown>((fields, key) => fieldsOf(fields, key), set)
      return isObject(found) ? Object.keys(found).flatMap((key) => (key.startsWith('f:') ? key.slice(2) : [])) : []
    })
  return {
    data: keys('f:data'),
    labels: keys('f:metadata', 'f:labels'),
    annotations: keys('f:metadata', 'f:annotations'),
  }
}

const withoutKeys = (map: SecretData, keys: readonly string[]): SecretData =>
  keys.length === 0 ? map : new Map([...map].filter(([key]) => !keys.includes(key)))

function plain(map: SecretData): Record<string, string> {
  const object: Record<string, string> = {}
  for (const [key, value] of map) setOwn(object, key, value)
  return object
}

/** Values as base64; where a value is the same as before, in the very same spelling. */
function encoded(data: SecretData, before: Readonly<Record<string, unknown>>): Record<string, string> {
  const object: Record<string, string> = {}
  for (const [key, value] of data) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined
    const text = Buffer.from(bytesOf(value)).toString('base64')
    const isSame = typeof old === 'string' && old !== text && Buffer.from(old, 'base64').equals(bytesOf(value))
    setOwn(object, key, isSame ? old : text)
  }
  return object
}
