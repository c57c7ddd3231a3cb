import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Context } from '../argocd/context.ts'
import { Excuse, Unsupported } from '../argocd/excuse.ts'
import { Lost } from '../argocd/go-values.ts'
import { Platform } from '../argocd/platform.ts'
import { type Call, excuseOf, Scenario } from '../argocd/run-scenario.ts'
import { gitServer } from '../../../src/sources/git/git.testkit.ts'
import { startCluster, type TestCluster } from '../chainsaw/cluster.ts'
import { findKubectl } from '../chainsaw/programs.ts'
import type { Case, Outcome, Pack, Suite, Tools } from '../suite.ts'

declare const IDP_ROOT: string

/** Argo CD's end-to-end scenarios against the embedded cluster, with Git repositories made of the pack's files. */
export const argocdE2e: Suite = { name: 'argocd-e2e', from: 'pack', run }

/** Clusters that work beside each other: settings concern everybody, so that the cases of one follow each other. */
const CLUSTERS = 2
const CASES_A_CLUSTER = 25

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const only = process.env['IDP_CASES']?.split(',')
  const cases = only ? pack.cases.filter(({ id }) => only.some((part) => id.includes(part))) : pack.cases
  const outcomes = new Map<string, Outcome>()
  const waiting: Case[] = []
  for (const row of cases) {
    const because = chainsOf(row)
      .map((chain) => excuseOf(chain, pack.files ?? {}))
      .find((excuse) => excuse !== undefined)
    if (because === undefined) waiting.push(row)
    else outcomes.set(row.id, { id: row.id, verdict: 'excused', because })
  }
  const folder = tools.scratch()
  // Repositories are somewhere else, as for upstream: one on this disk would tell of its commits before anybody asks.
  const git = await gitServer(folder)
  const place: Place = { folder, url: git.url, files: pack.files ?? {}, outcomes }
  const workers = Math.min(CLUSTERS, waiting.length)
  await Promise.all(Array.from({ length: workers }, () => work(waiting, place)))
  await git.close()
  return cases.map(({ id }) => outcomes.get(id) ?? { id, verdict: 'wrong', because: 'it was not run' })
}

const chainsOf = (row: Case): readonly (readonly Call[])[] => (row['chains'] ?? []) as readonly (readonly Call[])[]

/** Where repositories are made and served, and what becomes of cases. */
interface Place {
  readonly folder: string
  readonly url: string
  readonly files: Readonly<Record<string, string>>
  readonly outcomes: Map<string, Outcome>
}

let number = 0

/** Takes cases from the list until there are none. */
async function work(waiting: Case[], place: Place): Promise<void> {
  const { outcomes } = place
  let cluster: TestCluster | undefined
  let count = 0
  for (let row = waiting.shift(); row; row = waiting.shift()) {
    cluster ??= await startCluster(join(IDP_ROOT, 'dist', 'idp.js'))
    const began = Date.now()
    const outcome = await runCase(row, cluster, place)
    outcomes.set(row.id, outcome)
    if (process.env['IDP_CASES_VERBOSE']) {
      const because = outcome.verdict === 'passed' ? '' : outcome.because
      console.log(`${outcome.verdict} ${Date.now() - began} ms ${row.id} ${because}`)
    }
    count += 1
    if (outcome.verdict === 'wrong' || count % CASES_A_CLUSTER === 0) {
      if (process.env['IDP_CASES_VERBOSE'] === '2') console.log(cluster.complaints())
      await cluster.close()
      cluster = undefined
    }
  }
  await cluster?.close()
}

async function runCase(row: Case, { world }: TestCluster, { folder, url, files }: Place): Promise<Outcome> {
  const { id } = row
  try {
    for (const chain of chainsOf(row)) {
      const root = join(folder, `repository-${++number}`)
      mkdirSync(root)
      const context = new Context(String(row['test']), root, number)
      context.urls.set('file', `${url}/repository-${number}/.git`)
      const platform = new Platform(world, context, files)
      try {
        context.startRepository(files)
        await platform.start()
        await new Scenario(world, context, platform, findKubectl()).run(chain)
      } finally {
        await platform.close()
      }
    }
    return { id, verdict: 'passed' }
  } catch (error) {
    if (error instanceof Unsupported) return { id, verdict: 'unsupported', because: error.message }
    if (error instanceof Excuse) return { id, verdict: 'excused', because: error.message }
    if (error instanceof Lost) return { id, verdict: 'excused', because: `the extract does not hold ${error.message}` }
    return { id, verdict: 'wrong', because: error instanceof Error ? error.message.slice(0, 2_000) : String(error) }
  }
}
