import type { KubeObject } from '../../kube/object.ts'

/** One phase of the bootstrap: a folder of `IT/`, rendered. */
export interface Phase {
  /** Its folder, such as `1-foundation`. */
  readonly name: string
  readonly objects: readonly PhaseObject[]
}

/** An object of a phase, and the file that declares it. */
export interface PhaseObject {
  readonly object: KubeObject
  readonly file: string
}

/** Objects that may be applied together; the next wave waits until they are ready. */
export interface Wave {
  readonly wave: number
  readonly objects: readonly PhaseObject[]
}

/** Something that happened in the bootstrap, for whoever looks on. */
export type BootstrapStep =
  | { readonly step: 'phase-began'; readonly phase: string; readonly objects: number }
  | { readonly step: 'applied'; readonly phase: string; readonly what: string; readonly change: ObjectChange }
  | { readonly step: 'waiting'; readonly phase: string; readonly what: string; readonly because: string }
  | { readonly step: 'did'; readonly phase: string; readonly what: string; readonly because: string }
  | { readonly step: 'phase-done'; readonly phase: string; readonly changed: number; readonly ms: number }

/** What became of an object. */
export type ObjectChange = 'created' | 'changed' | 'unchanged'

/** How an object is called in a line of text. */
export function nameOf({ kind, metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata
  return namespace ? `${kind} ${namespace}/${name}` : `${kind} ${name}`
}
