import type { KubeObject } from '../../kube/object.ts'
import { applyStrategicPatch, createStrategicPatch } from '../../kube/patch/strategic-patch.ts'
import { type Ignored, withoutIgnored } from './ignore.ts'
import { withoutManaged } from './managed-by.ts'
import type { KindFacts } from './normal-form.ts'

/**
 * The target with the live values of what is ignored, so that a sync leaves those alone (`RespectIgnoreDifferences=true`).
 * What controllers report is never copied: a sync must not come to own it.
 */
export function respectIgnored(
  target: KubeObject,
  live: KubeObject,
  ignored: Ignored,
  facts: KindFacts | undefined,
): KubeObject {
  const { status: _status, ...given } = live
  const liveSide = given as KubeObject // all that was dropped is its status
  const pair = withoutManaged({ live: liveSide, target }, ignored.managers, facts?.schema)
  const rest = { live: withoutIgnored(pair.live, ignored), target: withoutIgnored(pair.target, ignored) }
  if (rest.live === liveSide && rest.target === target) return target
  const patch = createStrategicPatch(rest.live, liveSide, facts?.schema)
  if (!patch.ok) return target
  const patched = applyStrategicPatch(rest.target, patch.value, facts?.schema)
  // Whatever was put back lies inside: the object keeps its identity.
  return patched.ok ? (patched.value as unknown as KubeObject) : target
}
