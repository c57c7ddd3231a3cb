import type { Ids } from '../lib/ids.ts'
import type { Json } from '../lib/json.ts'
import { fail, type Result } from '../lib/result.ts'
import { controllerLoop } from '../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import type { Judged } from './admission/policy-plugin.ts'
import { BackgroundScan } from './background/scan-controller.ts'
import { cleanupControllers } from './cleanup/cleanup-controller.ts'
import { TtlCleanup } from './cleanup/ttl-controller.ts'
import { type FactNeed, keyOfNeed, noFacts } from './engine/fact.ts'
import { globalContextController } from './global-context/controller.ts'
import { installKyverno } from './install/install.ts'
import { accountOf } from './install/kyverno-objects.ts'
import type { PolicyCore } from './policies.ts'
import { ReportWriter } from './reports/report-writer.ts'
import { reviewReports } from './reports/review-reports.ts'
import { nativeControllers } from './native/native-controller.ts'
import { lookupOf, VerdictSink } from './reports/verdict-sink.ts'
import { DownstreamIndex } from './requests/downstream.ts'
import { planFollowing } from './requests/follow-objects.ts'
import { planWork } from './requests/plan-work.ts'
import { PolicyChanges } from './requests/policy-changes.ts'
import { requestController, submitWork } from './requests/request-controller.ts'
import type { Work } from './requests/update-request.ts'
import { policyStatusControllers } from './status/controller.ts'

/** The controllers of policies, and what admission tells them. */
export interface Background extends ControllerPart {
  readonly judged: (judged: Judged) => void
}

/** Scans look again so often at what has not changed itself, for what policies look up elsewhere. */
const SCAN_EVERY_MS = 60 * 60 * 1_000

const FOLLOW_MS = 100

/** Makes everything that policies do beside admission. */
export function makeBackground(core: PolicyCore, ports: ControllerPorts & { readonly ids: Ids }): Background {
  const { catalog, settings, shared, fetch, worldOf, namespaceOf, clientOf } = core
  const { informers, clock, log, client } = ports
  const served = core.reach().served
  const current = (): ReturnType<typeof catalog.current> => catalog.current()
  const writer = new ReportWriter({
    client,
    clock,
    log,
    served,
    isThere: (policy) => lookupOf(current()).rows.has(policy),
  })
  const sink = new VerdictSink({
    writer,
    clock,
    admissionEvents: ports.events('kyverno-admission'),
    scanEvents: ports.events('kyverno-scan'),
    tellsSuccess: () => settings().generateSuccessEvents,
  })
  const account = clientOf('background-controller')
  const downstream = new DownstreamIndex(client, served)
  const ended = new AbortController()
  const submit = (work: Work): Promise<void> => submitWork(work, { client, informers, log })
  const submitAll = (works: readonly Work[]): void => works.forEach((work) => void submit(work))
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
  const changes = new PolicyChanges({
    client: account,
    informers,
    clock,
    log,
    served,
    downstream,
    catalog: current,
    world: worldOf,
    namespaceOf,
    submit,
  })
  const ttl = new TtlCleanup({ client: clientOf('cleanup-controller'), informers, clock, log, served })
  const ask = async (need: FactNeed, signal: AbortSignal): Promise<Result<Json>> => {
    const known = await fetch(signal)([need], noFacts)
    return known.get(keyOfNeed(need)) ?? fail({ code: 'policy-fact-unavailable', message: 'nothing was answered' })
  }
  const controllers = [
    ...policyStatusControllers({ client, informers, clock, catalog, missing: () => [] }),
    ...nativeControllers({ client, informers, served }),
    globalContextController({ client, informers, clock, context: shared, ask }),
    requestController({
      client,
      informers,
      clock,
      log,
      worker: { client: account, served, downstream, catalog: current, world: worldOf, fetch, namespaceOf, log },
      generateEvents: ports.events('kyverno-generate'),
      mutateEvents: ports.events('kyverno-mutate'),
      worked: ({ request, response }) => {
        if (request && response) sink.worked(request, [response], current())
      },
    }),
    ...cleanupControllers({
      client: clientOf('cleanup-controller'),
      statusClient: client,
      informers,
      clock,
      log,
      served,
      catalog: current,
      world: worldOf,
      fetch,
      namespaceOf,
      events: ports.events('kyverno-cleanup'),
    }),
  ]
  const loops = controllers.map((controller) => controllerLoop(controller, ports))
  const parts = [scanning, writer, changes, ttl]
  return {
    judged(judged) {
      sink.judged(judged)
      const { request, isDenied, catalog: judgedBy } = judged
      if (isDenied || judged.phase !== 'validate') return
      submitAll(planWork(request, judgedBy.set, worldOf(judgedBy), accountOf('background-controller')))
      if (request.user.username === accountOf('background-controller')) return
      // Admission tells of a write before it is stored, and what follows is about what is stored.
      clock.after(FOLLOW_MS, () => {
        if (ended.signal.aborted) return
        planFollowing(request, judgedBy.set, downstream, ended.signal)
          .then(submitAll)
          .catch((error: unknown) => log.error('what follows from a change cannot be found', error))
      })
    },
    pending: () => [...loops.flatMap(({ queue }) => queue.pending()), ...parts.flatMap((part) => part.pending())],
    run: async (signal) => {
      signal.addEventListener('abort', () => ended.abort(signal.reason), { once: true })
      const working = [...loops, ...parts, reviewReports({ informers, writer })]
      await Promise.all([installKyverno(client, { clock, log, signal }), ...working.map((one) => one.run(signal))])
    },
  }
}
