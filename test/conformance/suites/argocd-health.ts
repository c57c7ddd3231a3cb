import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** The health of built-in kinds through `idp eval health`. */
export const argocdHealth: Suite = {
  name: 'argocd-health',
  from: 'pack',
  run: (pack, tools) => judged(pack, tools, (row) => ({ object: row['object'] }), statusOf),
}

/** The health of the kinds that upstream bundles a check for. What comes before a check (deletion) is left out. */
export const argocdResourceHealth: Suite = {
  name: 'argocd-resource-health',
  from: 'pack',
  run: (pack, tools) => judged(pack, tools, (row) => ({ object: row['input'], deletion: 'ignored' }), statusAndMessage),
}

type Difference = (row: Case, value: { readonly status: unknown; readonly message: unknown }) => string | undefined

async function judged(
  pack: Pack | undefined,
  tools: Tools,
  requestOf: (row: Case) => unknown,
  difference: Difference,
): Promise<readonly Outcome[]> {
  const cases = pack?.cases ?? []
  const answers = await tools.evalAll('health', cases.map(requestOf))
  return cases.map((row, index): Outcome => {
    const wrong = differenceOf(row, answers[index], difference)
    return wrong === undefined ? { id: row.id, verdict: 'passed' } : { id: row.id, verdict: 'wrong', because: wrong }
  })
}

function differenceOf(row: Case, answer: EvalAnswer | undefined, difference: Difference): string | undefined {
  if (!answer?.ok) return `no answer: ${answer?.error.message ?? ''}`
  return difference(row, answer.value as { readonly status: unknown; readonly message: unknown })
}

const statusOf: Difference = (row, { status }) =>
  status === row['expected'] ? undefined : `status is ${String(status)}, not ${String(row['expected'])}`

const statusAndMessage: Difference = (row, { status, message }) => {
  const wanted = row['expected'] as { readonly status?: unknown; readonly message?: unknown }
  // An empty status is upstream's word for no answer.
  const wantedStatus = wanted.status === '' || wanted.status === undefined ? null : wanted.status
  if (status !== wantedStatus) return `status is ${String(status)}, not ${JSON.stringify(wantedStatus)}`
  const said = wanted.message ?? ''
  return message === said ? undefined : `message is ${JSON.stringify(message)}, not ${JSON.stringify(said)}`
}
