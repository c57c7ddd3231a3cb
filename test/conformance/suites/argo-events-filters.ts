import { isDeepStrictEqual } from 'node:util'
import { contextJson, type EventContext } from '../../../src/events/event.ts'
import type { Case, EvalAnswer, Outcome, Suite } from '../suite.ts'

/** The calls of Argo Events' filter and parameter tables through `idp eval sensor-filter`. */
export const argoEventsFilters: Suite = {
  name: 'argo-events-filters',
  from: 'pack',
  async run(pack, tools) {
    const cases = pack?.cases ?? []
    const answers = await tools.evalAll('sensor-filter', cases.map(requestOf))
    return cases.map((row, at): Outcome => {
      const wrong = differenceOf(row, answers[at])
      return wrong === undefined ? { id: row.id, verdict: 'passed' } : { id: row.id, verdict: 'wrong', because: wrong }
    })
  },
}

type Loose = Readonly<Record<string, unknown>>

const argsOf = (row: Case): readonly unknown[] =>
  Array.isArray(row['args']) ? (row['args'] as readonly unknown[]) : []

/** Times of the pack are Go values; an event says them as text. */
function eventOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { context, ...rest } = value as Loose
  return { ...rest, ...(context === undefined ? {} : { context: contextOf(context) }) }
}

function contextOf(value: unknown): EventContext | null {
  if (typeof value !== 'object' || value === null) return null
  const { time, ...rest } = value as Loose & { readonly time?: { readonly time?: string } | string }
  const said = typeof time === 'string' ? time : time?.time
  return { ...rest, ...(said === undefined ? {} : { time: said }) }
}

const eventsOf = (value: unknown): Loose =>
  Object.fromEntries(Object.entries((value ?? {}) as Loose).map(([name, event]) => [name, eventOf(event)]))

/** Where the pack has a whole time, the filter has the time of its day. */
const clockOf = (value: unknown): unknown =>
  typeof value === 'string' ? (/T(\d\d:\d\d:\d\d)/.exec(value)?.[1] ?? value) : value

function timeFilterOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { start, stop, ...rest } = value as Loose
  return { ...rest, start: clockOf(start), stop: clockOf(stop) }
}

function requestOf(row: Case): unknown {
  const args = argsOf(row)
  const [first, second, third] = args
  switch (row['call']) {
    case 'filterContext':
      return { part: 'context', filter: contextOf(first), event: { context: contextOf(second) } }
    case 'filterEvent':
      return { part: 'all', filter: first, operator: second, event: eventOf(third) }
    case 'filterExpr':
      return { part: 'exprs', filter: first, operator: second, event: eventOf(third) }
    case 'filterScript':
      return { part: 'script', filter: first, event: eventOf(second) }
    case 'filterTime':
      return { part: 'time', filter: timeFilterOf(first), event: { context: { time: second } } }
    case 'ResolveParamValue':
      return { do: 'parameter', source: first, events: eventsOf(second) }
    case 'ApplyParams':
      return { do: 'apply', document: JSON.parse(String(first)), parameters: second, events: eventsOf(third) }
    default: {
      const { data, operator, event } = (row['args'] ?? {}) as Loose
      return { part: 'data', filter: data, operator, event: eventOf(event) }
    }
  }
}

/** The results of a call as upstream returns them: a value, and an error where there is one. */
interface Results {
  readonly value: unknown
  readonly error: string | undefined
}

function resultsOf(answer: EvalAnswer): Results {
  if (!answer.ok) return { value: undefined, error: answer.error.message }
  const verdict = answer.value as { readonly passes?: boolean; readonly problem?: { readonly message: string } } | null
  if (typeof verdict !== 'object' || verdict === null || verdict.passes === undefined)
    return { value: answer.value, error: undefined }
  return { value: verdict.passes, error: verdict.problem?.message }
}

function differenceOf(row: Case, answer: EvalAnswer | undefined): string | undefined {
  if (!answer) return 'no answer'
  const results = resultsOf(answer)
  if (row['call'] === 'filterData') {
    if ((results.error !== undefined) !== row['expectErr']) return `error is ${results.error ?? 'none'}`
    return results.value === row['expectedResult'] ? undefined : `result is ${String(results.value)}`
  }
  for (const assertion of (row['asserts'] ?? []) as readonly Assertion[]) {
    const wrong = failureOf(assertion, results)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

interface Assertion {
  readonly fn: string
  readonly args: readonly unknown[]
}

function failureOf({ fn, args }: Assertion, { value, error }: Results): string | undefined {
  const subject = args.find((arg) => typeof arg === 'object' && arg !== null && '$expr' in arg) as
    | { readonly $expr: string }
    | undefined
  const isError = /^(?:err|result\[(?:1|2)\])$/.test(subject?.$expr ?? '')
  const seen = isError ? error : value
  switch (fn) {
    case 'NoError':
    case 'Nil':
      return seen === undefined || seen === null ? undefined : `${fn}: ${JSON.stringify(seen)}`
    case 'Error':
    case 'NotNil':
      return seen === undefined || seen === null ? `${fn}: there is nothing` : undefined
    case 'EqualError':
    case 'ErrorContains':
      return error === undefined ? `${fn}: there is no error` : undefined
    case 'Contains': {
      const part = args.find((arg) => typeof arg === 'string')
      return error?.includes(String(part))
        ? undefined
        : `${fn}: ${JSON.stringify(error)} has no ${JSON.stringify(part)}`
    }
    case 'True':
    case 'False':
      return seen === (fn === 'True') ? undefined : `${fn}: ${JSON.stringify(seen)}`
    case 'Equal': {
      const wanted = args.find((arg) => arg !== subject)
      return isSame(wanted, seen) ? undefined : `Equal: ${JSON.stringify(seen)} is not ${JSON.stringify(wanted)}`
    }
    default:
      return `the assertion ${fn} is not known`
  }
}

/** Texts that hold JSON are compared as what they hold. */
function isSame(wanted: unknown, seen: unknown): boolean {
  if (typeof wanted === 'object' && wanted !== null && '$call' in wanted) {
    const [event] = (wanted as unknown as { readonly args: readonly Loose[] }).args
    const data = typeof event?.['data'] === 'string' ? { data: Buffer.from(event['data']).toString('base64') } : {}
    return isDeepStrictEqual(parsed(seen), { context: contextJson(contextOf(event?.['context']) ?? {}), ...data })
  }
  return isDeepStrictEqual(parsed(wanted), parsed(seen))
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    // A text that holds no JSON is compared as it is.
    return value
  }
}
