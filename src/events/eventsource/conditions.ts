import { type Condition, conditionOf, isTrue, setCondition, withoutCondition } from '../../kube/condition.ts'
import type { Judgement } from './validate.ts'

/** What is known of an EventSource and of what it needs. */
export interface Seen {
  readonly judgement: Judgement
  readonly bus: 'ready' | 'not-ready' | 'missing'
  readonly busName: string
  /** Why its Service is not there. */
  readonly service?: string
  /** Sources of kinds that are not run here. */
  readonly unsupported: readonly string[]
  /** What keeps sources from their work, by source. */
  readonly troubles: readonly string[]
  /** What keeps hooks from being registered; undefined where none is to be. */
  readonly hooks?: readonly string[]
  /** Sources that have only begun. */
  readonly starting?: readonly string[]
  readonly areHooksStarting?: boolean
}

/** Nobody can say yet: what was said before goes on to hold. */
const STARTING = 'Starting'
export const PROVIDED = 'SourcesProvided'
export const DEPLOYED = 'Deployed'
export const REGISTERED = 'WebhooksRegistered'

/** A message is read at a glance; what is longer lies in the log. */
const LONGEST = 1_000

const said = (parts: readonly string[]): string => parts.toSorted().join('; ').slice(0, LONGEST)

/** Why an EventSource is not deployed; undefined where it is. The first that holds is told. */
function notDeployed(seen: Seen): { readonly reason: string; readonly message: string } | undefined {
  if (seen.bus === 'missing') {
    return {
      reason: 'EventBusNotFound',
      message: `EventBus not found: there is no EventBus ${JSON.stringify(seen.busName)} in the namespace.`,
    }
  }
  if (seen.bus === 'not-ready') return { reason: 'EventBusNotReady', message: 'EventBus not ready.' }
  if (seen.service !== undefined) return { reason: 'CreateServiceFailed', message: seen.service }
  if (seen.troubles.length > 0) return { reason: 'SourceFailed', message: said(seen.troubles) }
  if (seen.unsupported.length > 0) {
    return { reason: 'UnsupportedEventSource', message: `not run by this platform: ${said(seen.unsupported)}` }
  }
  return undefined
}

/** The conditions that follow; the reasons are upstream's where it has one (argo-events v1.9, reconciler/eventsource). */
export function conditionsOf(seen: Seen): readonly Condition[] {
  const { problems, warnings } = seen.judgement
  if (problems.length > 0) {
    const message = said(problems.map(({ at = 'spec', message: because }) => `${at}: ${because}`))
    return [
      { type: DEPLOYED, status: 'Unknown', reason: '', message: '' },
      { type: PROVIDED, status: 'False', reason: 'InvalidEventSource', message },
    ]
  }
  const because = notDeployed(seen)
  const { starting = [], areHooksStarting = false } = seen
  const begins = (type: string, message: string): Condition => ({ type, status: 'Unknown', reason: STARTING, message })
  const works: Condition =
    starting.length > 0
      ? begins(DEPLOYED, `has only begun: ${said(starting)}`)
      : { type: DEPLOYED, status: 'True', reason: '', message: said(warnings) }
  const deployed: Condition = because ? { type: DEPLOYED, status: 'False', ...because } : works
  const provided: Condition = { type: PROVIDED, status: 'True', reason: '', message: '' }
  if (!seen.hooks || because) return [deployed, provided]
  if (seen.hooks.length === 0 && areHooksStarting)
    return [deployed, provided, begins(REGISTERED, 'hooks are being registered')]
  const registered: Condition =
    seen.hooks.length === 0
      ? { type: REGISTERED, status: 'True', reason: '', message: '' }
      : { type: REGISTERED, status: 'False', reason: 'RegistrationFailed', message: said(seen.hooks) }
  return [deployed, provided, registered]
}

/** The conditions that an EventSource has next; the very list that it has, when nothing is different. */
export function nextConditions(
  before: readonly Condition[] | undefined,
  wanted: readonly Condition[],
  nowMs: number,
): readonly Condition[] {
  let next = before ?? []
  if (!conditionOf(wanted, REGISTERED)) next = withoutCondition(next, REGISTERED)
  for (const condition of wanted) {
    const goesOn = condition.reason === STARTING && isTrue(next, condition.type)
    if (!goesOn) next = setCondition(next, condition, nowMs)
  }
  return next
}
