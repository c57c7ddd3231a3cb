import { apiVersionOf, type GroupVersionKind } from './gvk.ts'
import type { KubeObject, OwnerReference } from './object.ts'

/** The reference to the one owner that controls an object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** Tells whether an object is controlled by another, by uid, so that a namesake never counts. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid
}

/** The reference that makes an object controlled by its owner. */
export function controllerReference(owner: KubeObject, kind: GroupVersionKind): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}
