import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isObject } from '../../lib/json.ts'
import { readNames } from './definition.ts'

/** A definition whose names are all said: the singular and the list kind follow from the kind. */
export function withNames(object: KubeObject): KubeObject {
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const names = isObject(spec['names']) ? spec['names'] : {}
  const { singular, listKind } = readNames(names)
  if (names['singular'] === singular && names['listKind'] === listKind) return object
  return { ...object, spec: { ...spec, names: { ...names, singular, listKind } } }
}

/** A definition that says that its objects are being deleted. */
export function withTerminating(object: KubeObject, nowMs: number): KubeObject {
  const status = isObject(object['status']) ? object['status'] : {}
  const others = (Array.isArray(status['conditions']) ? status['conditions'] : []).filter(
    (one: unknown) => isObject(one) && one['type'] !== 'Terminating',
  )
  const terminating = {
    lastTransitionTime: formatTime(nowMs),
    message: 'CustomResource deletion is in progress',
    reason: 'InstanceDeletionInProgress',
    status: 'True',
    type: 'Terminating',
  }
  return { ...object, status: { ...status, conditions: [...others, terminating] } }
}
