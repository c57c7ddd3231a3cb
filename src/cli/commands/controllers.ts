import type { Command } from 'commander'
import { hostname } from 'node:os'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { capabilities, runElsewhere } from '../../backbone.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { logTo } from '../../lib/log.ts'
import { explain } from '../../lib/result.ts'
import { chooseControllers } from '../../runtime/choose-controllers.ts'
import { addClusterOptions, type ClusterFlags, openCluster } from '../cluster-client.ts'
import type { Io } from '../command.ts'

interface Flags extends ClusterFlags {
  readonly run: string
  readonly leaseNamespace: string
}

const NAME = 'idp controllers'

export function define(command: Command, io: Io): void {
  addClusterOptions(command)
    .option('--run <all|list>', 'which capabilities to run', 'all')
    .option('--lease-namespace <name>', 'where the Lease lies that lets one process work at a time', 'kube-system')
    .addHelpText(
      'after',
      `
Runs the platform's controllers against a cluster that lives elsewhere, until it is interrupted. The same resources, the same
behaviour as beside the embedded cluster; several processes may be started, and one of them works.

Capabilities, for --run NAME,NAME or --run all,-NAME:
${capabilities.map(({ name, does }) => `  ${name.padEnd(12)} ${does}`).join('\n')}

Policies judge writes inside the embedded API server; against another cluster they are left out, and that is said.

Examples:
  idp controllers --context staging
  idp controllers --kubeconfig ./kubeconfig --run gitops`,
    )
    .action((flags: Flags) => serve(flags, io))
}

async function serve(flags: Flags, io: Io): Promise<void> {
  const choice = chooseControllers(flags.run, capabilities)
  if (!choice.ok || choice.chosen.length === 0) {
    io.err(`${NAME}: --run ${JSON.stringify(flags.run)}: ${choice.ok ? 'nothing is left to run' : choice.because}\n`)
    io.exit(2)
    return
  }
  const cluster = openCluster(flags, io)
  if (!cluster.ok) {
    for (const problem of cluster.error) io.err(`${NAME}: ${explain(problem)}\n`)
    io.exit(1)
    return
  }
  const stateFolder = resolve(io.cwd, flags.state)
  await mkdir(stateFolder, { recursive: true, mode: 0o700 })
  const log = logTo(
    ({ level, message, fields }) => {
      if (level === 'warn' || level === 'error') io.err(`${level} ${message} ${JSON.stringify(fields)}\n`)
    },
    () => systemClock.now(),
  )
  io.out('waiting for the lease\n')
  try {
    await runElsewhere(
      {
        client: cluster.value,
        chosen: choice.chosen,
        leaseNamespace: flags.leaseNamespace,
        identity: `${hostname()}_${systemIds.uid()}`,
        stateFolder,
        workingFolder: io.cwd,
        path: io.env['PATH'] ?? '',
        clock: systemClock,
        ids: systemIds,
        log,
        onWork(working, left) {
          io.out(`at work: ${working.join(', ') || 'nothing'}\n`)
          if (left.length > 0) io.err(`left out, because they need the embedded API server: ${left.join(', ')}\n`)
        },
      },
      io.signal,
    )
  } catch (error) {
    io.err(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`)
    io.exit(1)
  } finally {
    await cluster.value.close()
  }
}
