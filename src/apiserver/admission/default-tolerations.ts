import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf, type Toleration } from '../../kube/pod.ts'
import { isAbout } from './denials.ts'

/** How long a Pod stays on a node that does not answer, unless it says otherwise. */
const SECONDS = 300
const troubles = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

/** Lets every Pod sit out a short trouble of its node. */
export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (request) => request.operation === 'CREATE' && isAbout(request, 'pods'),
  mutate: ({ object }) =>
    Promise.resolve(object ? { allowed: true, object: withDefaultTolerations(object) } : { allowed: true }),
}

/** The Pod with a toleration for each trouble that it does not tolerate already. */
export function withDefaultTolerations(pod: KubeObject): KubeObject {
  const spec = podSpecOf(pod)
  const tolerations = spec.tolerations ?? []
  const missing = troubles.filter((key) => !tolerations.some((toleration) => tolerates(toleration, key)))
  if (missing.length === 0) return pod
  const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }))
  return { ...pod, spec: { ...spec, tolerations: [...tolerations, ...added] } }
}

const tolerates = (toleration: Toleration, key: string): boolean =>
  (toleration.key === key || (toleration.key ?? '') === '') &&
  (toleration.effect === 'NoExecute' || (toleration.effect ?? '') === '')
