import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import { withMetadata } from '../storage/stamp.ts'
import type { Strategy } from './resource.ts'

/** What a kind's ordinary strategy depends on. */
export interface StrategyTraits {
  readonly hasStatus: boolean
  /** Whether metadata.generation counts the changes of everything outside metadata and status. */
  readonly hasGeneration: boolean
  readonly createOnUpdate: boolean
  readonly unconditionalUpdate: boolean
}

/** The strategy of a kind that does nothing unusual: status through its own door, generation for the rest. */
export function ordinaryStrategy(traits: StrategyTraits): Strategy {
  return {
    createOnUpdate: traits.createOnUpdate,
    unconditionalUpdate: traits.unconditionalUpdate,
    prepareCreate(object) {
      const bare = traits.hasStatus ? without(object, 'status') : object
      return traits.hasGeneration ? withMetadata(bare, { generation: 1 }) : bare
    },
    prepareUpdate(object, old) {
      const kept = traits.hasStatus ? withFieldOf(object, old, 'status') : object
      if (!traits.hasGeneration || isEqual(intent(kept), intent(old))) return kept
      return withMetadata(kept, { generation: (old.metadata.generation ?? 0) + 1 })
    },
    prepareStatus(object, old) {
      return {
        ...old,
        metadata: withMetadata(old, {
          managedFields: object.metadata.managedFields,
          resourceVersion: object.metadata.resourceVersion,
        }).metadata,
        ...('status' in object ? { status: object['status'] } : {}),
        ...('status' in object || !('status' in old) ? {} : { status: undefined }),
      }
    },
  }
}

/** The object without one top-level field. */
export function without(object: KubeObject, field: string): KubeObject {
  if (!Object.hasOwn(object, field)) return object
  const { [field]: _dropped, ...rest } = object
  return rest as KubeObject
}

function withFieldOf(object: KubeObject, from: KubeObject, field: string): KubeObject {
  if (!Object.hasOwn(from, field)) return without(object, field)
  return object[field] === from[field] ? object : { ...object, [field]: from[field] }
}

/** Everything that says what is wanted. */
function intent(object: KubeObject): unknown {
  const { metadata: _metadata, status: _status, ...rest } = object
  return rest
}
