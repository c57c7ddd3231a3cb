import {
  prepareCreate,
  prepareStatusUpdate,
  prepareUpdate,
  type Strategy as KindStrategy,
} from '../../kube/builtin/strategy.ts'
import type { Strategy } from './resource.ts'
import type { Traits } from './traits.ts'

/** A kind's strategy as the verbs use it: its rules for objects, and what it allows its writers. */
export function strategyWith(kind: KindStrategy, traits: Traits): Strategy {
  return {
    ...traits,
    prepareCreate: (object) => prepareCreate(object, kind),
    prepareUpdate: (object, old) => prepareUpdate(object, old, kind),
    prepareStatus: (object, old) => prepareStatusUpdate(object, old, kind),
  }
}
