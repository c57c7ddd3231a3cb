import type { KubeObject } from '../../kube/object.ts'

/** Something that can be done to an object, such as a restart. */
export interface ResourceAction {
  readonly name: string
  readonly disabled: boolean
  readonly displayName?: string
  /** What has to be said when it is run. */
  readonly params: readonly { readonly name: string; readonly default?: string }[]
}

/** What an action makes of objects: they are written as they stand. */
export interface Impact {
  readonly operation: 'patch' | 'create' | 'delete'
  readonly object: KubeObject
}

/** What an action is run with. */
export interface ActionRun {
  readonly object: KubeObject
  readonly params: Readonly<Record<string, string>>
  readonly nowMs: number
}
