import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { kindHealth } from '../../gitops/health/health.ts'
import { waveOf } from '../../gitops/sync/hook.ts'
import { kindRank } from '../../gitops/sync/kind-order.ts'
import type { Phase, PhaseObject, Wave } from './phase.ts'

/** The waves of a phase in the order in which they are applied, and in each the objects in theirs. */
export function wavesOf({ objects }: Phase): readonly Wave[] {
  const byWave = new Map<number, PhaseObject[]>()
  for (const one of objects) {
    const wave = waveOf(one.object)
    byWave.set(wave, [...(byWave.get(wave) ?? []), one])
  }
  return [...byWave]
    .toSorted(([a], [b]) => a - b)
    .map(([wave, those]) => ({ wave, objects: those.toSorted((a, b) => rankOf(a.object) - rankOf(b.object)) }))
}

const rankOf = ({ kind }: KubeObject): number => kindRank(kind)

/** Whether an object is ready; if it is not, what it waits for and what may be done about it. */
export type Readiness =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly because: string; readonly cure: string }

const ready: Readiness = { isReady: true }

/** What to look at when an object of a kind does not become ready. */
const cures: Readonly<Record<string, string>> = {
  'argoproj.io/ApplicationSet': 'idp appset get shows what it generates and why not',
  'cert-manager.io/Certificate': 'idp pki why says which check of it fails',
  'cert-manager.io/ClusterIssuer': 'idp pki why says what it lacks',
  'external-secrets.io/ClusterSecretStore': 'idp secret list shows whether the store answers; it may be sealed',
  'gateway.networking.k8s.io/Gateway':
    'another program may have its ports: change gateway.httpPort and httpsPort in idp.yaml',
  'apiextensions.k8s.io/CustomResourceDefinition': 'kubectl describe it: its schema may be refused',
}

/** Whether the cluster has made of an object what later phases count on. What nobody judges is ready by being there. */
export function readinessOf(live: KubeObject): Readiness {
  const { group } = parseApiVersion(live.apiVersion)
  const cure = cures[`${group}/${live.kind}`] ?? `kubectl describe ${live.kind.toLowerCase()} says more`
  // What Applications bring is theirs to wait for.
  if (live.kind === 'Application' && group === 'argoproj.io') return ready
  const health = kindHealth(live)
  if (!health || health.status === 'Healthy' || health.status === 'Suspended') return ready
  return { isReady: false, because: health.message ?? `it is ${health.status}`, cure }
}
