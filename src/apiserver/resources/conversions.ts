import type { KubeObject } from '../../kube/object.ts'
import { eventFromCore, eventToCore } from './event-forms.ts'
import { autoscalerFromV2, autoscalerToV2 } from './autoscaler-forms.ts'

/** How a served form of a kind becomes the kept one and back. */
export interface Conversion {
  readonly toServed: (object: KubeObject) => KubeObject
  readonly toKept: (object: KubeObject) => KubeObject
}

/** The forms that differ from the one that is kept, by `group/version/kind`. */
const conversions: ReadonlyMap<string, Conversion> = new Map([
  ['events.k8s.io/v1/Event', { toServed: remembered(eventFromCore), toKept: eventToCore }],
  ['autoscaling/v1/HorizontalPodAutoscaler', { toServed: remembered(autoscalerFromV2), toKept: autoscalerToV2 }],
])

/** The group under which a kind is kept, where that is another one than its own. */
export const keptIn: ReadonlyMap<string, string> = new Map([['events.k8s.io/Event', '']])

const same: Conversion = { toServed: (object) => object, toKept: (object) => object }

/** How a built-in kind is kept. */
export function conversionOf(group: string, version: string, kind: string): Conversion {
  return conversions.get(`${group}/${version}/${kind}`) ?? same
}

/** Stored objects do not change, so that each is converted once. */
function remembered(convert: (object: KubeObject) => KubeObject): (object: KubeObject) => KubeObject {
  const known = new WeakMap<KubeObject, KubeObject>()
  return (object) => {
    const before = known.get(object)
    if (before) return before
    const made = convert(object)
    known.set(object, made)
    return made
  }
}
