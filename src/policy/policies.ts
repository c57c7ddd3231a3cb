import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { fail } from '../lib/result.ts'
import { controllerLoop } from '../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { policyAdmission } from './admission/policy-admission.ts'
import { type Judged, policyPlugin } from './admission/policy-plugin.ts'
import { BackgroundScan } from './background/scan-controller.ts'
import { type Catalog, PolicyCatalog } from './catalog/policy-catalog.ts'
import type { PolicySource } from './catalog/policy-source.ts'
import type { PolicyWorld } from './engine/compiled-policy.ts'
import { serviceCaller } from './facts/call-service.ts'
import type { FetchFacts } from './facts/evaluate-fully.ts'
import { fetchFacts } from './facts/fetch-facts.ts'
import { ServedKinds } from './facts/served-kinds.ts'
import { policyFamilies } from './families.ts'
import { installKyverno } from './install/install.ts'
import { policyMetrics } from './metrics.ts'
import { ReportWriter } from './reports/report-writer.ts'
import { reviewReports } from './reports/review-reports.ts'
import { lookupOf, VerdictSink } from './reports/verdict-sink.ts'
import { KYVERNO_NAMESPACE, parseSettings, type PolicySettings, SETTINGS_NAME } from './settings/policy-settings.ts'
import { UserRoles } from './settings/user-roles.ts'
import { policyStatusControllers } from './status/controller.ts'

/** What policies are made with before there is a cluster to talk to. */
export interface PoliciesParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  /** The committed objects. */
  readonly source: PolicySource
  /** A way to the cluster in somebody's name; only asked for once requests are answered. */
  readonly clientAs: (user: UserInfo) => Client
}

/** What policies bring: judging writes, and working in the background. */
export interface Policies {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
}

/** In whose name facts are looked up. */
const system: UserInfo = {
  username: 'system:serviceaccount:kyverno:kyverno-admission-controller',
  groups: ['system:masters'],
}

/** Scans look again so often at what has not changed itself, for what policies look up elsewhere. */
const SCAN_EVERY_MS = 60 * 60 * 1_000

/** Policies as a capability: an admission plugin in process and the controllers beside it. */
export function makePolicies(parts: PoliciesParts): Policies {
  const { clock, ids, log, source, clientAs } = parts
  const catalog = new PolicyCatalog(source, policyFamilies)
  const users = new UserRoles(source)
  const metrics = policyMetrics(parts.metrics)
  const settings = settingsReader(source)
  const listeners = new Set<(judged: Judged) => void>()
  let client: Client | undefined
  let served: ServedKinds | undefined
  const reach = (): { readonly client: Client; readonly served: ServedKinds } => {
    client ??= clientAs(system)
    served ??= new ServedKinds(client, () => clock.now())
    return { client, served }
  }
  const callService = serviceCaller()
  const globalContext = (name: string) =>
    fail({ code: 'global-context-unknown', message: `there is no GlobalContextEntry ${name}` })
  const fetch =
    (signal: AbortSignal): FetchFacts =>
    (needs, known) =>
      fetchFacts(needs, known, { ...reach(), callService, globalContext, log }, signal)
  const worldOf = ({ exceptions }: Catalog): Omit<PolicyWorld, 'facts'> => ({
    exceptions,
    now: () => clock.now(),
    ids,
  })
  const plugin = policyPlugin({
    catalog,
    source,
    settings,
    users,
    clock,
    ids,
    log,
    metrics,
    fetch: (signal) => (needs, known) =>
      fetchFacts(needs, known, { ...reach(), callService, globalContext, log }, signal),
    judged: (judged) => {
      for (const listener of listeners) listener(judged)
    },
  })
  return {
    admission: [policyAdmission(catalog, []), plugin],
    controllers(ports) {
      const { informers } = ports
      const { served } = reach()
      const writer = new ReportWriter({
        client: ports.client,
        clock,
        log,
        served,
        isThere: (policy) => lookupOf(catalog.current()).rows.has(policy),
      })
      const sink = new VerdictSink({
        writer,
        clock,
        admissionEvents: ports.events('kyverno-admission'),
        scanEvents: ports.events('kyverno-scan'),
        tellsSuccess: () => settings().generateSuccessEvents,
      })
      listeners.add((judged) => sink.judged(judged))
      const scanning = new BackgroundScan({
        informers,
        clock,
        log,
        catalog,
        served,
        world: worldOf,
        fetch,
        scanned: (scanned) => sink.scanned(scanned),
        everyMs: SCAN_EVERY_MS,
      })
      const controllers = policyStatusControllers({
        client: ports.client,
        informers,
        clock,
        catalog,
        missing: () => [],
      })
      const loops = controllers.map((controller) => controllerLoop(controller, ports))
      const reviews = reviewReports({ informers, writer })
      return {
        pending: () => [...loops.flatMap(({ queue }) => queue.pending()), ...scanning.pending(), ...writer.pending()],
        run: async (signal) => {
          const installing = installKyverno(ports.client, { clock, log, signal })
          const working = [...loops, scanning, writer, reviews]
          await Promise.all([installing, ...working.map((one) => one.run(signal))])
        },
      }
    },
  }
}

/** The settings, read again when the ConfigMap has changed. */
function settingsReader(source: PolicySource): () => PolicySettings {
  let seen: unknown
  let settings = parseSettings(undefined)
  return () => {
    const configMaps = source.list('', 'configmaps', KYVERNO_NAMESPACE)
    if (configMaps !== seen) {
      seen = configMaps
      settings = parseSettings(configMaps.find(({ metadata }) => metadata.name === SETTINGS_NAME))
    }
    return settings
  }
}
