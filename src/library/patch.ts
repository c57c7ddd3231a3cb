/** The four ways in which the Kubernetes API changes an object by parts, and who owns which field. */
export { createJsonPatch, type JsonPatchOperation } from '../kube/patch/json-diff.ts'
export { applyJsonPatch, type JsonPatchLimits } from '../kube/patch/json-patch.ts'
export { applyPatch } from '../kube/patch/managed-fields.ts'
export { applyMergePatch, createMergePatch, createThreeWayMergePatch } from '../kube/patch/merge-patch.ts'
export {
  applyStrategicPatch,
  createStrategicPatch,
  createThreeWayStrategicPatch,
} from '../kube/patch/strategic-patch.ts'
export { trackUpdate } from '../kube/patch/track-update.ts'
export type { Problem, Result } from '../lib/result.ts'
