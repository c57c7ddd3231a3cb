import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { EventRecorder } from '../../runtime/event-recorder.ts'
import type { Judged } from '../admission/policy-plugin.ts'
import { isScanned } from '../background/scanned-kinds.ts'
import type { Scanned } from '../background/scan-controller.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import type { CompiledPolicy } from '../engine/compiled-policy.ts'
import { type PolicyRequest, subjectOf } from '../engine/policy-request.ts'
import { policyKey, type PolicyIdentity, type PolicyResponse } from '../engine/rule-response.ts'
import { policyOfRow } from './policy-report.ts'
import { reportResults, sourceOf } from './report-result.ts'
import type { ReportWriter } from './report-writer.ts'
import { type EventSubjects, tell, verdictEvents } from './verdict-events.ts'

export interface VerdictSinkPorts {
  readonly writer: ReportWriter
  readonly clock: Clock
  /** Tell Events in the name of whoever judged. */
  readonly admissionEvents: EventRecorder
  readonly scanEvents: EventRecorder
  readonly tellsSuccess: () => boolean
}

const nothing: ReadonlySet<string> = new Set()
/** A policy with this label is left out of reports. */
const UNREPORTED = 'reports.kyverno.io/disabled'

const identityKey = ({ kind, ...identity }: PolicyIdentity): string =>
  `${kind} ${policyKey(identity as PolicyIdentity)}`

interface Lookup {
  readonly policies: ReadonlyMap<string, CompiledPolicy>
  readonly rows: ReadonlySet<string>
  readonly scanned: ReadonlySet<string>
  readonly exceptions: ReadonlyMap<string, KubeObject>
}

const lookups = new WeakMap<Catalog, Lookup>()

/** How policies are found by what reports and Events know of them. */
export function lookupOf(catalog: Catalog): Lookup {
  const known = lookups.get(catalog)
  if (known) return known
  const { policies } = catalog.set
  const rowOf = ({ identity }: CompiledPolicy): string =>
    policyOfRow({ source: sourceOf(identity.kind), policy: policyKey(identity) })
  const made: Lookup = {
    policies: new Map(policies.map((policy) => [identityKey(policy.identity), policy])),
    rows: new Set(policies.map(rowOf)),
    scanned: new Set(policies.filter(isScanned).map(rowOf)),
    exceptions: new Map(
      catalog.exceptions.map((one) => [`${one.metadata.namespace ?? ''}/${one.metadata.name ?? ''}`, one]),
    ),
  }
  lookups.set(catalog, made)
  return made
}

/** Takes verdicts to where people look: reports and Events. */
export class VerdictSink {
  readonly #ports: VerdictSinkPorts

  constructor(ports: VerdictSinkPorts) {
    this.#ports = ports
  }

  /** What admission said. */
  judged({ request, responses, isDenied, catalog }: Judged): void {
    const { admissionEvents, tellsSuccess } = this.#ports
    if (!isDenied && request.operation !== 'DELETE' && request.subresource === undefined) {
      this.#report(request, responses, catalog, nothing)
    }
    const choice = { isDenied, tellsSuccess: tellsSuccess() }
    tell(admissionEvents, verdictEvents(request, responses, subjectsOf(catalog), choice))
  }

  /** What a scan said: the whole of what background policies have to say. */
  scanned({ request, responses, catalog }: Scanned): void {
    const { scanEvents, tellsSuccess } = this.#ports
    this.#report(request, responses, catalog, lookupOf(catalog).scanned)
    const choice = { isDenied: false, tellsSuccess: tellsSuccess() }
    tell(scanEvents, verdictEvents(request, responses, subjectsOf(catalog), choice))
  }

  /** What generating or changing other objects came to. */
  worked(request: PolicyRequest, responses: readonly PolicyResponse[], catalog: Catalog): void {
    this.#report(request, responses, catalog, nothing)
  }

  #report(
    request: PolicyRequest,
    responses: readonly PolicyResponse[],
    catalog: Catalog,
    settled: ReadonlySet<string>,
  ): void {
    const { writer, clock } = this.#ports
    const object = subjectOf(request)
    if (!object || object.kind === 'Event') return
    const { policies } = lookupOf(catalog)
    const results = responses.flatMap((response) => {
      const policy = policies.get(identityKey(response.policy))
      if (!policy || policy.source.metadata.labels?.[UNREPORTED] !== undefined) return []
      return reportResults(response, policy, clock.now())
    })
    if (results.length === 0 && settled.size === 0) return
    const { uid } = object.metadata
    const isInside = request.namespace !== undefined && request.kind.kind !== 'Namespace'
    writer.add(
      {
        apiVersion: apiVersionOf(request.kind),
        kind: request.kind.kind,
        ...(isInside ? { namespace: request.namespace ?? '' } : {}),
        name: object.metadata.name ?? request.name,
        ...(uid === undefined ? {} : { uid }),
      },
      { results, settled },
    )
  }
}

const subjectsOf = (catalog: Catalog): EventSubjects => {
  const { policies, exceptions } = lookupOf(catalog)
  return {
    policy: ({ policy }) => policies.get(identityKey(policy))?.source,
    exception: (key) => exceptions.get(key),
  }
}
