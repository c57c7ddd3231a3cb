import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Amounts, amountsOf, type ResourceList } from '../../kube/pod.ts'
import { type Counted, planQuota, type QuotaSpec, totalUsage } from '../../kube/quota.ts'
import type { Status } from '../../kube/status.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden } from './denials.ts'

/** What the plugin needs of its surroundings. */
export interface QuotaPorts {
  readonly reader: ClusterReader
  readonly clock: Clock
  /** Every collection of which objects in a namespace can be counted, as group and plural. */
  readonly counted: () => Iterable<{ readonly group: string; readonly plural: string }>
  /** Writes used amounts into a quota's status if it has not changed since it was read; false when it has. */
  readonly commit: (quota: KubeObject, used: Amounts) => Promise<boolean>
}

/** How often a quota that somebody else changed meanwhile is looked at again. */
const ATTEMPTS = 10

/** Lets a write pass only while every quota of its namespace has room, and takes the room in the same step. */
export function resourceQuota(ports: QuotaPorts): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    handles: ({ operation, namespace, subresource, resource }) =>
      namespace !== undefined &&
      subresource === undefined &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      !(resource.group === '' && resource.plural === 'events') &&
      ports.reader.list('', 'resourcequotas', namespace).length > 0,
    async validate(request) {
      const status = await reserve(request, ports)
      return status ? { allowed: false, status } : { allowed: true }
    },
  }
}

async function reserve(request: AdmissionRequest, ports: QuotaPorts): Promise<Status | undefined> {
  const namespace = request.namespace ?? ''
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const planned = planAll(request, ports, ports.reader.list('', 'resourcequotas', namespace))
    if ('denied' in planned) return forbidden(request, planned.denied)
    if (request.dryRun) return undefined
    if (await commitAll(planned.updates, ports)) return undefined
  }
  return forbidden(request, 'the quota of the namespace changes too fast to be reserved: try again')
}

interface QuotaUpdate {
  readonly quota: KubeObject
  readonly used: Amounts
}

function planAll(
  request: AdmissionRequest,
  ports: QuotaPorts,
  quotas: readonly KubeObject[],
): { readonly denied: string } | { readonly updates: readonly QuotaUpdate[] } {
  const { object, oldObject, resource } = request
  if (!object) return { updates: [] }
  const counted = (of: KubeObject): Counted => ({ group: resource.group, plural: resource.plural, object: of })
  const nowMs = ports.clock.now()
  const updates: QuotaUpdate[] = []
  for (const quota of quotas) {
    const spec = (quota['spec'] ?? {}) as QuotaSpec
    const decision = planQuota({
      name: quota.metadata.name ?? '',
      spec,
      used: usedOf(quota, spec, ports),
      before: oldObject && counted(oldObject),
      after: counted(object),
      nowMs,
    })
    if (!decision.fits) return { denied: decision.because }
    if (decision.used) updates.push({ quota, used: decision.used })
  }
  return { updates }
}

/** What the status says is used, or a fresh count while the status does not cover the spec yet. */
function usedOf(quota: KubeObject, spec: QuotaSpec, { reader, counted, clock }: QuotaPorts): Amounts {
  const said = (quota['status'] as { readonly used?: ResourceList } | undefined)?.used ?? {}
  if (Object.keys(spec.hard ?? {}).every((name) => Object.hasOwn(said, name))) return amountsOf(said)
  const all = [...counted()].flatMap(({ group, plural }) =>
    reader.list(group, plural, quota.metadata.namespace).map((object) => ({ group, plural, object })),
  )
  return totalUsage(spec, all, clock.now())
}

/** Commits in order; what an earlier quota reserved for a write that fails is given back when usage is counted again. */
async function commitAll(updates: readonly QuotaUpdate[], { commit }: QuotaPorts): Promise<boolean> {
  for (const { quota, used } of updates) {
    if (!(await commit(quota, used))) return false
  }
  return true
}
