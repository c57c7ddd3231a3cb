import { isEqual, isObject } from '../../../lib/json.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { mergeStrategic } from '../../../render/kustomize/merge/merge.ts'
import type { MergeTable } from '../../../render/kustomize/merge/table.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import type { Fields } from '../read.ts'
import { templateOf } from '../variables/template.ts'
import { applyJsonPatches, readJsonPatches } from './json-patches.ts'
import { plainPatch } from './overlay.ts'

/** How lists of known kinds merge. */
export type MergeSchemas = Pick<MergeTable, 'schemaOf'>

/** An object after a patch of a rule; the same object when the patch changes nothing. */
export function patchObject(block: Fields, object: KubeObject, scope: Scope, schemas: MergeSchemas): KubeObject {
  const patched = patchOf(block, object, scope, schemas)
  if (!isObject(patched) || !isObject(patched['metadata'])) {
    throw new RuleFailure('invalid', 'the patch leaves no object')
  }
  return isEqual(patched, object) ? object : (patched as unknown as KubeObject) // an object patched is an object
}

function patchOf(block: Fields, object: KubeObject, scope: Scope, schemas: MergeSchemas): unknown {
  const { patchStrategicMerge, patchesJson6902 } = block
  if (patchStrategicMerge !== undefined && patchStrategicMerge !== null) {
    const patch = plainPatch(scope.fill(templateOf(patchStrategicMerge)), object)
    return patch ? merged(object, patch, schemas) : object
  }
  if (typeof patchesJson6902 !== 'string' || patchesJson6902 === '')
    throw new RuleFailure('invalid', 'the mutate rule is empty')
  const filled = scope.fill(templateOf(patchesJson6902))
  if (Array.isArray(filled)) return applyJsonPatches(object, filled)
  if (typeof filled !== 'string') throw new RuleFailure('invalid', 'patchesJson6902 must become a text')
  return applyJsonPatches(object, readJsonPatches(filled))
}

function merged(object: KubeObject, patch: Fields, schemas: MergeSchemas): unknown {
  const result = mergeStrategic(object, patch, schemas.schemaOf(object.apiVersion, object.kind))
  if (!result.ok) throw new RuleFailure('invalid', result.error.map(({ message }) => message).join('; '))
  return result.value
}
