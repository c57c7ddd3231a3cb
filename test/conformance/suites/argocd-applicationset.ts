import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'
import { planOf, type Plan } from './applicationset-rows.ts'

/** The tables of Argo CD's own ApplicationSet tests through `idp eval appset`. */
export const argocdApplicationset: Suite = { name: 'argocd-applicationset', from: 'pack', run }

/** Tables about what is not served here. */
const EXCUSES: Readonly<Record<string, string>> = {
  TestNormalizeBitbucketBasePath: 'the provider Bitbucket is not served',
  TestGetTLSConfig: "compares Go's tls.Config; which certificates are trusted has no public surface of its own",
}
const UNSERVED = /bitbucket|azure|aws ?codecommit/i

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const plans = pack.cases.map((row) => plannedFor(row))
  const requests = plans.flatMap((plan) => ('requests' in plan ? plan.requests : []))
  const answers = [...(await tools.evalAll('appset', requests))]
  return pack.cases.map((row, index): Outcome => {
    const plan = plans[index] as Plan | Refusal
    if ('excused' in plan) return { id: row.id, verdict: 'excused', because: plan.excused }
    if ('unsupported' in plan) return { id: row.id, verdict: 'unsupported', because: plan.unsupported }
    const own = answers.splice(0, plan.requests.length) as readonly EvalAnswer[]
    const wrong = plan.check(own)
    return wrong === undefined
      ? { id: row.id, verdict: 'passed' }
      : { id: row.id, verdict: 'wrong', because: wrong.slice(0, 2_000) }
  })
}

type Refusal = { readonly excused: string } | { readonly unsupported: string }

function plannedFor(row: Case): Plan | Refusal {
  const [table = '', ...rest] = row.id.split('/')
  const excuse = EXCUSES[table]
  if (excuse !== undefined) return { excused: excuse }
  const name = rest.join('/')
  if (UNSERVED.test(name)) return { excused: `the provider of "${name}" is not served` }
  const values = row['row']
  if (typeof values !== 'object' || values === null) return { unsupported: 'the row is no object' }
  if (JSON.stringify((values as Readonly<Record<string, unknown>>)['params'] ?? null).includes('"$func"')) {
    return { excused: 'a parameter of the row is a Go function, which no document can hold' }
  }
  const plan = planOf(table, values as Readonly<Record<string, unknown>>)
  return plan ?? { unsupported: `the runner knows no table ${table}` }
}
