import type { KubeObject } from '../../kube/object.ts'

/** The cluster as policies see it: what is there now, at once. The same list comes again until something changes in it. */
export interface PolicySource {
  get(
    group: string,
    plural: string,
    key: { readonly namespace?: string; readonly name: string },
  ): KubeObject | undefined
  list(group: string, plural: string, namespace?: string): readonly KubeObject[]
}
