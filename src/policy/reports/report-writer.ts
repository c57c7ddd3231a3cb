import type { Client, Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual } from '../../lib/json.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { type PendingKey, done, retry, type Turn, WorkQueue } from '../../runtime/work-queue.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { followedBy, mergeResults, type ReportChange, type ReportForm, reportOn } from './policy-report.ts'
import type { ReportResult } from './report-result.ts'

/** Which resource it is. */
export interface ReportedResource {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** Who it was; a namesake that came later is somebody else. */
  readonly uid?: string
}

export interface ReportWriterPorts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly served: ServedKinds
  /** Tells whether a policy, as `source policy`, is there. */
  readonly isThere: (policy: string) => boolean
}

/** Verdicts are gathered for so long before a report is written. */
const GATHER_MS = 50
/** A resource that is not there after so many looks was refused, or is gone. */
const LOOKS = 6

interface Pending {
  readonly resource: ReportedResource
  change: ReportChange
  looks: number
}

const plurals: Readonly<Record<ReportForm, readonly [inside: string, cluster: string]>> = {
  wgpolicyk8s: ['policyreports', 'clusterpolicyreports'],
  openreports: ['reports', 'clusterreports'],
}

const keyOfResource = ({ apiVersion, kind, namespace = '', name }: ReportedResource): string =>
  JSON.stringify([apiVersion, kind, namespace, name])

/** Writes what is known of resources into one report each; the reports themselves are the memory. */
export class ReportWriter {
  readonly #ports: ReportWriterPorts
  readonly #pending = new Map<string, Pending>()
  readonly #queue: WorkQueue

  constructor(ports: ReportWriterPorts) {
    this.#ports = ports
    this.#queue = new WorkQueue({
      clock: ports.clock,
      concurrency: 4,
      work: (key, signal) => this.#write(key, signal).catch((error: unknown) => retry(describeError(error))),
    })
  }

  /** Takes a change up; it is written together with others soon after. */
  add(resource: ReportedResource, change: ReportChange): void {
    const key = keyOfResource(resource)
    const known = this.#pending.get(key)
    if (!known) this.#pending.set(key, { resource, change, looks: 0 })
    else known.change = followedBy(known.change, change)
    this.#queue.addAfter(key, GATHER_MS)
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  pending(): readonly PendingKey[] {
    return this.#queue.pending()
  }

  async #write(key: string, signal: AbortSignal): Promise<Turn> {
    const pending = this.#pending.get(key)
    if (!pending) return done
    this.#pending.delete(key)
    const { resource, change } = pending
    const { client, served } = this.#ports
    const info = await served.find(resource.apiVersion, resource.kind)
    if (!info) return done
    const where = info.namespaced && resource.namespace ? { namespace: resource.namespace } : {}
    const found = await client.get({ resource: info, ...where, name: resource.name }, { signal })
    if (!found.ok) {
      if (found.error.reason !== 'NotFound') return this.#again(key, pending, found.error.message)
      return this.#lookAgain(key, pending)
    }
    const { uid = '' } = found.value.metadata
    if (resource.uid !== undefined && resource.uid !== '' && resource.uid !== uid) return done
    for (const form of await this.#forms()) {
      const refused = await this.#put(found.value, change, form, signal)
      if (refused !== undefined) return this.#again(key, pending, refused)
    }
    return done
  }

  /** What admission let through is not stored yet, or was refused by somebody else. */
  #lookAgain(key: string, pending: Pending): Turn {
    if (pending.resource.uid !== undefined && pending.resource.uid !== '' && pending.looks > 0) return done
    if (pending.looks >= LOOKS) return done
    this.#restore(key, { ...pending, looks: pending.looks + 1 })
    return retry('the resource is not there yet')
  }

  #again(key: string, pending: Pending, because: string): Turn {
    this.#restore(key, pending)
    return retry(because)
  }

  #restore(key: string, pending: Pending): void {
    const newer = this.#pending.get(key)
    if (!newer) this.#pending.set(key, pending)
    else newer.change = followedBy(pending.change, newer.change)
  }

  async #forms(): Promise<readonly ReportForm[]> {
    const { served } = this.#ports
    const isOpen = (await served.find('openreports.io/v1alpha1', 'Report')) !== undefined
    return isOpen ? ['wgpolicyk8s', 'openreports'] : ['wgpolicyk8s']
  }

  async #put(
    resource: KubeObject,
    change: ReportChange,
    form: ReportForm,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { client, isThere } = this.#ports
    const [inside, cluster] = plurals[form]
    const { namespace, uid = '' } = resource.metadata
    const isInside = namespace !== undefined && namespace !== ''
    const group = form === 'wgpolicyk8s' ? 'wgpolicyk8s.io' : 'openreports.io'
    const version = form === 'wgpolicyk8s' ? 'v1alpha2' : 'v1alpha1'
    const target: Target = {
      resource: { group, version, plural: isInside ? inside : cluster },
      ...(isInside ? { namespace } : {}),
      name: uid,
    }
    const old = await client.get(target, { signal })
    const before =
      old.ok && Array.isArray(old.value['results']) ? (old.value['results'] as readonly ReportResult[]) : []
    const results = mergeResults(before, change, isThere)
    if (results.length === 0) {
      const gone = old.ok ? await client.delete(target, { signal }) : undefined
      return gone && !gone.ok && gone.error.reason !== 'NotFound' ? gone.error.message : undefined
    }
    const report = reportOn(resource, results, form)
    if (old.ok && isEqual(old.value['results'], report['results'])) return undefined
    const answer = old.ok
      ? await client.update(
          target,
          { ...old.value, ...report, metadata: { ...old.value.metadata, ...report.metadata } },
          { signal },
        )
      : await client.create(target, report, { signal })
    // A namespace that goes takes its reports along.
    if (answer.ok || answer.error.reason === 'NotFound' || answer.error.reason === 'Forbidden') return undefined
    return answer.error.message
  }
}
