import type { KubeObject } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import type { PodTemplate } from '../pods/template.ts'

/** What a DaemonSet asks for. */
export interface DaemonSetSpec {
  readonly selector?: LabelSelectorObject
  readonly template?: PodTemplate
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
  readonly updateStrategy?: {
    readonly type?: string
    readonly rollingUpdate?: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string }
  }
}

/** The spec of a DaemonSet. */
export const daemonSetSpecOf = (set: KubeObject): DaemonSetSpec => set['spec'] ?? {}

const always = (key: string, effect: string): object => ({ key, operator: 'Exists', effect })

/** What every daemon tolerates: nodes in trouble are where it is needed. */
export const daemonTolerations: readonly object[] = [
  always('node.kubernetes.io/not-ready', 'NoExecute'),
  always('node.kubernetes.io/unreachable', 'NoExecute'),
  always('node.kubernetes.io/disk-pressure', 'NoSchedule'),
  always('node.kubernetes.io/memory-pressure', 'NoSchedule'),
  always('node.kubernetes.io/pid-pressure', 'NoSchedule'),
  always('node.kubernetes.io/unschedulable', 'NoSchedule'),
]

/** The template as it is on one node: bound to it by name, so that the scheduler places it there or nowhere. */
export function templateFor(template: PodTemplate, node: string, hash: string): PodTemplate {
  const { metadata = {}, spec = {} } = template
  const affinity = (spec['affinity'] ?? {}) as {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly object[] }
    }
  }
  const { nodeAffinity = {} } = affinity
  const terms = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}]
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  const tolerations = Array.isArray(spec['tolerations']) ? (spec['tolerations'] as readonly object[]) : []
  return {
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, 'controller-revision-hash': hash },
    },
    spec: {
      ...spec,
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: terms.map((term) => ({ ...term, matchFields })),
          },
        },
      },
      tolerations: [...tolerations, ...daemonTolerations],
    },
  }
}
