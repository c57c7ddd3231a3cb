import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { systemClock } from '../../../lib/clock.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import {
  type Grouping,
  groupings,
  type ReportGroup,
  type ReportRow,
  rowsOf,
  summarize,
} from '../../../policy/reports/report-summary.ts'
import {
  addClusterOptions,
  columns,
  type ClusterFlags,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

interface Flags extends ClusterFlags {
  readonly by: string
  readonly namespace?: string
  readonly policy?: string
  readonly failing?: boolean
  readonly window: string
  readonly output: string
}

const NAME = 'idp policy report'
const collections = ['policyreports', 'clusterpolicyreports'].map((plural) => ({
  group: 'wgpolicyk8s.io',
  version: 'v1alpha2',
  plural,
}))

/** `idp policy report`: what the reports of a cluster add up to, and what began to fail lately. */
export function defineReport(command: Command, io: Io): Command {
  const sub = addClusterOptions(command.command('report'))
  return sub
    .summary('sum up the policy reports of a cluster')
    .option('--by <grouping>', `put results together by ${groupings.join(', ')}`, 'policy')
    .option('-n, --namespace <name>', 'only results of this namespace')
    .option('--policy <name>', 'only results of this policy')
    .option('--failing', 'list the results that fail, one a line')
    .option('--window <duration>', 'what counts as lately', '24h')
    .option('-o, --output <text|json|yaml>', 'how to print', 'text')
    .action((flags: Flags) => report(flags, io))
}

async function report(flags: Flags, io: Io): Promise<void> {
  const format = outputFormat(NAME, flags.output, io)
  const by = groupings.find((each) => each === flags.by)
  const window = parseDuration(flags.window)
  if (!format) return
  if (!by || !window.ok) {
    const because = by
      ? `${JSON.stringify(flags.window)} is no duration`
      : `results cannot be put together by ${flags.by}: use one of ${groupings.join(', ')}`
    io.err(`${NAME}: ${because}\n`)
    io.exit(2)
    return
  }
  await withCluster(NAME, flags, io, async (client) => {
    const reports = await readReports(client, io)
    if (!reports) return 1
    const rows = rowsOf(reports).filter(
      ({ namespace, policy }) =>
        (flags.namespace === undefined || namespace === flags.namespace) &&
        (flags.policy === undefined || policy === flags.policy),
    )
    if (flags.failing) {
      const failing = rows.filter(({ result }) => result === 'fail' || result === 'error')
      printAs(format, failing, () => failingText(failing), io)
      return 0
    }
    const groups = summarize(rows, by, { nowMs: systemClock.now(), windowMs: millisecondsOf(window.value) })
    printAs(format, groups, () => groupsText(groups, by, flags.window), io)
    return 0
  })
}

async function readReports(client: RemoteClient, io: Io): Promise<readonly KubeObject[] | undefined> {
  const lists = await Promise.all(collections.map((resource) => client.list({ resource })))
  const reports: KubeObject[] = []
  for (const list of lists) {
    if (!list.ok) {
      io.err(`${NAME}: cannot read the reports: ${list.error.message}\n`)
      return undefined
    }
    reports.push(...list.value.items)
  }
  return reports
}

function groupsText(groups: readonly ReportGroup[], by: Grouping, window: string): string {
  if (groups.length === 0) return 'there are no results\n'
  return columns(
    [by.toUpperCase(), 'FAIL', 'WARN', 'ERROR', 'PASS', 'SKIP', `FAILING SINCE ${window}`, `PASSING SINCE ${window}`],
    groups.map(({ group, fail, warn, error, pass, skip, newlyFailing, newlyPassing }) => [
      group,
      ...[fail, warn, error, pass, skip].map(String),
      newlyFailing > 0 ? `+${newlyFailing}` : '-',
      newlyPassing > 0 ? `+${newlyPassing}` : '-',
    ]),
  )
}

function failingText(rows: readonly ReportRow[]): string {
  if (rows.length === 0) return 'nothing fails\n'
  return columns(
    ['NAMESPACE', 'RESOURCE', 'POLICY', 'RULE', 'SEVERITY', 'MESSAGE'],
    rows.map(({ namespace, kind, name, policy, rule = '', severity = '', message = '' }) => [
      namespace,
      `${kind}/${name}`,
      policy,
      rule,
      severity,
      message.replaceAll(/\s+/g, ' ').slice(0, 120),
    ]),
  )
}
