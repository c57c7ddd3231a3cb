import type { KubeObject } from '../../kube/object.ts'

/** The cluster as admission sees it: committed objects, at once, without authorization. */
export interface ClusterReader {
  get(group: string, plural: string, key: ObjectKey): KubeObject | undefined
  /** Objects of one namespace, or of the whole cluster. */
  list(group: string, plural: string, namespace?: string): readonly KubeObject[]
}

export interface ObjectKey {
  readonly namespace?: string
  readonly name: string
}
