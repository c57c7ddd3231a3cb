import type { KubeObject } from '../../../kube/object.ts'
import type { Problem } from '../../../lib/result.ts'

/** Everything that an author should change in a policy. */
export function lintPolicy(_object: KubeObject): readonly Problem[] {
  return []
}
