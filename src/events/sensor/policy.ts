import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { RetryPlan } from './backoff.ts'
import type { CompiledAction } from './compile-trigger.ts'
import type { Fired, Right } from './trigger.ts'

/** What a policy is judged with. */
export interface PolicyPorts {
  /** In the name of the trigger's ServiceAccount. */
  readonly client: Client
  readonly clock: Clock
  readonly chance: () => number
  readonly signal: AbortSignal
}

/** What a trigger needs to be allowed: what firing does, and looking at what its policy waits for. */
export function rightsWithPolicy({ policyWait }: CompiledAction, rights: readonly Right[]): readonly Right[] {
  if (!policyWait) return rights
  const written = rights.filter(({ verb }) => writing.has(verb))
  const looked = written.map(({ group, resource, name, namespace }): Right => ({
    verb: 'get',
    group,
    resource,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  }))
  return [...rights, ...looked.filter((right) => !rights.some((other) => isEqual(right, other)))]
}

const writing = new Set(['create', 'patch', 'update'])

const unmet = (message: string): Result<never> => fail({ code: 'trigger-policy-unmet', message })

/** Judges what came of firing, waiting for the labels that an object is to get. */
export async function applyPolicy(action: CompiledAction, fired: Fired, ports: PolicyPorts): Promise<Result<Fired>> {
  const allowed = action.policy?.status?.allow
  if (allowed && fired.httpStatus !== undefined && !allowed.includes(fired.httpStatus))
    return unmet(`${fired.because}: the policy allows ${allowed.join(', ')}, not ${fired.httpStatus}`)
  // Upstream takes any answer for success where no policy says otherwise, and so loses events in silence.
  if (!allowed && (fired.httpStatus ?? 0) >= 400)
    return unmet(`${fired.because}; a policy (status.allow) may say that this is success`)
  const { labels, errorOnBackoffTimeout = false } = action.policy?.k8s ?? {}
  if (!labels || !action.policyWait || !fired.object) return succeed(fired)
  const awaited = await awaitLabels({ object: fired.object, labels, plan: action.policyWait }, ports)
  if (awaited.ok) return succeed({ ...fired, because: `${fired.because}; its labels are as the policy asks` })
  const isLate = awaited.error.some(({ code }) => code === 'trigger-policy-late')
  if (errorOnBackoffTimeout || !isLate) return awaited
  return succeed({ ...fired, because: `${fired.because}; ${awaited.error[0]?.message ?? ''}` })
}

interface Awaited {
  readonly object: NonNullable<Fired['object']>
  readonly labels: Readonly<Record<string, string>>
  readonly plan: RetryPlan
}

async function awaitLabels({ object, labels, plan }: Awaited, ports: PolicyPorts): Promise<Result<undefined>> {
  const name = `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
  for (let attempt = 1; ; attempt++) {
    const found = await ports.client.get(object, { signal: ports.signal })
    if (!found.ok) return unmet(`cannot look at the labels of ${name}: ${found.error.message}`)
    const has = found.value.metadata.labels ?? {}
    const absent = Object.entries(labels).filter(([key, value]) => own(has, key) !== value)
    if (absent.length === 0) return succeed(undefined)
    if (attempt >= plan.steps) {
      const wanted = absent.map((pair) => pair.join('=')).join(', ')
      return fail({ code: 'trigger-policy-late', message: `${name} has not got the label ${wanted} in time` })
    }
    await ports.clock.sleep(plan.delayMs(attempt, ports.chance()), { signal: ports.signal })
  }
}
