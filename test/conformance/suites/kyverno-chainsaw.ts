import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startCluster, type TestCluster } from '../chainsaw/cluster.ts'
import { readTest } from '../chainsaw/chainsaw-test.ts'
import type { Pace } from '../chainsaw/operations.ts'
import { findKubectl } from '../chainsaw/programs.ts'
import { runTest } from '../chainsaw/run-test.ts'
import type { Case, Outcome, Pack, Suite, Tools } from '../suite.ts'

declare const IDP_ROOT: string

/** Kyverno's end-to-end tests against the embedded cluster. */
export const kyvernoChainsaw: Suite = { name: 'kyverno-chainsaw', from: 'pack', run }

const pace: Pace = { sleepFactor: 0.15, longestSleepMs: 2_000, unscaledMs: 12_000, patienceMs: 6_000 }
/** Clusters that work beside each other; the tests of one cluster follow each other, since policies concern everybody. */
const CLUSTERS = 3
/** A cluster is replaced after so many tests, so that what a failed one left behind does not last. */
const TESTS_A_CLUSTER = 40

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const root = tools.scratch()
  for (const [name, text] of Object.entries(pack.files ?? {})) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    const isProgram = name.endsWith('.sh')
    writeFileSync(path, text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : text, {
      mode: isProgram ? 0o755 : 0o644,
    })
  }
  const only = process.env['IDP_CASES']?.split(',')
  const cases = only ? pack.cases.filter(({ id }) => only.some((part) => id.includes(part))) : pack.cases
  const outcomes = new Map<string, Outcome>()
  const waiting = [...cases]
  await Promise.all(Array.from({ length: Math.min(CLUSTERS, cases.length) }, () => work(waiting, root, outcomes)))
  return cases.map(({ id }) => outcomes.get(id) ?? { id, verdict: 'wrong', because: 'it was not run' })
}

/** Takes cases from the list until there are none. */
async function work(waiting: Case[], root: string, outcomes: Map<string, Outcome>): Promise<void> {
  const kubectl = findKubectl()
  let cluster: TestCluster | undefined
  let count = 0
  for (let row = waiting.shift(); row; row = waiting.shift()) {
    cluster ??= await startCluster(join(IDP_ROOT, 'dist', 'idp.js'))
    const place = { world: cluster.world, pace, kubectl, number: outcomes.size + count * 1_000 + waiting.length }
    const began = Date.now()
    const because = await runTest(readTest(join(root, row.id, String(row['file']))), place).catch(
      (error: unknown) => `the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
    outcomes.set(
      row.id,
      because === undefined ? { id: row.id, verdict: 'passed' } : { id: row.id, verdict: 'wrong', because },
    )
    if (process.env['IDP_CASES_VERBOSE']) {
      console.log(`${because === undefined ? 'ok  ' : 'FAIL'} ${Date.now() - began} ms ${row.id} ${because ?? ''}`)
    }
    count += 1
    if (because !== undefined || count % TESTS_A_CLUSTER === 0) {
      if (because !== undefined && process.env['IDP_CASES_VERBOSE'] === '2') console.log(cluster.complaints())
      await cluster.close()
      cluster = undefined
    }
  }
  await cluster?.close()
}
