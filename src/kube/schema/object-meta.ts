import { isEqual, isObject } from '../../lib/json.ts'
import { checkDnsLabel, checkLabelValue, checkQualifiedName, type NameCheck } from '../names.ts'
import type { KubeObject, ObjectMeta, OwnerReference } from '../object.ts'
import { type FieldError, forbidden, invalid, required, tooLong } from './field-error.ts'

/** All annotations of one object together, keys and values. */
const MOST_ANNOTATION_BYTES = 256 * 1_024

/** What the metadata of a kind must satisfy. */
export interface MetaRules {
  readonly namespaced: boolean
  readonly checkName: NameCheck
}

/** What is wrong with the metadata of an object that is to be created; its name has been generated already. */
export function checkObjectMeta(object: KubeObject, rules: MetaRules, at: string = 'metadata'): readonly FieldError[] {
  const { name = '', generateName = '', namespace = '' } = object.metadata
  const problems: FieldError[] = []
  if (generateName !== '') {
    for (const because of rules.checkName(asPrefix(generateName))) {
      problems.push(invalid(`${at}.generateName`, generateName, because))
    }
  }
  if (name === '') problems.push(required(`${at}.name`, 'name or generateName is required'))
  else for (const because of rules.checkName(name)) problems.push(invalid(`${at}.name`, name, because))
  if (!rules.namespaced) {
    if (namespace !== '') problems.push(forbidden(`${at}.namespace`, 'not allowed on this type'))
  } else if (namespace === '') problems.push(required(`${at}.namespace`))
  else for (const because of checkDnsLabel(namespace)) problems.push(invalid(`${at}.namespace`, namespace, because))
  problems.push(...checkShared(object.metadata, at))
  for (const finalizer of object.metadata.finalizers ?? []) {
    for (const because of checkQualifiedName(finalizer)) problems.push(invalid(`${at}.finalizers`, finalizer, because))
  }
  return problems
}

/** A trailing hyphen is fine in a prefix: more characters follow it. */
const asPrefix = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

const fixed = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

/** What is wrong with the metadata of an object that replaces another. */
export function checkObjectMetaUpdate(
  next: KubeObject,
  old: KubeObject,
  at: string = 'metadata',
): readonly FieldError[] {
  const problems: FieldError[] = []
  const { finalizers = [], generation = 0 } = next.metadata
  if (old.metadata.deletionTimestamp !== undefined) {
    const added = finalizers.filter((finalizer) => !old.metadata.finalizers?.includes(finalizer))
    if (added.length > 0) {
      const list = added
        .toSorted()
        .map((finalizer) => JSON.stringify(finalizer))
        .join(', ')
      const because = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
      problems.push(forbidden(`${at}.finalizers`, because))
    }
  }
  if (generation < (old.metadata.generation ?? 0)) {
    problems.push(invalid(`${at}.generation`, generation, 'must not be decremented'))
  }
  for (const field of fixed) {
    if (!isEqual(next.metadata[field], old.metadata[field])) {
      problems.push(invalid(`${at}.${field}`, next.metadata[field] ?? '', 'field is immutable'))
    }
  }
  for (const finalizer of finalizers) {
    for (const because of checkQualifiedName(finalizer)) problems.push(invalid(`${at}.finalizers`, finalizer, because))
  }
  problems.push(...checkShared(next.metadata, at))
  return problems
}

function checkShared(metadata: ObjectMeta, at: string): readonly FieldError[] {
  const { generation = 0, labels, annotations, ownerReferences = [] } = metadata
  return [
    ...(generation < 0 ? [invalid(`${at}.generation`, generation, 'must be greater than or equal to 0')] : []),
    ...checkLabels(labels, `${at}.labels`),
    ...checkAnnotations(annotations, `${at}.annotations`),
    ...checkOwners(ownerReferences, `${at}.ownerReferences`),
  ]
}

/** What is wrong with labels: keys are qualified names, values short and plain. */
export function checkLabels(labels: unknown, at: string): readonly FieldError[] {
  if (!isObject(labels)) return []
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((because) => invalid(at, key, because)),
    ...(typeof value === 'string' ? checkLabelValue(value).map((because) => invalid(at, value, because)) : []),
  ])
}

/** What is wrong with annotations: keys are qualified names in any case, and together they are not large. */
export function checkAnnotations(annotations: unknown, at: string): readonly FieldError[] {
  if (!isObject(annotations)) return []
  const problems: FieldError[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    for (const because of checkQualifiedName(key.toLowerCase())) problems.push(invalid(at, key, because))
    size += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0)
  }
  if (size > MOST_ANNOTATION_BYTES) problems.push(tooLong(at, MOST_ANNOTATION_BYTES))
  return problems
}

function checkOwners(owners: readonly OwnerReference[], at: string): readonly FieldError[] {
  const problems: FieldError[] = []
  for (const [index, owner] of owners.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field]) problems.push(required(`${at}[${index}].${field}`, 'must not be empty'))
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      problems.push(invalid(`${at}[${index}]`, owner, '/v1, Kind=Event is disallowed from being an owner'))
    }
  }
  const [first, second] = owners.filter(({ controller }) => controller === true)
  if (first && second) {
    const because = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`
    problems.push(invalid(at, owners, because))
  }
  return problems
}
