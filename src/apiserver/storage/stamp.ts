import type { KubeObject } from '../../kube/object.ts'

/** The object as of a revision. */
export function withRevision(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
}

/** The object without a revision: as it is compared, or as it is about to be written. */
export function withMetadata(object: KubeObject, changes: Readonly<Record<string, unknown>>): KubeObject {
  const metadata: Record<string, unknown> = { ...object.metadata }
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete metadata[key]
    else metadata[key] = value
  }
  return { ...object, metadata }
}
