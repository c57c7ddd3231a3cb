import { own } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'

/** Options for how one object is synced, on the object itself. */
export const SYNC_OPTIONS = 'argocd.argoproj.io/sync-options'

/** An annotation of an object. */
export function annotationOf(object: KubeObject | undefined, name: string): string | undefined {
  const annotations = object?.metadata.annotations
  return annotations ? own(annotations, name) : undefined
}

/** The distinct values of an annotation that holds a list separated by commas. */
export function listAnnotation(object: KubeObject | undefined, name: string): readonly string[] {
  const text = annotationOf(object, name)
  if (typeof text !== 'string') return []
  return [...new Set(text.split(',').flatMap((item) => item.trim() || []))]
}

/** Tells whether an object asks for an option such as `Replace=true`. */
export function hasOption(object: KubeObject | undefined, option: string): boolean {
  return listAnnotation(object, SYNC_OPTIONS).includes(option)
}

/** What an object sets an option to: `confirm` for `Prune=confirm`; the first one counts. */
export function optionOf(object: KubeObject | undefined, name: string): string | undefined {
  return optionIn(listAnnotation(object, SYNC_OPTIONS), name)
}

/** What a list of options sets an option to; the first one counts. */
export function optionIn(options: readonly string[], name: string): string | undefined {
  const prefix = `${name}=`
  return options.find((item) => item.startsWith(prefix))?.slice(prefix.length)
}
