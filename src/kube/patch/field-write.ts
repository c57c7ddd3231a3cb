import { isObject } from '../../lib/json.ts'
import { parseApiVersion } from '../gvk.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import type { Schema } from '../schema/schema.ts'
import { fieldElement } from './apply/path-element.ts'
import { difference, type PathSet, recursiveDifference, setOf } from './apply/path-set.ts'
import { objectTypeOf, type Type } from './apply/type.ts'
import type { Typed, World } from './apply/updater.ts'
import { validate } from './apply/validate.ts'
import type { ManagerIdentity } from './managed-entries.ts'

/** Who writes, how, and in which version: what both kinds of writes have in common. */
export interface FieldWrite {
  /** The object as it is stored, in the version of the request; absent when it is created. */
  readonly live?: KubeObject | undefined
  readonly manager: string
  readonly apiVersion: string
  readonly subresource?: string | undefined
  /** RFC 3339, in seconds. */
  readonly now: string
  /** The type in the version of the request; without it types are deduced from the values. */
  readonly schema?: Schema | undefined
  /** The type in another version; by default the same. */
  readonly schemaIn?: (apiVersion: string) => Schema | undefined
  /** The object in another version; undefined when that version is gone. By default versions of a group are all alike. */
  readonly convert?: (object: KubeObject, apiVersion: string) => KubeObject | undefined
  /** What this endpoint resets in every request and nobody can own through it, such as `['status']`. */
  readonly resetFields?: readonly (readonly string[])[] | undefined
}

/** The object with these entries instead of its own. */
export function withEntries(object: KubeObject, entries: readonly ManagedFieldsEntry[]): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: entries.length > 0 ? { ...metadata, managedFields: entries } : metadata }
}

const neverTracked = setOf([
  [fieldElement('apiVersion')],
  [fieldElement('kind')],
  [fieldElement('metadata')],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields'].map(
    (name) => [fieldElement('metadata'), fieldElement(name)],
  ),
  [fieldElement('metadata'), fieldElement('resourceVersion')],
])

/** Who the manager is, whatever it does. */
export function named({ manager, apiVersion, subresource }: FieldWrite): Omit<ManagerIdentity, 'operation'> {
  return { manager: manager === '' ? 'unknown' : manager, apiVersion, subresource }
}

/** What an object is before it is created. */
export function emptyObject({ apiVersion }: FieldWrite, kind: string): KubeObject {
  return { apiVersion, kind, metadata: {} }
}

const bareObjects = new WeakMap<KubeObject, KubeObject>()

/** The object without managedFields; the same one each time. */
export function bare(object: KubeObject): KubeObject {
  if (!isObject(object.metadata) || !Object.hasOwn(object.metadata, 'managedFields')) return object
  const known = bareObjects.get(object)
  if (known) return known
  const { managedFields: _, ...metadata } = object.metadata
  const without = { ...object, metadata }
  bareObjects.set(object, without)
  return without
}

const valid = new WeakMap<KubeObject, Type>()

/** Stored objects are immutable, so that they need to be checked against a type only once. */
export function validateOnce(type: Type, object: KubeObject): void {
  if (valid.get(object) === type) return
  validate(type, object, true)
  valid.set(object, type)
}

/** Versions and reset fields as the engine asks for them. */
export function worldOf(write: FieldWrite, type: Type): World {
  const { resetFields, apiVersion: requested } = write
  const reset = resetFields?.length ? setOf(resetFields.map((path) => path.map(fieldElement))) : undefined
  return {
    convert: (object, apiVersion) => converted(write, object, apiVersion, type),
    // Other versions have names of their own; what an endpoint resets has the same name in all of them.
    filter: (set: PathSet) => difference(reset ? recursiveDifference(set, reset) : set, neverTracked),
  }

  function converted(
    { convert, schemaIn }: FieldWrite,
    object: Typed,
    apiVersion: string,
    own_: Type,
  ): Typed | undefined {
    if (!isObject(object.value)) return object
    const current = object.value as unknown as KubeObject
    if (current.apiVersion === apiVersion) return object
    const typeThere = apiVersion === requested ? own_ : schemaIn ? objectTypeOf(schemaIn(apiVersion)) : own_
    if (convert) {
      const value = convert(current, apiVersion)
      return value && { value, type: typeThere }
    }
    const isSameGroup = parseApiVersion(current.apiVersion).group === parseApiVersion(apiVersion).group
    return isSameGroup ? { value: { ...current, apiVersion }, type: typeThere } : undefined
  }
}
