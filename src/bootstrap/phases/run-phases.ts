import type { Client, ResourceInfo, Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Status } from '../../kube/status.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { ServedKinds } from '../../runtime/served-kinds.ts'
import { differingPaths } from '../../gitops/compare/differing-paths.ts'
import { readinessOf, wavesOf } from './plan.ts'
import { type BootstrapStep, nameOf, type ObjectChange, type Phase, type PhaseObject, type Wave } from './phase.ts'

/** Something that a phase does beside applying its objects, before them; it must be safe to repeat. */
export type PhaseWork = (signal: AbortSignal, tell: (what: string, because: string) => void) => Promise<Result<true>>

/** What the bootstrap works with. */
export interface BootstrapPorts {
  readonly client: Client
  readonly clock: Clock
  readonly tell: (step: BootstrapStep) => void
  readonly signal: AbortSignal
  /** How long one wave may take to become ready. */
  readonly gateMs: number
  /** What phases do beside applying, by their names without the number. */
  readonly work?: Readonly<Record<string, PhaseWork>>
}

const FIELD_MANAGER = 'idp-bootstrap'
const LOOK_EVERY_MS = 50
const SAY_EVERY_MS = 2_000
const AT_ONCE = 16
/** Refusals that may pass by themselves: an engine that is not up yet, a definition that is not served yet. */
const passing: ReadonlySet<string> = new Set([
  'InternalError',
  'ServiceUnavailable',
  'Timeout',
  'TooManyRequests',
  'Conflict',
])

/** Applies the phases in order, each wave gated by the readiness of the one before. Repeating it changes nothing that stands. */
export async function runPhases(phases: readonly Phase[], ports: BootstrapPorts): Promise<Result<{ changed: number }>> {
  const { clock, tell, signal } = ports
  const served = new ServedKinds(ports.client, () => clock.now())
  let all = 0
  for (const phase of phases) {
    const began = clock.now()
    let changed = 0
    tell({ step: 'phase-began', phase: phase.name, objects: phase.objects.length })
    // First: what the phase applies may count on it, as stores do on roles that let them in.
    const work = ports.work?.[phase.name.replace(/^\d+-/, '')]
    const worked = await work?.(signal, (what, because) => tell({ step: 'did', phase: phase.name, what, because }))
    if (worked && !worked.ok) return worked
    for (const wave of wavesOf(phase)) {
      const done = await runWave(phase, wave, served, ports)
      if (!done.ok) return done
      changed += done.value
    }
    all += changed
    tell({ step: 'phase-done', phase: phase.name, changed, ms: clock.now() - began })
  }
  return succeed({ changed: all })
}

async function runWave(phase: Phase, wave: Wave, served: ServedKinds, ports: BootstrapPorts): Promise<Result<number>> {
  const until = ports.clock.now() + ports.gateMs
  const targets = new Map<PhaseObject, Target>()
  let changed = 0
  // Objects of one kind do not wait for each other; kinds come in their order.
  for (const batch of batchesOf(wave.objects)) {
    const applied = await Promise.all(batch.map((one) => applyOne(one, { served, ports, until })))
    for (const [at, answer] of applied.entries()) {
      const one = batch[at]
      if (!one) continue
      if (!answer.ok) return answer
      targets.set(one, answer.value.target)
      if (answer.value.change !== 'unchanged') changed += 1
      ports.tell({ step: 'applied', phase: phase.name, what: nameOf(one.object), change: answer.value.change })
    }
  }
  const gate = await waitUntilReady(phase, targets, until, ports)
  return gate.ok ? succeed(changed) : gate
}

function batchesOf(objects: readonly PhaseObject[]): readonly (readonly PhaseObject[])[] {
  const batches: PhaseObject[][] = []
  for (const one of objects) {
    const last = batches.at(-1)
    if (last && last[0]?.object.kind === one.object.kind && last.length < AT_ONCE) last.push(one)
    else batches.push([one])
  }
  return batches
}

interface Applying {
  readonly served: ServedKinds
  readonly ports: BootstrapPorts
  readonly until: number
}

async function applyOne(
  { object, file }: PhaseObject,
  { served, ports, until }: Applying,
): Promise<Result<{ readonly change: ObjectChange; readonly target: Target }>> {
  const { client, clock, signal } = ports
  for (;;) {
    const resource = await served.find(object.apiVersion, object.kind)
    const refused = resource ? undefined : `the cluster does not serve ${object.kind} of ${object.apiVersion}`
    if (resource) {
      const target = targetOf(object, resource)
      const before = await client.get(target, { signal })
      const options = { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Strict', signal } as const
      const written = await client.patch(target, { type: 'apply', body: object }, options)
      if (written.ok) return succeed({ change: changeOf(before, written.value), target })
      const mayPass = passing.has(written.error.reason) || isMissingNamespace(written.error, object)
      if (!mayPass || clock.now() >= until) return fail(refusal(object, file, written.error.message))
    } else if (clock.now() >= until) return fail(refusal(object, file, refused ?? ''))
    await clock.sleep(LOOK_EVERY_MS, { signal })
  }
}

const isMissingNamespace = ({ reason, details }: Status, { metadata }: KubeObject): boolean =>
  reason === 'NotFound' && details?.kind === 'namespaces' && metadata.namespace !== undefined

function refusal(object: KubeObject, file: string, message: string): Problem {
  return {
    code: 'bootstrap-refused',
    at: file,
    message: `${nameOf(object)} was not applied: ${message}`,
    cure: 'mend the file and run it again: what is done stays done',
  }
}

function changeOf(before: { readonly ok: boolean; readonly value?: KubeObject }, after: KubeObject): ObjectChange {
  if (!before.ok || !before.value) return 'created'
  return before.value.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'changed'
}

function targetOf({ metadata }: KubeObject, resource: ResourceInfo): Target {
  const { name = '', namespace = 'default' } = metadata
  return { resource, name, ...(resource.namespaced ? { namespace } : {}) }
}

/** The gate behind a wave: every object of it is ready, or it is said which one is not, why, and what to do. */
async function waitUntilReady(
  phase: Phase,
  targets: ReadonlyMap<PhaseObject, Target>,
  until: number,
  { client, clock, signal, tell }: BootstrapPorts,
): Promise<Result<true>> {
  let waiting = [...targets]
  let said = clock.now()
  for (;;) {
    const seen = await Promise.all(
      waiting.map(async ([one, target]) => ({ one, target, read: await client.get(target, { signal }) })),
    )
    const late = seen.flatMap(({ one, target, read }) => {
      if (!read.ok)
        return [{ one, target, because: read.error.message, cure: 'something removed it after it was applied' }]
      const readiness = readinessOf(read.value)
      return readiness.isReady ? [] : [{ one, target, because: readiness.because, cure: readiness.cure }]
    })
    if (late.length === 0) return succeed(true)
    if (clock.now() >= until) {
      return fail(
        ...late.map(({ one, because, cure }): Problem => ({
          code: 'bootstrap-gate',
          at: one.file,
          message: `${nameOf(one.object)} is not ready: ${because}`,
          cure,
        })),
      )
    }
    if (clock.now() - said >= SAY_EVERY_MS) {
      said = clock.now()
      for (const { one, because } of late)
        tell({ step: 'waiting', phase: phase.name, what: nameOf(one.object), because })
    }
    waiting = late.map(({ one, target }) => [one, target] as const)
    await clock.sleep(LOOK_EVERY_MS, { signal })
  }
}

/** How an object of `IT/` differs from what is in the cluster. */
export interface Difference {
  readonly phase: string
  readonly what: string
  readonly file: string
  /** Missing, or the places that would change. */
  readonly change: 'missing' | readonly string[]
}

/** What applying the phases would change, without changing it. */
export async function checkPhases(
  phases: readonly Phase[],
  { client, clock, signal }: Pick<BootstrapPorts, 'client' | 'clock' | 'signal'>,
): Promise<Result<readonly Difference[]>> {
  const served = new ServedKinds(client, () => clock.now())
  const found: Difference[] = []
  for (const { name: phase, objects } of phases) {
    for (const { object, file } of objects) {
      const what = nameOf(object)
      const resource = await served.find(object.apiVersion, object.kind)
      const target = resource && targetOf(object, resource)
      const live = target && (await client.get(target, { signal }))
      if (!target || !live?.ok) {
        found.push({ phase, what, file, change: 'missing' })
        continue
      }
      const options = { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal } as const
      const wanted = await client.patch(target, { type: 'apply', body: object }, options)
      if (!wanted.ok) return fail(refusal(object, file, wanted.error.message))
      const [now, then] = [withoutNoise(live.value), withoutNoise(wanted.value)]
      if (!isEqual(now, then)) found.push({ phase, what, file, change: differingPaths(now, then) })
    }
  }
  return succeed(found)
}

function withoutNoise(object: KubeObject): KubeObject {
  const { managedFields: _managed, resourceVersion: _version, generation: _generation, ...metadata } = object.metadata
  return { ...object, metadata }
}
