import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import type { KubeObject } from '../../kube/object.ts'

const MOST_LOOKED_AT = 50

/**
 * What stands behind an object that does not get on, from what it owns: the container that cannot be pulled or has died, the
 * Pod that has no node. '' where nothing more than its own status is known.
 */
export function blockerOf(object: KubeObject, childrenOf: (uid: string) => readonly KubeObject[]): string {
  const pods = object.kind === 'Pod' ? [object] : podsBelow(object, childrenOf)
  for (const pod of pods) {
    const trouble = podTrouble(pod)
    if (trouble !== '') return `${leadOf(object)}Pod ${pod.metadata.name ?? ''} ${trouble}`
  }
  return ''
}

function leadOf(object: KubeObject): string {
  const failed = fieldsOf(object, 'status')['failed']
  if (object.kind !== 'Job' || typeof failed !== 'number' || failed === 0) return ''
  return `it has failed ${failed} ${failed === 1 ? 'time' : 'times'}: `
}

function podsBelow(object: KubeObject, childrenOf: (uid: string) => readonly KubeObject[]): readonly KubeObject[] {
  const pods: KubeObject[] = []
  let level: readonly KubeObject[] = [object]
  // A Deployment has ReplicaSets, those have Pods; nothing that we know goes deeper than three.
  for (let depth = 0; depth < 3 && level.length > 0; depth++) {
    level = level
      .slice(0, MOST_LOOKED_AT)
      .flatMap(({ metadata }) => (metadata.uid === undefined ? [] : childrenOf(metadata.uid)))
    pods.push(...level.filter(({ kind }) => kind === 'Pod'))
  }
  // The newest tells what is wrong now.
  return pods
    .toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1))
    .slice(0, MOST_LOOKED_AT)
}

function podTrouble(pod: KubeObject): string {
  const status = fieldsOf(pod, 'status')
  for (const list of ['initContainerStatuses', 'containerStatuses']) {
    for (const container of objectsOf(status, list) ?? []) {
      const name = textOf(container, 'name')
      const waiting = fieldsOf(fieldsOf(container, 'state'), 'waiting')
      const reason = textOf(waiting, 'reason')
      if (reason !== '' && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
        return `waits: container ${name}: ${[reason, textOf(waiting, 'message')].filter((text) => text !== '').join(': ')}`
      }
      const ended = fieldsOf(fieldsOf(container, 'state'), 'terminated')
      const code = ended['exitCode']
      if (typeof code === 'number' && code !== 0) return `has failed: container ${name} exited with code ${code}`
    }
  }
  const unscheduled = (objectsOf(status, 'conditions') ?? []).find(
    (condition) => textOf(condition, 'type') === 'PodScheduled' && textOf(condition, 'status') === 'False',
  )
  if (unscheduled) return `has no node: ${textOf(unscheduled, 'message')}`
  return textOf(status, 'phase') === 'Failed'
    ? `has failed: ${textOf(status, 'message') || textOf(status, 'reason')}`
    : ''
}
