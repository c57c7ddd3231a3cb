import type { Command } from 'commander'
import { hostname } from 'node:os'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { capabilities, runElsewhere } from '../../backbone.ts'
import type { RemoteClient } from '../../client/remote-client.ts'
import type { UserInfo } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { warningsTo } from '../embedded-platform.ts'
import { explain, type Result } from '../../lib/result.ts'
import { chooseControllers } from '../../runtime/choose-controllers.ts'
import { addClusterOptions, type ClusterFlags, openCluster } from '../cluster-client.ts'
import type { Io } from '../command.ts'

interface Flags extends ClusterFlags {
  readonly run: string
  readonly leaseNamespace: string
  readonly webhookListen?: string
  readonly webhookUrl?: string
}

const NAME = 'idp controllers'

export function define(command: Command, io: Io): void {
  addClusterOptions(command)
    .option('--run <all|list>', 'which capabilities to run', 'all')
    .option('--lease-namespace <name>', 'where the Lease lies that lets one process work at a time', 'kube-system')
    .option('--webhook-listen <host:port>', 'judge writes by policies, through webhooks that listen here')
    .option('--webhook-url <url>', 'how the API server reaches the webhooks: https://NAME:PORT')
    .addHelpText(
      'after',
      `
Runs the platform's controllers against a cluster that lives elsewhere, until it is interrupted. The same resources, the same
behaviour as beside the embedded cluster; several processes may be started, and one of them works.

Capabilities, for --run NAME,NAME or --run all,-NAME:
${capabilities.map(({ name, does }) => `  ${name.padEnd(12)} ${does}`).join('\n')}

Policies judge writes through webhooks: with --webhook-listen they are served over TLS, and their configurations are written
while this process works and taken away when it stops. Without it policies are left out, and that is said.

Examples:
  idp controllers --context staging
  idp controllers --kubeconfig ./kubeconfig --run gitops
  idp controllers --run policies --webhook-listen 0.0.0.0:9443 --webhook-url https://policies.example.org:9443`,
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
  const place = webhookPlace(flags)
  if (typeof place === 'string') {
    io.err(`${NAME}: ${place}\n`)
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
  const log = warningsTo(io)
  const accounts = new Map<string, RemoteClient>()
  const clientAs = (user: UserInfo): Client => {
    // Whoever may do everything is who we are.
    if (user.groups.includes('system:masters')) return cluster.value
    const opened = accounts.get(user.username) ?? valueOf(openCluster(flags, io, user))
    accounts.set(user.username, opened)
    return opened
  }
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
        ...(place ? { webhooks: { ...place, clientAs, onReady: (url) => io.out(`webhooks: ${url}\n`) } } : {}),
        onWork(working, left) {
          io.out(`at work: ${working.join(', ') || 'nothing'}\n`)
          if (left.length > 0)
            io.err(`left out, because nothing lets the API server ask them (--webhook-listen): ${left.join(', ')}\n`)
        },
      },
      io.signal,
    )
  } catch (error) {
    io.err(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`)
    io.exit(1)
  } finally {
    await Promise.all([...accounts.values(), cluster.value].map((client) => client.close()))
  }
}

interface WebhookPlace {
  readonly host: string
  readonly port: number
  readonly url?: string
}

/** Where the webhooks listen and are reached, or what is wrong with how that was said. */
function webhookPlace({ webhookListen, webhookUrl }: Flags): WebhookPlace | string | undefined {
  if (webhookListen === undefined) return webhookUrl === undefined ? undefined : '--webhook-url needs --webhook-listen'
  const place = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(webhookListen)
  if (!place || Number(place[3]) > 65_535)
    return `--webhook-listen ${JSON.stringify(webhookListen)} is not HOST:PORT, such as 0.0.0.0:9443`
  const listen = { host: place[1] ?? place[2] ?? '', port: Number(place[3]) }
  if (webhookUrl === undefined) {
    if (listen.host === '0.0.0.0' || listen.host === '::')
      return `--webhook-listen ${webhookListen} is no address to be reached at: say --webhook-url https://NAME:PORT too`
    return listen
  }
  const url = URL.canParse(webhookUrl) ? new URL(webhookUrl) : undefined
  if (url?.protocol !== 'https:' || url.search !== '' || url.hash !== '' || url.username !== '')
    return `--webhook-url ${JSON.stringify(webhookUrl)} is not like https://NAME:PORT`
  return { ...listen, url: webhookUrl.replace(/\/+$/, '') }
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.map(explain).join('; '))
  return result.value
}
