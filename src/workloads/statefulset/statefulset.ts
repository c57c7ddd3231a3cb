import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import type { PodTemplate } from '../pods/template.ts'

/** What a StatefulSet asks for. */
export interface StatefulSetSpec {
  readonly replicas?: number
  readonly selector?: LabelSelectorObject
  readonly template?: PodTemplate
  readonly serviceName?: string
  readonly minReadySeconds?: number
  readonly podManagementPolicy?: string
  readonly revisionHistoryLimit?: number
  readonly ordinals?: { readonly start?: number }
  readonly updateStrategy?: {
    readonly type?: string
    readonly rollingUpdate?: { readonly partition?: number; readonly maxUnavailable?: number | string }
  }
  readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string; readonly whenScaled?: string }
  readonly volumeClaimTemplates?: readonly {
    readonly metadata?: ObjectMeta
    readonly spec?: Readonly<Record<string, unknown>>
  }[]
}

export interface StatefulSetStatus {
  readonly replicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly currentReplicas?: number
  readonly updatedReplicas?: number
  readonly currentRevision?: string
  readonly updateRevision?: string
  readonly observedGeneration?: number
  readonly collisionCount?: number
}

/** The spec of a StatefulSet. */
export const statefulSetSpecOf = (set: KubeObject): StatefulSetSpec => set['spec'] ?? {}

/** The status of a StatefulSet. */
export const statefulSetStatusOf = (set: KubeObject): StatefulSetStatus => set['status'] ?? {}

/** Which number a Pod has in a set; undefined for one that has none. */
export function ordinalOf(set: KubeObject, pod: KubeObject): number | undefined {
  const prefix = `${set.metadata.name ?? ''}-`
  const name = pod.metadata.name ?? ''
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined
}

/** The claim that a Pod of a set has for one of its claim templates. */
export const claimName = (claim: string, pod: string): string => `${claim}-${pod}`

/** The template as it is for one number: with its name, its labels and its own volumes. */
export function templateFor(set: KubeObject, template: PodTemplate, ordinal: number, revision: string): PodTemplate {
  const { serviceName, volumeClaimTemplates = [] } = statefulSetSpecOf(set)
  const name = `${set.metadata.name ?? ''}-${ordinal}`
  const { metadata = {}, spec = {} } = template
  const claims = volumeClaimTemplates.map((claim) => claim.metadata?.name ?? '')
  const volumes = (Array.isArray(spec['volumes']) ? spec['volumes'] : []) as readonly { readonly name: string }[]
  const own = claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claimName(claim, name) } }))
  const all = [...own, ...volumes.filter((volume) => !claims.includes(volume.name))]
  return {
    metadata: {
      ...metadata,
      labels: {
        ...metadata.labels,
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
        'controller-revision-hash': revision,
      },
    },
    spec: {
      ...spec,
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...(all.length > 0 ? { volumes: all } : {}),
    },
  }
}
